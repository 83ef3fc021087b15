package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/atomicfile"
)

const configHelp = "Export, import, compare and show configurations."

// configureConfig declares `config export`, `import`, `diff` and `show`.
func configureConfig(app *kingpin.Application, e *env) {
	configureConfigExport(app, e)
	configureConfigImport(app, e)
	configureConfigDiff(app, e)
	configureConfigShow(app, e)
}

// configExport is `qftool config export`.
type configExport struct {
	env          *env
	applications []string
	environments []string
	secrets      string
	recipients   passwordFlags
	out          string
}

func configureConfigExport(app *kingpin.Application, e *env) {
	c := &configExport{env: e}
	cmd := group(app, "config", configHelp).Command("export", "Write the configuration, or a part of it, as one file that means the same by itself.")
	cmd.Flag("application", "Only this application with its connections and queues; a name or a glob. Repeatable.").StringsVar(&c.applications)
	cmd.Flag("environment", "Only connections of this environment and what is on them; a name or a glob. Repeatable.").StringsVar(&c.environments)
	cmd.Flag("secrets", "What becomes of secrets: omit leaves out those in clear, mask shows <secret> in their place, age encrypts every password to --recipient.").
		Default(string(configs.SecretsOmit)).EnumVar(&c.secrets, string(configs.SecretsOmit), string(configs.SecretsMask), string(configs.SecretsAge))
	cmd.Flag("recipient", "Who can decrypt the passwords. Repeatable. Default: as for connections add.").Short('r').StringsVar(&c.recipients.recipients)
	cmd.Flag("out", "Write to this file instead of standard output.").PlaceHolder("FILE").StringVar(&c.out)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *configExport) run(context.Context) error {
	if err := c.checkOut(); err != nil {
		return err
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	o := configs.ExportOptions{Applications: c.applications, Environments: c.environments, Secrets: configs.SecretsMode(c.secrets), Directory: "/"}
	if c.out != "" {
		o.Directory = filepath.Dir(c.out)
	}
	if o.Secrets == configs.SecretsAge {
		recipients, err := c.recipients.who(cfg.Global)
		if err != nil {
			return err
		}
		o.Seal = func(password string) (string, error) { return seal(password, recipients) }
	}
	entries, left, err := cfg.Export(o)
	if err != nil {
		return err
	}
	if len(entries.Connections)+len(entries.Applications)+len(entries.Queues) == 0 {
		return errors.New("nothing matches --application and --environment")
	}
	entries.Header = configs.LeftOutComment(left)
	text, err := entries.YAML()
	if err != nil {
		return err
	}
	for _, what := range left {
		fmt.Fprintf(c.env.stderr, "left out: %s\n", printable(what))
	}
	return c.write(entries, text, left)
}

// checkOut refuses to put what is exported in the place of its source, which
// has comments, and perhaps secrets, that an export has not.
func (c *configExport) checkOut() error {
	out, err := os.Stat(c.out)
	if err != nil {
		return nil //nolint:nilerr // nothing is there, or it is told when it is written
	}
	d, err := configs.OpenDocument(c.env.configFile)
	if err != nil {
		return nil //nolint:nilerr // told when it is loaded
	}
	for _, file := range d.Files() {
		if source, err := os.Stat(file); err == nil && os.SameFile(source, out) {
			return usageError("--out: " + c.out + " is the configuration that is exported")
		}
	}
	return nil
}

// load reads the secrets only where they are exported.
func (c *configExport) load() (*configs.Config, error) {
	if c.secrets == string(configs.SecretsAge) {
		return c.env.loadConfig()
	}
	return c.env.loadOffline(c.env.configFile)
}

// exportReport is what -o json prints.
type exportReport struct {
	File         string   `json:"file,omitempty"`
	YAML         string   `json:"yaml,omitempty"`
	Connections  int      `json:"connections"`
	Applications int      `json:"applications"`
	Queues       int      `json:"queue_configurations"`
	LeftOut      []string `json:"left_out"`
}

func (c *configExport) write(entries *configs.Entries, text []byte, left []string) error {
	report := exportReport{c.out, "", len(entries.Connections), len(entries.Applications), len(entries.Queues), append([]string{}, left...)}
	if c.out == "" {
		if c.env.output == outputJSON {
			report.YAML = string(text)
			return c.env.printJSON(report)
		}
		_, err := c.env.stdout.Write(text)
		return err
	}
	if err := atomicfile.Write(c.out, text, 0o600); err != nil {
		return err
	}
	if c.env.output == outputJSON {
		return c.env.printJSON(report)
	}
	fmt.Fprintf(c.env.stderr, "%s, %s and %s in %s\n", count(report.Connections, "connection"), count(report.Applications, "application"), count(report.Queues, "queue configuration"), c.out)
	return nil
}

// loadOffline loads a configuration without the secrets that it refers to.
// Mistakes are printed to stderr, all of them.
func (e *env) loadOffline(file string) (*configs.Config, error) {
	cfg, err := configs.LoadOffline(file)
	if err != nil {
		p := newPrinter(e, e.stderr)
		list := findings(file, err)
		for _, f := range list {
			p.print(f, "", red)
		}
		fmt.Fprintf(e.stderr, "qftool: %s in %s\n", count(len(list), "mistake"), file)
		return nil, errFound
	}
	e.redactor.Set(cfg.Secrets())
	return cfg, nil
}

// resealer decrypts by the identities of a file and encrypts anew.
func resealer(file string, recipients []age.Recipient) (func(string) (string, error), error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--identity: %w", err)
	}
	identities, err := readIdentities(file, string(text))
	if err != nil {
		return nil, fmt.Errorf("--identity: %w", err)
	}
	return func(armored string) (string, error) {
		password, err := unseal(armored, identities)
		if err != nil {
			return "", fmt.Errorf("cannot be decrypted by %s", file)
		}
		return seal(password, recipients)
	}, nil
}

// isStdin reports whether a file name stands for standard input. The parser
// of the command line turns a lone - into nothing.
func isStdin(file string) bool { return file == "-" || file == "" }
