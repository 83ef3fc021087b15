package configs

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

var (
	presets = []string{"laravel", "horizon", "frankenphp", "exec"}
	// missingPresets are frameworks whose queues are watched and whose workers
	// are not known yet.
	missingPresets = []string{"sidekiq", "bullmq", "celery", "rq", "asynq", "resque"}
	signals        = []string{
		"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGALRM",
	}
	rlimits = []string{
		"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
	}
)

func checkWorker(o origin, q *Queue) {
	w := q.Worker
	if slices.Contains(missingPresets, w.Preset) {
		o.fail("worker.preset", "%q does not exist yet; run its workers by the preset exec, with their whole command", w.Preset)
	} else if o.oneOf("worker.preset", w.Preset, presets) && len(w.Command) == 0 {
		o.fail("worker.command", "is missing; the preset %s has no command of its own", w.Preset)
	}
	for i, arg := range w.Command {
		if strings.Contains(arg, "\x00") || (i == 0 && arg == "") {
			o.fail(indexed("worker.command", i), "is no valid argument")
		}
	}
	checkStop(o, q)
	checkWorkerSignals(o, w)
	checkWorkerLimitsOf(o, q)
	checkEnvironment(o, w)
	if w.Generate != "" && w.Preset != "horizon" {
		o.fail("worker.generate", "goes with the preset horizon only; for another one use qftool generate laravel")
	}
	if w.User != "" && !validAccount(w.User) {
		o.fail("worker.user", "is no valid user name or number")
	}
	if w.Group != "" && !validAccount(w.Group) {
		o.fail("worker.group", "is no valid group name or number")
	}
}

func checkStop(o origin, q *Queue) {
	const key = "worker.stop_timeout"
	switch stop := q.Worker.StopTimeout; {
	case stop <= 0:
		o.fail(key, "must be more than 0: a worker that does not stop would never be killed")
	case stop < q.Timeout:
		o.warn(key, "%v is shorter than timeout (%v): a running job is killed", stop, q.Timeout)
	}
}

func checkWorkerSignals(o origin, w *Worker) {
	o.oneOf("worker.stop_signal", w.StopSignal, signals)
	if s := w.PauseSignal; s != nil && *s != "" {
		o.oneOf("worker.pause_signal", *s, signals)
	}
	if s := w.ContinueSignal; s != nil && *s != "" {
		o.oneOf("worker.continue_signal", *s, signals)
	}
	if w.DeathSignal != "" && w.DeathSignal != "none" {
		o.oneOf("worker.death_signal", w.DeathSignal, append([]string{"none", "SIGKILL"}, signals...))
	}
}

func checkWorkerLimitsOf(o origin, q *Queue) {
	w := q.Worker
	if w.Umask != "" {
		if n, err := strconv.ParseUint(w.Umask, 8, 32); err != nil || n > 0o777 {
			o.fail("worker.umask", "must be octal from \"0000\" to \"0777\", in quotes")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Rlimits)) {
		if !slices.Contains(rlimits, name) {
			o.fail("worker.rlimits."+name, "is none of %s%s", strings.Join(rlimits, ", "), didYouMean(name, rlimits))
		}
	}
	if w.MemoryMax > 0 && w.MemoryMax < q.Memory {
		o.fail("worker.memory_max", "%v is less than memory (%v): workers are killed before they can leave by themselves", w.MemoryMax, q.Memory)
	}
}

func checkEnvironment(o origin, w *Worker) {
	for _, name := range slices.Sorted(maps.Keys(w.Environment)) {
		switch key := "worker.environment." + name; {
		case !validEnv.MatchString(name):
			o.fail(key, "is no valid variable name")
		case strings.Contains(w.Environment[name], "\x00"):
			o.fail(key, "holds a NUL character")
		}
	}
	n := &w.EnvironmentNames
	for _, one := range []struct{ key, name string }{
		{"host", n.Host}, {"port", n.Port}, {"password", n.Password}, {"username", n.Username}, {"database", n.Database},
	} {
		if one.name != "" && !validEnv.MatchString(one.name) {
			o.fail("worker.environment_names."+one.key, "is no valid variable name")
		}
	}
}

func validAccount(name string) bool {
	return len(name) <= 64 && validName.MatchString(strings.TrimPrefix(name, "_")) || isNumber(name)
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 32)
	return err == nil
}
