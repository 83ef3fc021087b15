package redisexporter

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/shlex"

	"github.com/queuefleet/queuefleet/configs"
)

// readUnit takes the command line and the environment out of a systemd unit.
func readUnit(file string) (words []string, at configs.Position, environment map[string]setting, err error) {
	raw, err := readFile(file)
	if err != nil {
		return nil, at, nil, err
	}
	environment = map[string]setting{}
	lines := strings.Split(string(raw), "\n")
	for i := 0; i < len(lines); i++ {
		here := configs.Position{File: file, Line: i + 1}
		line := strings.TrimSpace(lines[i])
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + " " + strings.TrimSpace(lines[i])
		}
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "ExecStart":
			if words, err = splitWords(here, value); err != nil {
				return nil, at, nil, err
			}
			at = here
		case "Environment":
			assignments, err := splitWords(here, value)
			if err != nil {
				return nil, at, nil, err
			}
			for _, a := range assignments {
				name, v, _ := strings.Cut(a, "=")
				environment[name] = setting{v, here}
			}
		case "EnvironmentFile":
			optional := strings.HasPrefix(value, "-")
			if err := readEnvironment(strings.TrimPrefix(value, "-"), environment); err != nil && !(optional && os.IsNotExist(err)) {
				return nil, at, nil, fmt.Errorf("%s:%d: EnvironmentFile: %w", here.File, here.Line, err)
			}
		}
	}
	if len(words) == 0 {
		return nil, at, nil, &configs.Error{Position: configs.Position{File: file}, Text: "has no ExecStart"}
	}
	return words[1:], at, environment, nil
}

// splitWords splits a command line. It does not repeat it: there may be a
// password in it.
func splitWords(at configs.Position, line string) ([]string, error) {
	words, err := shlex.Split(line)
	if err != nil {
		return nil, &configs.Error{Position: at, Text: "a quote is not closed"}
	}
	return words, nil
}

// readEnvironment reads a file of NAME=value lines.
func readEnvironment(file string, environment map[string]setting) error {
	raw, err := readFile(file)
	if err != nil {
		return err
	}
	for i, line := range strings.Split(string(raw), "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		at := configs.Position{File: file, Line: i + 1}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return &configs.Error{Position: at, Text: "is not NAME=value"}
		}
		if quoted, err := shlex.Split(value); err == nil && len(quoted) == 1 {
			value = quoted[0]
		}
		environment[name] = setting{value, at}
	}
	return nil
}
