package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// shortcut is a flag for a key that is set often.
type shortcut struct {
	flag, key, help string
	list            bool
}

// entryCommand is `connections|applications|queues add|set|remove|…`.
type entryCommand struct {
	*editing

	kind      configs.EntryKind
	action    string
	shortcuts []shortcut
	name      string
	words     []string // key=value
	unset     []string
	file      string
	cascade   bool
	tls       bool
	password  passwordFlags
	values    map[string]*[]string
}

// entryHelp is what the commands of a kind have to say for themselves.
var entryHelp = map[string]string{
	"add":     "Add %s to the configuration.",
	"set":     "Change keys of %s.",
	"remove":  "Mark %s as deleted. It stays in the file and can be restored.",
	"restore": "Take back that %s is deleted.",
	"purge":   "Take %s that is deleted out of the file.",
	"enable":  "Make %s active.",
	"disable": "Make %s inactive: it stays in the file and is not used.",
}

var entryActions = []string{"add", "set", "remove", "restore", "purge", "enable", "disable"}

var articles = map[configs.EntryKind]string{
	configs.ConnectionEntry: "a connection", configs.ApplicationEntry: "an application", configs.QueueEntry: "a queue configuration",
}

// configureEntries declares the commands that edit one kind of entries.
func configureEntries(app *kingpin.Application, e *env, kind configs.EntryKind, groupHelp string, shortcuts []shortcut) {
	plural := string(kind) + "s"
	for _, action := range entryActions {
		c := &entryCommand{editing: newEditing(e, plural+" "+action), kind: kind, action: action, shortcuts: shortcuts, values: map[string]*[]string{}}
		cmd := group(app, plural, groupHelp).Command(action, fmt.Sprintf(entryHelp[action], articles[kind]))
		c.declare(cmd)
		e.commands[cmd.FullCommand()] = c.run
	}
}

func (c *entryCommand) declare(cmd *kingpin.CmdClause) {
	c.editing.declare(cmd)
	if c.action == "add" {
		cmd.Flag("file", "The file that it goes to: the main file or a fragment. Default: the main file.").PlaceHolder("FILE").StringVar(&c.file)
		cmd.Arg("name", "Its name. Without one, everything is asked for on a terminal.").StringVar(&c.name)
	} else {
		cmd.Arg("name", "Its name.").Required().StringVar(&c.name)
	}
	switch c.action {
	case "add", "set":
		c.declareKeys(cmd)
	case "remove", "purge":
		cmd.Flag("cascade", "Do the same with the queue configurations that refer to it.").BoolVar(&c.cascade)
	case "restore":
		cmd.Flag("cascade", "Restore also what was removed together with it.").BoolVar(&c.cascade)
	}
	if c.kind == configs.ConnectionEntry && slices.Contains([]string{"add", "set", "restore", "enable"}, c.action) {
		c.declareTest(cmd)
	}
}

func (c *entryCommand) declareKeys(cmd *kingpin.CmdClause) {
	for _, s := range c.shortcuts {
		values := &[]string{}
		c.values[s.key] = values
		cmd.Flag(s.flag, s.help).StringsVar(values)
	}
	if c.kind == configs.ConnectionEntry {
		cmd.Flag("tls", "Connect with TLS.").BoolVar(&c.tls)
		c.password.declare(cmd)
	}
	if c.action == "set" {
		cmd.Flag("unset", "Take a key out, so that it has its default again. Repeatable.").PlaceHolder("KEY").StringsVar(&c.unset)
	}
	cmd.Arg("key=value", "Keys of the configuration with dots: tls.ca_file=ca.pem, labels.rack=r1. Lists take commas or JSON.").StringsVar(&c.words)
}

func (c *entryCommand) run(ctx context.Context) error {
	if err := c.readSettings(); err != nil {
		return err
	}
	if c.action == "add" && (c.name == "" || c.interactive() && len(c.settings) == 0 && !c.password.given()) {
		if err := c.ask(ctx); err != nil {
			return err
		}
	}
	if c.action == "set" && len(c.settings) == 0 && !c.password.given() {
		return usageError("nothing to set: give key=value, for example " + exampleKey[c.kind])
	}
	if c.kind == configs.ConnectionEntry && (c.action == "add" || c.action == "set") {
		d, err := configs.OpenDocument(c.env.configFile)
		if err != nil {
			return c.refuse(err)
		}
		password, err := c.password.settings(ctx, c.editing, d.Global())
		if err != nil {
			return err
		}
		c.settings = append(c.settings, password...)
	}
	removed := now()
	return c.editing.run(ctx, func(d *configs.Editor) ([]change, error) {
		switch c.action {
		case "add":
			return c.add(d)
		case "set":
			return c.set(d, c.settings)
		case "enable":
			return c.activate(d, true)
		case "disable":
			return c.activate(d, false)
		case "remove":
			return c.remove(d, removed)
		case "restore":
			return c.restore(d)
		default:
			return c.purge(d)
		}
	})
}

