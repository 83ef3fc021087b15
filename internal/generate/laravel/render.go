package laravel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// Formats of Render.
const (
	FormatPHP  = "php"
	FormatJSON = "json"
)

// JSONFile is the name of the file in FormatJSON.
const JSONFile = "queuefleet.json"

// File is a generated file.
type File struct {
	Name string // within the directory, or a path for the file of variables
	Mode fs.FileMode
	Text string

	body  string   // what follows the header
	kind  kind     // how header and body are told apart
	value value    // what PHP has to read in it; nil = nothing
	names []string // of the variables
}

// Source says what a file was made from.
type Source struct {
	Files []string // configuration files
	Hash  string   // of the configuration
}

// SourceOf returns the source of cfg, whose main file is file.
func SourceOf(cfg *configs.Config, file string) Source {
	s := Source{Files: []string{file}, Hash: cfg.Hash()}
	for _, f := range cfg.Fragments() {
		s.Files = append(s.Files, f.File)
	}
	return s
}

// Render writes the application's files.
func (p *Plan) Render(s Source, format string) ([]File, error) {
	if format == FormatJSON {
		f, err := p.renderJSON(s)
		return []File{f}, err
	}
	var files []File
	for _, one := range []struct {
		name  string
		table table
	}{{"database.php", p.redisTable()}, {"queue.php", p.queueTable()}, {"horizon.php", p.horizonTable()}} {
		var b strings.Builder
		b.WriteString("\nreturn ")
		phpText(&b, one.table, 0)
		b.WriteString(";\n")
		f := File{Name: one.name, Mode: 0o644, kind: phpKind, body: b.String(), value: one.table}
		f.Text = p.header(f, s) + f.body
		files = append(files, f)
	}
	return files, nil
}

func (p *Plan) header(f File, s Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?php\n\n/*\n * Written by qftool generate laravel for the application %s.\n", p.app.Slug)
	b.WriteString(" * Do not edit: change the configuration and generate the file again.\n *\n")
	fmt.Fprintf(&b, " * from:          %s\n * configuration: %s\n%s%s\n */\n", sources(s), s.Hash, phpMark, digest(f.body))
	return b.String()
}

// sources lists files in a comment, which their names must not end.
func sources(s Source) string {
	return strings.NewReplacer("*/", "*_", "?>", "?_", "\n", " ", "\r", " ").Replace(strings.Join(s.Files, ", "))
}

// renderJSON writes all in one file, for the package queuefleet/laravel.
func (p *Plan) renderJSON(s Source) (File, error) {
	body, err := json.Marshal(table{
		{key: "database", value: table{{key: "redis", value: p.redisTable()}}},
		{key: "queue", value: table{{key: "connections", value: p.queueTable()}}},
		{key: "horizon", value: p.horizonTable()},
	})
	if err != nil {
		return File{}, err
	}
	head, err := json.Marshal(map[string]any{
		"version": 1, "application": p.app.Slug, "environment": p.Environment,
		"from": s.Files, "configuration": s.Hash, "content": digest(string(body)),
	})
	if err != nil {
		return File{}, err
	}
	var b bytes.Buffer
	whole := fmt.Sprintf(`{"queuefleet":%s,%s`, head, body[1:])
	if err := json.Indent(&b, []byte(whole), "", "  "); err != nil {
		return File{}, err
	}
	return File{Name: JSONFile, Mode: 0o644, Text: b.String() + "\n", kind: jsonKind, body: string(body)}, nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// kind is how a file says what it held when it was written.
type kind int

const (
	phpKind kind = iota
	jsonKind
	envKind
)

const (
	phpMark = " * content:       "
	envMark = "# content: "
)

// parse takes a file of the disk apart. ours reports whether it was generated,
// intact whether nobody has changed it since.
func (k kind) parse(text string) (body string, ours, intact bool) {
	switch k {
	case jsonKind:
		return parseJSON(text)
	case envKind:
		head, rest, ok := strings.Cut(text, envMark)
		sum, body, _ := strings.Cut(rest, "\n")
		return body, ok && strings.HasPrefix(head, "#"), sum == digest(body)
	default:
		head, body, ok := strings.Cut(text, "\n */\n")
		_, sum, marked := strings.Cut(head, phpMark)
		return body, ok && marked, sum == digest(body)
	}
}

func parseJSON(text string) (body string, ours, intact bool) {
	var whole struct {
		Queuefleet *struct {
			Content string `json:"content"`
		} `json:"queuefleet"`
		Database json.RawMessage `json:"database"`
		Queue    json.RawMessage `json:"queue"`
		Horizon  json.RawMessage `json:"horizon"`
	}
	if json.Unmarshal([]byte(text), &whole) != nil || whole.Queuefleet == nil {
		return "", false, false
	}
	var b bytes.Buffer
	if json.Compact(&b, fmt.Appendf(nil, `{"database":%s,"queue":%s,"horizon":%s}`, whole.Database, whole.Queue, whole.Horizon)) != nil {
		return "", true, false
	}
	return b.String(), true, whole.Queuefleet.Content == digest(b.String())
}

// Content stands for what a file says, whatever it was made from: it changes
// when the application has to be started again, and not with the header.
func (f *File) Content() string { return digest(f.body) }
