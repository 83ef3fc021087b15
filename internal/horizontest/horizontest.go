// Package horizontest plays Laravel Horizon, for tests only: the test's own
// binary is run as `BINARY artisan horizon` and then behaves as Horizon 5.29
// was seen to. It keeps records in a real Redis, starts supervisors and workers
// that work on jobs there, removes the records as soon as it is told to
// terminate, and may take its time, not listen, or leave workers behind.
//
// It finds out by itself what must never be: with locks that the kernel gives
// back however a process ends, each master sees whether another one lives, or
// anything that an earlier one has started.
package horizontest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The variables by which the processes are told what to do.
const (
	variableRedis   = "HORIZONTEST_REDIS" // host:port; whoever has it is a stand-in
	variableDir     = "HORIZONTEST_DIR"   // of the locks
	variableModes   = "HORIZONTEST_MODES" // separated by spaces: the nth master has the nth, and then from the beginning
	variableDeath   = "HORIZONTEST_DEATH" // how long a master takes to die
	variableFile    = "HORIZONTEST_FILE"  // what it reads when it begins
	variableWorkers = "HORIZONTEST_WORKERS"
)

// Mode is how a master behaves.
type Mode string

// The modes.
const (
	Orderly Mode = "orderly" // waits for its workers
	Fast    Mode = "fast"    // leaves while workers have jobs, as with fast_termination
	Deaf    Mode = "deaf"    // does not take in that it is told to leave
	Crash   Mode = "crash"   // one of its supervisors is killed, whose workers live on, before it is told to leave
)

// Prefix stands before the keys of the records.
const Prefix = "standin_horizon:"

// Keys of lists that a Bench reads.
const (
	keyTodo, keyReserved, keyDone = "jobs:todo", "jobs:reserved", "jobs:done"
	keyMasters                    = "standin:masters" // PID MODE FILE of each that has begun
	keyWrong                      = "standin:wrong"   // what must never be
	keySignals                    = "standin:signals" // PID of a master, once for each time that it was told to leave
)

// Bench is what a test sees of the stand-ins.
type Bench struct {
	t     testing.TB
	addr  string
	dir   string
	redis *redis.Client
}

// New prepares a bench on a real Redis.
func New(t testing.TB, addr string) *Bench {
	t.Helper()
	b := &Bench{t: t, addr: addr, dir: t.TempDir(), redis: redis.NewClient(&redis.Options{Addr: addr})}
	t.Cleanup(func() { _ = b.redis.Close() })
	return b
}

// Settings are how the stand-ins of a bench behave.
type Settings struct {
	Modes   []Mode // empty = Orderly
	Death   time.Duration
	File    string // whose content a master reads, "" = none
	Workers int    // of each of the two supervisors
}

// Environment is what a master needs in its environment.
func (b *Bench) Environment(s Settings) map[string]string {
	modes := make([]string, len(s.Modes))
	for i, m := range s.Modes {
		modes[i] = string(m)
	}
	return map[string]string{
		variableRedis: b.addr, variableDir: b.dir, variableModes: strings.Join(modes, " "), variableDeath: s.Death.String(),
		variableFile: s.File, variableWorkers: strconv.Itoa(s.Workers),
	}
}

// Push adds jobs that take some time each.
func (b *Bench) Push(first, n int, takes time.Duration) {
	b.t.Helper()
	pipe := b.redis.Pipeline()
	for i := range n {
		pipe.RPush(b.ctx(), keyTodo, fmt.Sprintf("%d %s", first+i, takes))
	}
	if _, err := pipe.Exec(b.ctx()); err != nil {
		b.t.Fatal(err)
	}
}

// Jobs counts jobs by where they are. Each job must be somewhere, and once.
func (b *Bench) Jobs() (todo, reserved, done int) {
	b.t.Helper()
	seen := map[string]bool{}
	counts := make([]int, 3)
	for i, key := range []string{keyTodo, keyReserved, keyDone} {
		list := b.list(key)
		counts[i] = len(list)
		for _, job := range list {
			if seen[job] {
				b.t.Errorf("job %q is there twice", job)
			}
			seen[job] = true
		}
	}
	return counts[0], counts[1], counts[2]
}

// Wrong returns what a stand-in has seen that must never be.
func (b *Bench) Wrong() []string { return b.list(keyWrong) }

// Life is a master that has begun.
type Life struct {
	PID  int
	Mode Mode
	File string // content of Settings.File when it began
}

// Masters lists the masters that have begun, in their order.
func (b *Bench) Masters() []Life {
	b.t.Helper()
	var all []Life
	for _, text := range b.list(keyMasters) {
		fields := strings.SplitN(text, " ", 3)
		pid, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) < 3 {
			b.t.Fatalf("%q is no life", text)
		}
		all = append(all, Life{pid, Mode(fields[1]), fields[2]})
	}
	return all
}

// Told counts how often each master was told to leave.
func (b *Bench) Told() map[int]int {
	told := map[int]int{}
	for _, text := range b.list(keySignals) {
		pid, _ := strconv.Atoi(text)
		told[pid]++
	}
	return told
}

func (b *Bench) list(key string) []string {
	b.t.Helper()
	list, err := b.redis.LRange(b.ctx(), key, 0, -1).Result()
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (b *Bench) ctx() context.Context {
	if b.t.Context().Err() != nil {
		return context.Background() // while the test is cleaned up
	}
	return b.t.Context()
}

// Main plays the process that the command line names, and does not return, if
// this process is a stand-in. TestMain calls it first thing.
func Main() {
	if os.Getenv(variableRedis) == "" || len(os.Args) < 3 || os.Args[1] != "artisan" {
		return
	}
	os.Exit(play(os.Args[2], os.Args[3:]))
}

// Play is Main for a program that is nothing but a stand-in.
func Play() {
	Main()
	fmt.Fprintln(os.Stderr, "this is a stand-in for Laravel Horizon in tests: artisan horizon")
	os.Exit(2)
}
