package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// configureQueuesEdit declares `queues add`, `set`, `remove` and their kin.
func configureQueuesEdit(app *kingpin.Application, e *env) {
	configureEntries(app, e, configs.QueueEntry, queuesHelp, []shortcut{
		{flag: "application", key: "application", help: "Whose queues they are."},
		{flag: "connection", key: "connection", help: "The connection they are on."},
		{flag: "queue", key: "queue_names", help: "A queue, or a pattern such as tenant-*. Repeatable.", list: true},
		{flag: "max-wait", key: "max_wait", help: "How long a job may wait."},
		{flag: "min-processes", key: "min_processes", help: "How many workers there are at least."},
		{flag: "max-processes", key: "max_processes", help: "How many workers there are at most."},
	})
}
