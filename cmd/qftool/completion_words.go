package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// candidate is a word that can stand where the cursor is.
type candidate struct{ value, help string }

// completer finds candidates by the commands as they are declared.
type completer struct {
	app    *kingpin.Application
	config string // --config.file as far as the line says

	command *kingpin.CmdModel // nil: none yet
	path    []string
	groups  []*kingpin.CmdGroupModel
	flags   []*kingpin.FlagModel
	args    []*kingpin.ArgModel
	nth     int // of the arguments
	awaited *kingpin.FlagModel
	literal bool // after --
}

func newCompleter(app *kingpin.Application) *completer {
	model := app.Model()
	return &completer{app: app, config: "queuefleet.yml", groups: []*kingpin.CmdGroupModel{model.CmdGroupModel}, flags: model.Flags}
}

// complete returns what can be the last of the words.
func (c *completer) complete(words []string) []candidate {
	last := words[len(words)-1]
	for _, w := range words[:len(words)-1] {
		c.take(w)
	}
	var found []candidate
	name, value, joined := strings.Cut(last, "=")
	switch flag := c.flag(name); {
	case c.awaited != nil:
		found = c.values(c.awaited.Name, c.awaited.PlaceHolder, last)
	case !c.literal && joined && flag != nil:
		for _, v := range c.values(flag.Name, flag.PlaceHolder, value) {
			found = append(found, candidate{name + "=" + v.value, v.help})
		}
	case !c.literal && strings.HasPrefix(last, "-"):
		found = c.flagNames()
	default:
		found = append(c.subcommands(), c.argument(last)...)
	}
	return slices.DeleteFunc(found, func(f candidate) bool { return !strings.HasPrefix(f.value, last) })
}

// take follows one word that is complete.
func (c *completer) take(word string) {
	switch {
	case c.awaited != nil:
		if c.awaited.Name == "config.file" {
			c.config = word
		}
		c.awaited = nil
	case c.literal:
		c.nth++
	case word == "--":
		c.literal = true
	case strings.HasPrefix(word, "-"):
		name, value, joined := strings.Cut(word, "=")
		flag := c.flag(name)
		switch {
		case flag == nil || flag.IsBoolFlag():
		case !joined:
			c.awaited = flag
		case flag.Name == "config.file":
			c.config = value
		}
	default:
		if !c.descend(word) {
			c.nth++
		}
	}
}

