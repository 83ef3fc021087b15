package configs

import (
	"math"
	"reflect"
	"slices"
	"time"
)

// unset marks a duration that has no value yet, where 0 would be a mistake
// that must be seen.
const unset = Duration(math.MinInt64)

const (
	second = Duration(time.Second)
	minute = Duration(time.Minute)
	hour   = Duration(time.Hour)

	// stopMargin is what a worker gets beyond its job's timeout, and what
	// retry_after must leave.
	stopMargin = 10 * second
)

func defaultGlobal() Global { return Global{ProbeTimeout: 2 * second} }

func defaultConnection() Connection {
	return Connection{
		Active: true,
		Options: ConnectionOptions{
			// A probe's own timeout ends it sooner: it alone says when a
			// connection is down. These are for what has no deadline.
			DialTimeout:  5 * second,
			ReadTimeout:  30 * second,
			WriteTimeout: 30 * second,
			PoolSize:     2,
			ClientName:   "queuefleet",
		},
	}
}

func defaultApplication() Application { return Application{Active: true} }

func defaultQueue() Queue {
	return Queue{
		Framework:           "laravel",
		RetryAfter:          90 * second,
		MaxDiscovered:       1000,
		Active:              true,
		Hosts:               []string{"*"},
		QueueTTL:            10 * minute,
		Balance:             "auto",
		ScalingRules:        "mended",
		AutoScalingStrategy: "time",
		MinProcesses:        1,
		MaxProcesses:        10,
		BalanceMaxShift:     1,
		BalanceCooldown:     3 * second,
		MaxWait:             30 * second,
		Objective:           0.99,
		Tries:               3,
		Timeout:             60 * second,
		Memory:              128 << 20,
		Sleep:               3 * second,
		MaxJobs:             1000,
		MaxTime:             hour,
	}
}

func defaultWorker() Worker {
	return Worker{
		Preset:          "laravel",
		QueueConnection: "redis",
		StopSignal:      "SIGTERM",
		StopTimeout:     unset,
		EnvironmentNames: EnvironmentNames{
			Host:     "REDIS_HOST",
			Port:     "REDIS_PORT",
			Password: "REDIS_PASSWORD",
			Username: "REDIS_USERNAME",
			Database: "REDIS_DB",
		},
	}
}

// builtin holds the built-in defaults by type. A null in the file goes back
// to them.
func builtin() map[reflect.Type]reflect.Value {
	bases := map[reflect.Type]reflect.Value{}
	for _, v := range []any{
		defaultGlobal(),
		defaultConnection(),
		defaultApplication(),
		defaultQueue(),
		defaultWorker(),
		ApplicationConnection{Active: true},
		TLS{MinVersion: "TLS12"},
		Defaults{Connection: defaultConnection(), Application: defaultApplication(), Queue: defaultQueue()},
	} {
		bases[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
	return bases
}

// completeConnection fills what depends on the rest of the file.
func completeConnection(c *Connection, g *Global) {
	if c.ProbeTimeout == 0 {
		c.ProbeTimeout = g.ProbeTimeout
	}
	if c.Environment == "" {
		c.Environment = g.Environment
	}
}

func completeApplication(a *Application) {
	if a.Name == "" {
		a.Name = a.Slug
	}
}

func completeQueue(q *Queue) {
	if q.Name == "" && q.Application != "" && q.Connection != "" {
		q.Name = q.Application + "-" + q.Connection
	}
	if q.Worker != nil {
		completeWorker(q.Worker, q)
	}
}

func completeWorker(w *Worker, q *Queue) {
	if w.StopTimeout == unset {
		w.StopTimeout = q.Timeout + stopMargin
	}
	if len(w.Command) == 0 {
		w.Command = slices.Clone(defaultCommands[w.Preset])
	}
	if w.Preset == "frankenphp" && w.MemoryMax == 0 {
		w.MemoryMax = max(frankenphpMemoryMax, q.Memory)
	}
}

// defaultCommands are the commands of presets that have one.
var defaultCommands = map[string][]string{
	"laravel":    {"php", "artisan", "queue:work"},
	"horizon":    {"php", "artisan", "horizon"},
	"frankenphp": {"frankenphp", "php-cli", "artisan", "queue:work"},
}

// frankenphpMemoryMax is the hard ceiling of FrankenPHP's workers: its threads
// keep memory that PHP's own limit does not see.
const frankenphpMemoryMax = 512 << 20
