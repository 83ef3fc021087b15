package app

import (
	"log/slog"
	"os"
	"time"

	"github.com/queuefleet/queuefleet/internal/logging"
)

// SupervisorDefaults returns what the supervisor's flags say when nobody sets
// them, with the fields left open that have no default.
func SupervisorDefaults() SupervisorOptions {
	return SupervisorOptions{ConfigFile: "queuefleet.yml", StartRate: 50}
}

// SupervisorOptions are all that may differ between two runs of the supervisor.
// ConfigFile, Name, Logger, Redactor and one of Web.Toolkit and Web.Listeners
// are needed.
type SupervisorOptions struct {
	ConfigFile string
	AutoReload time.Duration // how often the files are looked at for changes; 0: never
	Name       string        // what hosts in the configuration are matched with
	Observe    bool          // decide and export, start nothing
	StartRate  float64       // workers started a second over all pools; 0: unlimited
	StateDir   string        // where pauses outlive a restart; empty: they do not

	// Signals are wishes: SIGHUP to reload, SIGUSR2 and SIGCONT to pause all pools
	// and to go on; SIGTERM or SIGINT to drain as the end of the context does, once
	// more to hasten, and once more to kill. nil: none.
	Signals <-chan os.Signal
	Started func() // called once everything listens; nil: nobody wants to know

	// Adopt makes the process the parent of what its workers leave behind. It must
	// not start processes by other means then.
	Adopt bool

	Logger   *slog.Logger
	Redactor *logging.Redactor // the one that Logger masks with

	Web Web
}
