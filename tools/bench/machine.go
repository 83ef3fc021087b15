package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// machine is where the figures come from and what they are of.
type machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Memory   string `json:"memory"`
	Kernel   string `json:"kernel"`
	Files    int    `json:"files"` // limit of open files
	Exporter string `json:"exporter"`
	Peer     string `json:"peer"`
	Redis    string `json:"redis"`
}

func describeMachine(ctx context.Context, s settings, files int) machine {
	return machine{
		CPU: valueIn("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(),
		Memory: memorySize(), Kernel: kernel(), Files: files,
		Exporter: versionOf(ctx, s.exporter, "--version"),
		Peer:     versionOf(ctx, s.peer, "--version"),
		Redis:    versionOf(ctx, "redis-server", "--version"),
	}
}

// valueIn returns what follows the first line's key in a file of /proc.
func valueIn(file, key string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memorySize() string {
	text := valueIn("/proc/meminfo", "MemTotal")
	kib, err := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(kib*1024/1e9, 'f', 1, 64) + " GB"
}

// versionOf returns the program's name, version and Go version out of what it
// says of itself.
func versionOf(ctx context.Context, program string, args ...string) string {
	text, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s (%v)", program, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if _, after, ok := strings.Cut(line, `msg="`); ok { // the peer logs it
		line = strings.TrimSuffix(after, `"`)
	}
	line, _, _ = strings.Cut(line, " build date")
	words := strings.Fields(line)
	line = strings.Join(words[:min(len(words), 12)], " ")
	if _, after, ok := strings.Cut(string(text), "go version:"); ok {
		line += ", " + strings.Fields(after)[0]
	}
	return line
}

func loadAverages() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	words := strings.Fields(string(text))
	return strings.Join(words[:min(len(words), 3)], " ")
}
