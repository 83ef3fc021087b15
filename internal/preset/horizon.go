package preset

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

const horizonName = "horizon"

// horizon is `php artisan horizon`: a master process that runs the workers of
// all of an application's configurations by itself.
func horizon() Preset {
	return Preset{
		Name:              horizonName,
		OnePerApplication: true,
		PauseSignal:       syscall.SIGUSR2,
		ContinueSignal:    syscall.SIGCONT,
		ReadySignal:       syscall.SIGCONT,
		MemoryCode:        12,
		Check:             checkHorizon,
		Lay:               layHorizon,
		Build:             buildHorizon,
		Probe:             probeLaravel,
		Prove:             proveLaravel,
	}
}

// OptionsVariable is the variable in which Horizon's configuration file can
// find the options of all configurations, as JSON. They are part of the
// environment also where the file does not use them: so a change of them
// starts Horizon again.
const OptionsVariable = "QUEUEFLEET_HORIZON"

// maxVariable is what one variable may hold: the kernel takes 128 KiB at most.
const maxVariable = 120 << 10

func checkHorizon(q *configs.Queue, _ *configs.Connection) error {
	if artisan(q.Worker) == nil {
		return misconfigured("worker.command: there is no %s after a program in it; for another command use the preset exec", horizonName)
	}
	return nil
}

func buildHorizon(in Input) (proc.Spec, error) {
	c, err := mainConnection(in)
	if err != nil {
		return proc.Spec{}, err
	}
	if err := checkHorizon(in.Queue, c); err != nil {
		return proc.Spec{}, err
	}
	all := configurations(in)
	if err := sameProcess(all); err != nil {
		return proc.Spec{}, err
	}
	variables := redisVariables(in.Queue.Worker, c)
	switch {
	case in.Files != nil:
		maps.Copy(variables, in.Files.variables)
	case in.Queue.Worker.Generate == "":
		if variables[OptionsVariable], err = horizonOptions(all); err != nil {
			return proc.Spec{}, err
		}
	}
	s, err := process{
		command:   in.Queue.Worker.Command,
		variables: variables,
		explicit:  in.Queue.Worker.Environment,
		queues:    all,
	}.spec()
	// With fast_termination, or when it dies, a master leaves workers behind that
	// still have jobs. Until they are gone there is no second Horizon.
	s.Linger = true
	return s, err
}

// configurations are those that the process serves, the first one first.
func configurations(in Input) []*configs.Queue {
	all := []*configs.Queue{in.Queue}
	for i := range in.Config.Queues {
		if q := &in.Config.Queues[i]; q.Name != in.Queue.Name && q.Worker != nil && slices.Contains(in.Configurations, q.Name) {
			all = append(all, q)
		}
	}
	return all
}

// mainConnection is the connection that the environment tells of: the
// application's primary one, since that is what its configuration files make
// of the environment. The others, and one without a single address, it has to
// know by itself.
func mainConnection(in Input) (*configs.Connection, error) {
	for _, pivot := range in.App.Connections {
		if !pivot.Primary || !pivot.Active {
			continue
		}
		if c, ok := in.Config.Connection(pivot.Connection); ok {
			return c, nil
		}
		return nil, misconfigured("application %s: there is no connection %q", in.App.Slug, pivot.Connection)
	}
	return in.Connection, nil
}

// sameProcess refuses configurations of which one would be run with what
// another one says.
func sameProcess(all []*configs.Queue) error {
	first := all[0].Worker
	for _, q := range all[1:] {
		w := q.Worker
		for key, differs := range map[string]bool{
			"command": !slices.Equal(w.Command, first.Command), "directory": w.Directory != first.Directory,
			"user": w.User != first.User, "group": w.Group != first.Group, "umask": w.Umask != first.Umask,
			"environment": !maps.Equal(w.Environment, first.Environment), "environment_file": w.EnvironmentFile != first.EnvironmentFile,
			"environment_names": w.EnvironmentNames != first.EnvironmentNames, "rlimits": !maps.Equal(w.Rlimits, first.Rlimits),
			"memory_max": w.MemoryMax != first.MemoryMax, "stop_signal": w.StopSignal != first.StopSignal,
			"generate": w.Generate != first.Generate,
		} {
			if differs {
				return misconfigured("one Horizon serves %s and %s, so worker.%s must be the same in both", all[0].Name, q.Name, key)
			}
		}
	}
	return nil
}

// supervisorOptions are the options of one of Horizon's supervisors, by its
// own names. Times are in seconds, memory in MiB.
type supervisorOptions struct {
	Connection          string          `json:"connection"`
	Queue               []string        `json:"queue"`
	Balance             json.RawMessage `json:"balance"` // false, where it is off
	AutoScalingStrategy string          `json:"autoScalingStrategy"`
	MinProcesses        int             `json:"minProcesses"`
	MaxProcesses        int             `json:"maxProcesses"`
	BalanceMaxShift     int             `json:"balanceMaxShift"`
	BalanceCooldown     json.Number     `json:"balanceCooldown"`
	Tries               int             `json:"tries"`
	Timeout             json.Number     `json:"timeout"`
	Memory              int64           `json:"memory"`
	Backoff             json.Number     `json:"backoff"`
	Sleep               json.Number     `json:"sleep"`
	Rest                json.Number     `json:"rest"`
	MaxJobs             int             `json:"maxJobs"`
	MaxTime             json.Number     `json:"maxTime"`
	Nice                int             `json:"nice"`
}

// horizonOptions are the options of all configurations as JSON: an object of
// supervisors by the configurations' names.
func horizonOptions(all []*configs.Queue) (string, error) {
	byName := map[string]supervisorOptions{}
	for _, q := range all {
		balance := `"` + q.Balance + `"`
		if q.Balance == "off" {
			balance = "false"
		}
		seconds := func(d configs.Duration) json.Number { return json.Number(wholeSeconds(d)) }
		byName[q.Name] = supervisorOptions{
			Connection: q.Worker.QueueConnection, Queue: q.QueueNames,
			Balance: json.RawMessage(balance), AutoScalingStrategy: q.AutoScalingStrategy,
			MinProcesses: q.MinProcesses, MaxProcesses: q.MaxProcesses,
			BalanceMaxShift: q.BalanceMaxShift, BalanceCooldown: seconds(q.BalanceCooldown),
			Tries: q.Tries, Timeout: seconds(q.Timeout), Memory: q.Memory.MiB(), Backoff: seconds(q.Backoff),
			Sleep: json.Number(pause(q.Sleep)), Rest: json.Number(pause(q.Rest)), MaxJobs: q.MaxJobs, MaxTime: seconds(q.MaxTime), Nice: q.Nice,
		}
	}
	text, err := json.Marshal(byName)
	if err != nil {
		return "", misconfigured("the options for Horizon: %s", err)
	}
	if len(text) > maxVariable {
		return "", misconfigured("the options for Horizon do not fit into one variable: %d configurations of %s",
			len(all), strings.TrimSpace(all[0].Application))
	}
	return string(text), nil
}
