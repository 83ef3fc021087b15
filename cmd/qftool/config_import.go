package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// configImport is `qftool config import`.
type configImport struct {
	*editing

	from       string
	into       string
	onConflict string
	identity   string
	recipients passwordFlags
}

func configureConfigImport(app *kingpin.Application, e *env) {
	c := &configImport{editing: newEditing(e, "config import")}
	cmd := group(app, "config", configHelp).Command("import", "Bring the entries of a file into the configuration, by their names: add, change, and tell where both differ.")
	c.declare(cmd)
	cmd.Flag("file", "The file that new entries go to: the main file or a fragment. Default: the main file.").PlaceHolder("FILE").StringVar(&c.into)
	cmd.Flag("on-conflict", "What becomes of values that both give and that differ: fail, keep or replace. Default: ask on a terminal, else fail.").
		Default(string(configs.ConflictFail)).EnumVar(&c.onConflict, string(configs.ConflictFail), string(configs.ConflictKeep), string(configs.ConflictReplace))
	cmd.Flag("identity", "Decrypt the passwords of the file by this identity and encrypt them anew to --recipient.").PlaceHolder("FILE").StringVar(&c.identity)
	cmd.Flag("recipient", "Who can decrypt the passwords. Repeatable. Default: as for connections add.").Short('r').StringsVar(&c.recipients.recipients)
	cmd.Arg("file", "What config export has written; - for standard input.").Required().StringVar(&c.from)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *configImport) run(ctx context.Context) error {
	if isStdin(c.from) && isTerminal(c.env.stdin) {
		return usageError("give a file, or a pipe to read it from")
	}
	text, o, err := c.read()
	if err != nil {
		return err
	}
	if c.identity != "" {
		if o.Reseal, err = c.reseal(); err != nil {
			return err
		}
	}
	return c.editing.run(ctx, func(d *configs.Editor) ([]change, error) {
		made, err := d.Merge(text, o)
		if errors.Is(err, configs.ErrConflict) {
			if o.OnConflict, err = c.decide(ctx, made); err != nil {
				return nil, err
			}
			made, err = d.Merge(text, o)
		}
		if err != nil {
			return nil, err
		}
		return grouped(made, o.OnConflict), nil
	})
}

func (c *configImport) read() ([]byte, configs.MergeOptions, error) {
	o := configs.MergeOptions{OnConflict: configs.OnConflict(c.onConflict), File: c.into}
	const most = 32 << 20
	in := c.env.stdin
	if o.Source = "standard input"; !isStdin(c.from) {
		o.Source, o.Directory = c.from, filepath.Dir(c.from)
		f, err := os.Open(c.from)
		if err != nil {
			return nil, o, err
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s is larger than %d MiB", o.Source, most>>20)
	}
	return text, o, err
}

func (c *configImport) reseal() (func(string) (string, error), error) {
	d, err := configs.OpenDocument(c.env.configFile)
	if err != nil {
		return nil, c.refuse(err)
	}
	recipients, err := c.recipients.who(d.Global())
	if err != nil {
		return nil, err
	}
	return resealer(c.identity, recipients)
}

// decide shows where both sides differ, and asks where somebody is there.
func (c *configImport) decide(ctx context.Context, made []configs.Change) (configs.OnConflict, error) {
	conflicts := slices.DeleteFunc(slices.Clone(made), func(m configs.Change) bool { return m.Action != configs.ActionConflict })
	for _, m := range conflicts {
		fmt.Fprintln(c.env.stderr, printable(m.String()))
	}
	if c.env.output == outputJSON {
		if err := c.env.printJSON(map[string]any{"conflicts": conflicts, "written": false}); err != nil {
			return "", err
		}
	}
	if !c.interactive() {
		fmt.Fprintf(c.env.stderr, "qftool: %s; nothing was written: give --on-conflict=keep or --on-conflict=replace\n", count(len(conflicts), "conflict"))
		return "", errFound
	}
	answer, err := c.prompt.line(ctx, "Keep what is there, or replace it by what is imported? (keep/replace)", "cancel")
	switch {
	case err != nil:
		return "", err
	case answer == string(configs.ConflictKeep) || answer == string(configs.ConflictReplace):
		return configs.OnConflict(answer), nil
	default:
		return "", errors.New("nothing was changed")
	}
}

// grouped puts the changes of one entry together.
func grouped(made []configs.Change, policy configs.OnConflict) []change {
	var list []change
	index := map[string]int{}
	for _, m := range made {
		if m.Action == configs.ActionConflict && policy != configs.ConflictReplace {
			continue
		}
		action := "set"
		if m.Action == configs.ActionAdd {
			action = "add"
		}
		key := string(m.Kind) + "\x00" + m.Name
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, change{Action: action, Kind: m.Kind, Name: m.Name, File: m.File})
		}
		if m.Key != "" {
			list[i].Keys = append(list[i].Keys, m.Key)
		}
	}
	return list
}

// unseal decrypts an armored age text.
func unseal(armored string, identities []age.Identity) (string, error) {
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(strings.TrimSpace(armored)+"\n")), identities...)
	if err != nil {
		return "", err
	}
	clear, err := io.ReadAll(io.LimitReader(r, maxPassword+1))
	return string(clear), err
}
