package preset

import (
	"maps"
	"slices"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/proc"
)

// command is any command, with templates.
func command() Preset {
	return Preset{Name: "exec", Check: checkExec, Build: buildExec}
}

// checkExec tries the templates with the queue names as they are configured.
func checkExec(q *configs.Queue, c *configs.Connection) error {
	_, _, err := fillIn(q, c, q.QueueNames)
	return err
}

func buildExec(in Input) (proc.Spec, error) {
	args, explicit, err := fillIn(in.Queue, in.Connection, in.Queues)
	if err != nil {
		return proc.Spec{}, err
	}
	return process{
		command:   args,
		variables: connectionVariables(in.Queue.Worker, in.Connection),
		explicit:  explicit,
		queues:    []*configs.Queue{in.Queue},
	}.spec()
}

// fillIn fills in the templates of the command and of the variables' values.
func fillIn(q *configs.Queue, c *configs.Connection, queues []string) (args []string, explicit map[string]string, err error) {
	w := q.Worker
	facts := newFacts(q, c, queues)
	if len(w.Command) == 0 {
		return nil, nil, misconfigured("worker.command is missing")
	}
	for i, word := range w.Command {
		text, err := fill(indexed("worker.command", i), word, facts)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, text)
	}
	if args[0] == "" {
		return nil, nil, misconfigured("worker.command[0] is empty once its template is filled in")
	}
	explicit = map[string]string{}
	facts.secret = true
	for _, name := range slices.Sorted(maps.Keys(w.Environment)) {
		if explicit[name], err = fill("worker.environment."+name, w.Environment[name], facts); err != nil {
			return nil, nil, err
		}
	}
	return args, explicit, nil
}
