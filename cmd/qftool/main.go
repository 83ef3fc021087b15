// Command qftool is the operator's command line of Queuefleet: it checks
// configurations, tests connections, lists queues, encrypts passwords and runs
// a demonstration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/logging"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// Exit codes. They are documented and do not change.
const (
	exitOK     = 0
	exitFailed = 1 // a mistake was found, a test failed, something went wrong
	exitUsage  = 2 // the command line itself is wrong
)

// errFound ends a command whose output has already told what is wrong.
var errFound = errors.New("something was found")

var errNoCommand = errors.New("command not specified")

func main() {
	proc.RunStub() // does not return where this process is to become a worker of the demo
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line, whose first word is the program's name, and
// returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, but not the same signal sent to
	// the process and to its group, as timeout(1) does.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	redis.SetLogger(silent{}) // what its client has to say is in the errors

	e := &env{program: args[0], stdin: stdin, stdout: stdout, stderr: stderr, commands: map[string]command{}, redactor: &logging.Redactor{}}
	app := newApp(e)
	name, code, done := parse(app, args[1:], stderr)
	if done {
		return code
	}
	e.color = e.wantColor()
	return e.exitCode(e.commands[name](ctx))
}

// silent is a logger of the Redis client that writes nothing.
type silent struct{}

// Printf drops the line.
func (silent) Printf(context.Context, string, ...any) {}

// newApp declares the global flags and every command, one line each.
func newApp(e *env) *kingpin.Application {
	app := kingpin.New("qftool", "The operator's tool for a Queuefleet configuration.")
	app.UsageWriter(e.stdout).ErrorWriter(e.stderr)
	app.HelpFlag.Short('h')
	app.Version(version.Print("qftool"))
	app.Flag("config.file", "The fleet's configuration file.").Default("queuefleet.yml").StringVar(&e.configFile)
	app.Flag("output", "How results are written: table or json.").Short('o').Default(outputTable).EnumVar(&e.output, outputTable, outputJSON)
	app.Flag("color", "Colour the output. Default: on a terminal, unless NO_COLOR is set.").IsSetByUser(&e.colorSet).BoolVar(&e.colorFlag)

	configureCheckConfig(app, e)
	configureCheckWebConfig(app, e)
	configureConnectionsList(app, e)
	configureConnectionsTest(app, e)
	configureConnectionsEdit(app, e)
	configureApplications(app, e)
	configureQueuesList(app, e)
	configureQueuesEdit(app, e)
	configureConfig(app, e)
	configurePools(app, e)
	configureWorkersList(app, e)
	configureFailed(app, e)
	configureHorizon(app, e)
	configureEncrypt(app, e)
	configureGenerateLaravel(app, e)
	configureGenerateSystemd(app, e)
	configureGeneratePrometheus(app, e)
	configureMixin(app, e)
	configureImportHorizon(app, e)
	configureImportRedisExporter(app, e)
	configureImportSupervisord(app, e)
	configureCompletion(app, e)
	configureMan(app, e)
	configureGenerateAlertmanager(app, e)
	configureDemo(app, e)
	configureDemoWorker(app, e)
	return app
}

// group returns the parent command of the given name, made on first use, so
// that each command's file stands for itself.
func group(app *kingpin.Application, name, help string) *kingpin.CmdClause {
	if cmd := app.GetCommand(name); cmd != nil {
		return cmd
	}
	return app.Command(name, help)
}

// terminated carries kingpin's wish to exit (after --help, --version and the
// completion scripts) out of its parser, which does not expect to go on.
type terminated int

// parse reads the command line. done means there is nothing left to do but to
// exit with code.
func parse(app *kingpin.Application, args []string, stderr io.Writer) (name string, code int, done bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case terminated:
			name, code, done = "", int(r), true
		default:
			panic(r)
		}
	}()
	app.Terminate(func(status int) { panic(terminated(status)) })
	app.Action(func(c *kingpin.ParseContext) error {
		if c.SelectedCommand == nil {
			return errNoCommand // kingpin's own answer would be the usage and exit code 0
		}
		return nil
	})
	name, err := app.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "qftool: %v\nTry: qftool --help\n", err)
		return "", exitUsage, true
	}
	return name, exitOK, false
}