// flag finds a flag as it is written on a command line.
func (c *completer) flag(written string) *kingpin.FlagModel {
	for _, f := range c.flags {
		if written == "--"+f.Name || f.IsBoolFlag() && written == "--no-"+f.Name || f.Short != 0 && written == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// descend goes into a command.
func (c *completer) descend(word string) bool {
	if len(c.args) > 0 {
		return false
	}
	for _, cmd := range c.groups[len(c.groups)-1].Commands {
		if cmd.Name == word || slices.Contains(cmd.Aliases, word) {
			if cmd.Name == "help" && c.command == nil {
				return true // what follows are commands, from the top
			}
			c.command, c.path = cmd, append(c.path, cmd.Name)
			c.groups = append(c.groups, cmd.CmdGroupModel)
			c.flags = append(c.flags, cmd.Flags...)
			c.args = cmd.Args
			return true
		}
	}
	return false
}

func (c *completer) subcommands() []candidate {
	if len(c.args) > 0 || c.literal {
		return nil
	}
	var list []candidate
	for _, cmd := range c.groups[len(c.groups)-1].Commands {
		if !cmd.Hidden {
			list = append(list, candidate{cmd.Name, firstSentence(cmd.Help)})
		}
	}
	return list
}

func (c *completer) flagNames() []candidate {
	var list []candidate
	for _, f := range c.flags {
		if f.Hidden {
			continue
		}
		list = append(list, candidate{"--" + f.Name, firstSentence(f.Help)})
		if f.IsBoolFlag() && f.Name != "help" && f.Name != "version" {
			list = append(list, candidate{"--no-" + f.Name, ""})
		}
	}
	return list
}

// argument returns what can be the next argument.
func (c *completer) argument(prefix string) []candidate {
	if len(c.args) == 0 {
		return nil
	}
	arg := c.args[min(c.nth, len(c.args)-1)]
	cumulative, _ := arg.Value.(interface{ IsCumulative() bool })
	if c.nth >= len(c.args) && (cumulative == nil || !cumulative.IsCumulative()) {
		return nil
	}
	return c.values(arg.Name, arg.PlaceHolder, prefix)
}

// values returns what a flag or an argument of this name can be.
func (c *completer) values(name, placeholder, prefix string) []candidate {
	if list := c.fixed(name); len(list) > 0 {
		return list
	}
	noun := name
	if len(c.path) > 0 && (name == "name" || name == "slug") {
		noun = strings.TrimSuffix(c.path[0], "s") // connections test NAME
	}
	switch noun {
	case "connection":
		return c.entries(configs.ConnectionEntry)
	case "application", "app":
		return c.entries(configs.ApplicationEntry)
	case "pool", "queue":
		return c.entries(configs.QueueEntry)
	case "key=value":
		return c.keys("=")
	case "unset":
		return c.keys("")
	case "shell":
		return plainCandidates(shells())
	case "a", "b":
		return files(prefix, false) // what is compared
	case "config":
		return files(prefix, true)
	}
	switch {
	case name == "out" || name == "dir" || strings.HasSuffix(name, ".dir") || placeholder == "DIR":
		return files(prefix, true)
	case name == "file" || name == "socket" || strings.HasSuffix(name, "file") || strings.Contains(placeholder, "FILE") || strings.Contains(placeholder, "PATH"),
		name == "path", name == "directory":
		return files(prefix, false)
	default:
		return nil
	}
}

// keys lists the keys of the entries that the command edits.
func (c *completer) keys(behind string) []candidate {
	if len(c.path) == 0 {
		return nil
	}
	var list []candidate
	for _, key := range configs.Keys(configs.EntryKind(strings.TrimSuffix(c.path[0], "s"))) {
		if !configs.SecretKey(key) && key != "deleted_at" {
			word, free := strings.CutSuffix(key, "NAME")
			if !free {
				word += behind
			}
			list = append(list, candidate{value: word})
		}
	}
	return list
}

// fixed returns the values of a flag that takes one of a few.
func (c *completer) fixed(name string) []candidate {
	choices, known, _ := c.app.FlagCompletion(name, "")
	if cmd := c.clause(); !known && cmd != nil {
		choices, known, _ = cmd.FlagCompletion(name, "")
	}
	if !known {
		return nil
	}
	return plainCandidates(choices)
}

// clause is the command that c.path leads to.
func (c *completer) clause() *kingpin.CmdClause {
	if len(c.path) == 0 {
		return nil
	}
	cmd := c.app.GetCommand(c.path[0])
	for _, name := range c.path[1:] {
		if cmd == nil {
			return nil
		}
		cmd = cmd.GetCommand(name)
	}
	return cmd
}

// entries lists the names in the configuration. It reads no password, and a
// configuration with mistakes has names, too.
func (c *completer) entries(kind configs.EntryKind) []candidate {
	d, err := configs.OpenDocument(c.config)
	if err != nil {
		return c.roughEntries(kind)
	}
	var list []candidate
	for _, e := range d.Entries(kind) {
		if e.Name != "" {
			list = append(list, candidate{value: e.Name})
		}
	}
	return list
}

// roughEntries takes the names in a main file whose other keys may be wrong.
func (c *completer) roughEntries(kind configs.EntryKind) []candidate {
	text, err := os.ReadFile(c.config)
	if err != nil {
		return nil
	}
	d, err := configs.ReadDocument(c.config, text)
	if err != nil {
		return nil
	}
	key := "name"
	if kind == configs.ApplicationEntry {
		key = "slug"
	}
	entries, _ := d.Value[string(kind)+"s"].([]any)
	var list []candidate
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		if name, _ := entry[key].(string); name != "" {
			list = append(list, candidate{value: name})
		}
	}
	return list
}

// files lists what is in the directory of prefix.
func files(prefix string, onlyDirectories bool) []candidate {
	dir, base := filepath.Split(prefix)
	where := dir
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		where = filepath.Join(home, rest)
	}
	if where == "" {
		where = "."
	}
	found, err := os.ReadDir(where)
	if err != nil {
		return nil
	}
	var list []candidate
	for _, f := range found {
		name := f.Name()
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(where, name))
		switch {
		case err == nil && info.IsDir():
			list = append(list, candidate{value: dir + name + "/"})
		case !onlyDirectories:
			list = append(list, candidate{value: dir + name})
		}
	}
	return list
}

func plainCandidates(values []string) []candidate {
	list := make([]candidate, len(values))
	for i, v := range values {
		list[i] = candidate{value: v}
	}
	return list
}

// firstSentence is the beginning of a help text, fit for one line.
func firstSentence(help string) string {
	text, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(text, ".")
}