// now is when something is removed, as the configuration writes it.
func now() string { return time.Now().UTC().Format(time.RFC3339) }

var exampleKey = map[configs.EntryKind]string{
	configs.ConnectionEntry: "address=redis-1.eu:6379", configs.ApplicationEntry: "team=payments", configs.QueueEntry: "max_wait=30s",
}

// readSettings turns flags and key=value words into settings.
func (c *entryCommand) readSettings() error {
	for _, s := range c.shortcuts {
		values := c.values[s.key]
		if values == nil || len(*values) == 0 {
			continue
		}
		if len(*values) > 1 && !s.list {
			return usageError("--" + s.flag + " is given twice")
		}
		c.settings = append(c.settings, configs.Setting{Key: s.key, Value: strings.Join(*values, ",")})
	}
	for i, word := range c.words {
		key, value, ok := strings.Cut(word, "=")
		if !ok { // not repeated: it may be a password
			return usageError(fmt.Sprintf("argument %d after the name is no key=value; keys are those of the configuration, for example %s", i+1, exampleKey[c.kind]))
		}
		setting := configs.Setting{Key: key, Value: value}
		if secret := configs.SecretIn(c.kind, setting); secret != "" {
			return usageError(secret + ": a secret is not given on the command line, where others can see it: use --password-stdin, --password-file or --password-env, or for workers environment_file")
		}
		c.settings = append(c.settings, setting)
	}
	if c.tls && !slices.ContainsFunc(c.settings, func(s configs.Setting) bool { return strings.HasPrefix(s.Key, "tls.") }) {
		c.settings = append(c.settings, configs.Setting{Key: "tls", Value: "{}"})
	}
	for _, key := range c.unset {
		c.settings = append(c.settings, configs.Setting{Key: key, Unset: true})
	}
	return c.checkSettings()
}

func (c *entryCommand) checkSettings() error {
	given := map[string]bool{}
	for _, s := range c.settings {
		if s.Key == nameKey(c.kind) {
			return usageError(s.Key + ": a name cannot be changed, others refer to it; add a new entry and remove this one")
		}
		if s.Key == "deleted_at" {
			return usageError("deleted_at: use remove and restore")
		}
		if given[s.Key] {
			return usageError(s.Key + " is given twice")
		}
		given[s.Key] = true
		if err := configs.CheckSetting(c.kind, s); err != nil {
			return usageError(err.Error())
		}
	}
	return nil
}

func nameKey(kind configs.EntryKind) string {
	if kind == configs.ApplicationEntry {
		return "slug"
	}
	return "name"
}

func (c *entryCommand) add(d *configs.Editor) ([]change, error) {
	if err := d.Add(c.kind, c.name, c.file, c.settings); err != nil {
		return nil, err
	}
	return []change{{Action: "add", Kind: c.kind, Name: c.name, Keys: keysOf(c.settings)}}, nil
}

func keysOf(settings []configs.Setting) []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.Key
	}
	slices.Sort(keys)
	return keys
}

func (c *entryCommand) set(d *configs.Editor, settings []configs.Setting) ([]change, error) {
	if err := d.Set(c.kind, c.name, settings); err != nil {
		return nil, err
	}
	return []change{{Action: c.action, Kind: c.kind, Name: c.name, Keys: keysOf(settings)}}, nil
}

// state is what the commands that turn entries on and off look at.
func state(e configs.Entry) (active bool, deleted configs.Time) {
	switch {
	case e.Connection() != nil:
		return e.Connection().Active, e.Connection().DeletedAt
	case e.Application() != nil:
		return e.Application().Active, e.Application().DeletedAt
	default:
		return e.Queue().Active, e.Queue().DeletedAt
	}
}

func (c *entryCommand) activate(d *configs.Editor, active bool) ([]change, error) {
	if e, ok := d.Find(c.kind, c.name); ok {
		is, deleted := state(e)
		if !deleted.IsZero() && active {
			return nil, fmt.Errorf("the %s %q was removed on %s: restore it first", c.kind, c.name, deleted)
		}
		if is == active {
			return nil, nil
		}
	}
	return c.set(d, []configs.Setting{{Key: "active", Value: fmt.Sprint(active)}})
}
