package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/queuefleet/queuefleet/internal/app"
)

const defaultAddress = ":10380"

// flags is what the command line says.
type flags struct {
	app.Flags
	options app.SupervisorOptions
}

// parseFlags reads the command line. Help and version go to stdout.
func parseFlags(args []string, stdout io.Writer) (*flags, error) {
	f := &flags{options: app.SupervisorDefaults()}
	o := &f.options
	k := f.Command(app.SupervisorProgram, "Runs and scales the workers of queues.", stdout)
	f.Config(k, &o.ConfigFile, &o.AutoReload)
	k.Flag("supervisor.name", "Name that hosts in the configuration are matched with. Default: the machine's host name.").StringVar(&o.Name)
	k.Flag("observe", "Decide how many workers there should be and export it, but start nothing.").BoolVar(&o.Observe)
	k.Flag("supervisor.start-rate", "How many workers are started a second over all pools, after a burst of 50. 0 = unlimited.").
		Default(strconv.FormatFloat(o.StartRate, 'g', -1, 64)).Float64Var(&o.StartRate)
	k.Flag("state.dir", "Existing directory in which paused pools are remembered over a restart. Empty = they are not.").
		PlaceHolder("DIR").StringVar(&o.StateDir)
	k.Flag("shutdown.mode", "What SIGTERM does: drain = workers finish their jobs, then the supervisor ends.").Default("drain").Enum("drain")
	f.Web(k, &o.Web, defaultAddress, "browsers reach this supervisor")

	if _, err := k.Parse(args); err != nil && !f.Done {
		return nil, err
	}
	if f.Done {
		return f, nil
	}
	return f, errors.Join(f.Finish(), f.finish())
}

// finish fills in what does not come from a flag alone, and refuses what would
// silently mean something else.
func (f *flags) finish() error {
	o := &f.options
	var errs []error
	if !(o.StartRate >= 0) || math.IsInf(o.StartRate, 0) { // not a number is neither
		errs = append(errs, errors.New("--supervisor.start-rate is not a number of workers a second"))
	}
	if o.StateDir != "" {
		if info, err := os.Stat(o.StateDir); err != nil {
			errs = append(errs, fmt.Errorf("--state.dir: %w", err))
		} else if !info.IsDir() {
			errs = append(errs, errors.New("--state.dir is not a directory"))
		}
	}
	host, err := os.Hostname()
	if err != nil && o.Name == "" {
		errs = append(errs, fmt.Errorf("give --supervisor.name: %w", err))
	}
	o.Name = cmp.Or(o.Name, host)
	return errors.Join(errs...)
}
