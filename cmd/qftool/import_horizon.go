package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/convert/horizon"
	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// importHorizon is `qftool import horizon`.
type importHorizon struct {
	env     *env
	flags   importFlags
	source  horizon.Source
	options horizon.Options
	worker  string
	php     string
}

// configureImportHorizon declares `import horizon`.
func configureImportHorizon(app *kingpin.Application, e *env) {
	c := &importHorizon{env: e, flags: importFlags{env: e}}
	cmd := group(app, "import", importHelp).Command("horizon", "Import the connections and supervisors of a Laravel application that runs Horizon.")
	cmd.HelpLong("PHP evaluates the application's configuration files: its own code is run. Example:\n\n" +
		"  qftool import horizon /srv/shop/config --dry-run\n")
	cmd.Arg("config", "The application's config directory.").Required().StringVar(&c.source.ConfigDir)
	cmd.Flag("env", "File of the application's variables. Default: .env of the application.").PlaceHolder("FILE").StringVar(&c.source.EnvFile)
	cmd.Flag("app-dir", "Directory of the application. Default: the one above its config.").PlaceHolder("DIR").StringVar(&c.source.AppDir)
	cmd.Flag("environment", "Environment of Horizon. Default: what the application says of itself.").StringVar(&c.source.Environment)
	cmd.Flag("application", "Slug of the application. Default: made of its name.").StringVar(&c.options.Application)
	cmd.Flag("worker", "horizon: name Horizon as what works the queues; none: only watch them.").Default("horizon").EnumVar(&c.worker, "horizon", "none")
	cmd.Flag("no-boot", "Evaluate the files by themselves also where the application has its own Laravel.").BoolVar(&c.source.NoBoot)
	cmd.Flag("php", "PHP that evaluates the files.").Default("php").PlaceHolder("PATH").StringVar(&c.php)
	c.flags.declare(cmd)
	e.commands[cmd.FullCommand()] = c.run
}

func (c *importHorizon) run(ctx context.Context) error {
	if err := c.flags.check(); err != nil {
		return err
	}
	e, err := c.evaluate(ctx)
	if err != nil {
		return err
	}
	c.options.NoWorkers = c.worker == "none"
	c.options.Directory, err = filepath.Abs(c.appDir())
	if err != nil {
		return err
	}
	c.options.User = c.user()
	found, err := horizon.Convert(e, c.options)
	if err != nil {
		return errors.New(c.env.redactor.Mask(err.Error()))
	}
	c.flags.source, c.flags.warnings = c.source.ConfigDir, found.Warnings
	c.gone(found)
	entries := &configs.Entries{Connections: found.Connections, Applications: found.Applications, Queues: found.Queues}
	var passwords []importedPassword
	for _, p := range found.Passwords {
		passwords = append(passwords, importedPassword(p))
	}
	return c.flags.merge(ctx, entries, passwords)
}

func (c *importHorizon) appDir() string {
	if c.source.AppDir != "" {
		return c.source.AppDir
	}
	return filepath.Dir(filepath.Clean(c.source.ConfigDir))
}

// evaluate has PHP read the application's files, as the user whose they are.
func (c *importHorizon) evaluate(ctx context.Context) (e *horizon.Evaluated, err error) {
	path, err := php.Find(c.php)
	if err != nil {
		return nil, fmt.Errorf("--php: %w", err)
	}
	processes, err := php.NewProcesses()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	p := &php.Interpreter{Path: path, Run: processes.Run}
	c.env.redactor.Set(c.variablesInFile()) // PHP may quote them where it fails
	owner, err := c.whose()
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 && owner != "" {
		if p.User, err = proc.LookupIdentity(owner, ""); err != nil {
			return nil, err
		}
	}
	list, err := horizon.Evaluate(ctx, p, c.source)
	if err != nil {
		return nil, errors.New(c.env.redactor.Mask(err.Error()))
	}
	c.env.redactor.Set(secretVariables(list[0].Variables))
	return list[0], nil
}

// whose finds who can have a say in what the application does when it boots, ""
// where that is this program's own user or the superuser alone: where all else is
// root's, the directories that Laravel writes its caches to commonly are not, and
// what lies there is run.
func (c *importHorizon) whose() (string, error) {
	owner, err := ownerOf(c.source.ConfigDir)
	for _, name := range []string{".", "bootstrap", "bootstrap/cache", "vendor", "storage"} {
		if err != nil || owner != "" {
			break
		}
		if owner, err = ownerOf(filepath.Join(c.appDir(), name)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	return owner, err
}

// variablesInFile are the values in the application's file of variables that
// nobody is to see, read roughly: this is for masking only.
func (c *importHorizon) variablesInFile() []string {
	path := c.source.EnvFile
	if path == "" {
		path = filepath.Join(c.appDir(), ".env")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // PHP tells, if it matters
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, "="); ok {
			all[name] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return secretVariables(all)
}

// shortestSecret is the length from which a variable's value is masked: a
// shorter one would mask too much of what is printed.
const shortestSecret = 5

// secretVariables are the values that nobody is to see, by what their names say.
func secretVariables(all map[string]string) []string {
	var secret []string
	for name, value := range all {
		upper := strings.ToUpper(name)
		if len(value) >= shortestSecret && slices.ContainsFunc([]string{"PASS", "SECRET", "TOKEN", "KEY", "DSN", "URL", "CREDENTIAL"}, func(part string) bool {
			return strings.Contains(upper, part)
		}) {
			secret = append(secret, value)
		}
	}
	return secret
}

// user is whom the application's workers are to run as, where the owner of its
// files says that.
func (c *importHorizon) user() string {
	owner, err := ownerOf(c.source.ConfigDir)
	if err != nil || owner == "" {
		return ""
	}
	if u, err := user.LookupId(owner); err == nil {
		return u.Username
	}
	return owner
}

// gone tells of queue configurations that an earlier import has made and that
// have no supervisor any more.
func (c *importHorizon) gone(found *horizon.Found) {
	old, err := configs.Load(c.flags.out)
	if err != nil {
		return
	}
	for i := range old.Queues {
		q := &old.Queues[i]
		known := slices.ContainsFunc(found.Queues, func(f configs.Queue) bool { return f.Name == q.Name })
		if q.Application == found.Slug && !known && q.Active && q.DeletedAt.IsZero() && (q.Worker == nil || q.Worker.Preset == "horizon") {
			c.flags.warnings = append(c.flags.warnings, fmt.Sprintf("queue configuration %s has no supervisor in Horizon (any more); it stays as it is", q.Name))
		}
	}
}

// ownerID returns the number of a file's owner.
func ownerID(info fs.FileInfo) (uint32, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}
