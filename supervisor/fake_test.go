package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/mailbox"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/queue"
)

// fakeProcesses are processes that only exist in a test. Each is the worker as
// soon as it is started, and leaves when it is told to, unless the test says
// otherwise.
type fakeProcesses struct {
	out *mailbox.Mailbox[processEvent]

	mu    sync.Mutex
	all   []*fakeChild
	birth func(*fakeChild) // called for each child before it runs
	pids  int
}

func (f *fakeProcesses) events() *mailbox.Mailbox[processEvent] { return f.out }

func (f *fakeProcesses) start(l proc.Launch) child {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pids++
	c := &fakeChild{f: f, launch: l, pid: f.pids, born: time.Now()}
	if f.birth != nil {
		f.birth(c)
	}
	f.all = append(f.all, c)
	switch {
	case c.refused != nil:
		c.ended = true
		f.out.Put(processEvent{Kind: proc.Failed, Child: c, At: time.Now(), Err: c.refused}, processEvent{Kind: proc.Gone, Child: c})
	default:
		begun := func() { f.out.Put(processEvent{Kind: proc.Started, Child: c, PID: c.pid, At: time.Now()}) }
		if c.forks > 0 {
			time.AfterFunc(c.forks, begun)
		} else {
			begun()
		}
		if c.lives > 0 {
			time.AfterFunc(c.lives, func() { c.exit(c.status) })
		} else if c.lives < 0 {
			c.end(&proc.Exit{Status: c.status})
		}
	}
	return c
}

// running lists those that have not ended, oldest first; those of the same
// instant by name, since pools are prepared side by side.
func (f *fakeProcesses) running() []*fakeChild {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*fakeChild
	for _, c := range f.all {
		if !c.ended {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *fakeChild) int {
		return cmp.Or(a.born.Compare(b.born), strings.Compare(a.slot(), b.slot()))
	})
	return list
}

func (f *fakeProcesses) started() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

// births lists when processes of a pool were started, since begin.
func (f *fakeProcesses) births(pool string, begin time.Time) []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []time.Duration
	for _, c := range f.all {
		if strings.HasPrefix(c.launch.Name, pool+"/") {
			list = append(list, c.born.Sub(begin))
		}
	}
	return list
}

func (f *fakeProcesses) onBirth(do func(*fakeChild)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.birth = do
}

type fakeChild struct {
	f       *fakeProcesses
	launch  proc.Launch
	pid     int
	born    time.Time
	refused *proc.StartError   // it cannot be started
	forks   time.Duration      // until it is told that it was started
	lives   time.Duration      // then it ends by itself; 0 = for ever, less = not at all
	status  syscall.WaitStatus // with which it ends by itself
	leaves  time.Duration      // how long it takes to leave; less than 0 = it ignores the signal
	deaf    bool               // it does not handle its ready signal yet

	// Guarded by f.mu.
	ended   bool
	told    int // to leave
	killAt  time.Time
	signals []syscall.Signal
}

func (c *fakeChild) Signal(s syscall.Signal) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.signals = append(c.signals, s)
	return nil
}

func (c *fakeChild) Catches(syscall.Signal) (bool, error) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	return !c.deaf, nil
}

func (c *fakeChild) Usage() (proc.Usage, error) {
	return proc.Usage{RSS: 1 << 20, CPU: time.Second}, nil
}
func (c *fakeChild) Dropped() uint64 { return 0 }

func (c *fakeChild) Stop(grace time.Duration) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.told++
	c.killAt = time.Now().Add(grace)
	time.AfterFunc(grace, func() {
		c.f.mu.Lock()
		defer c.f.mu.Unlock()
		if !c.ended && !time.Now().Before(c.killAt) {
			c.end(&proc.Exit{Status: 9, Stopped: true, Killed: true})
		}
	})
	switch {
	case c.told > 1 || c.leaves < 0:
	case c.leaves == 0:
		c.end(&proc.Exit{Stopped: true})
	default:
		time.AfterFunc(c.leaves, func() {
			c.f.mu.Lock()
			defer c.f.mu.Unlock()
			c.end(&proc.Exit{Stopped: true})
		})
	}
	return nil
}

// exit ends the process by itself.
func (c *fakeChild) exit(status syscall.WaitStatus) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.end(&proc.Exit{Status: status})
}

// end is called with f.mu held.
func (c *fakeChild) end(exit *proc.Exit) {
	if c.ended {
		return
	}
	c.ended = true
	c.f.out.Put(processEvent{Kind: proc.Exited, Child: c, At: time.Now(), Exit: exit}, processEvent{Kind: proc.Gone, Child: c})
}

// says has the worker write a line, which a fakePlanner's parser understands.
func (c *fakeChild) says(line string) { c.launch.Observe(proc.Line{Text: line}) }

func (c *fakeChild) slot() string { return c.launch.Name }

const (
	failure syscall.WaitStatus = 1 << 8
	memory  syscall.WaitStatus = 12 << 8
)

// fakePlanner makes commands that consist of what the configuration says.
type fakePlanner struct {
	mu      sync.Mutex
	kinds   map[string]traits
	cannot  map[string]*CannotStart // by pool
	hangs   map[string]bool
	release chan struct{}
	plans   int
	anew    int
	salt    proc.Salt
}

// fakeTraits are presets for tests.
func fakeTraits() map[string]traits {
	return map[string]traits{
		"exec": {},
		"laravel": {
			pause: syscall.SIGUSR2, resume: syscall.SIGCONT, ready: syscall.SIGCONT, memoryCode: 12,
			parser: func() parser { return fakeParser{} },
		},
		"horizon": {onePerApplication: true},
	}
}

// fakeParser understands "begin" and "processed|failed|released MILLISECONDS".
type fakeParser struct{}

func (fakeParser) end(bool) []jobEvent { return nil }

func (fakeParser) line(line proc.Line) []jobEvent {
	if line.Text == "begin" {
		return []jobEvent{{begun: true, job: "Job", wait: time.Second}}
	}
	var result string
	var ms int
	if n, err := fmt.Sscanf(line.Text, "%s %d", &result, &ms); n != 2 || err != nil {
		return nil
	}
	return []jobEvent{{result: JobResult(result), duration: time.Duration(ms) * time.Millisecond}}
}

func (f *fakePlanner) traits(preset string) (traits, bool) {
	t, ok := f.kinds[preset]
	return t, ok
}

func (f *fakePlanner) plan(ctx context.Context, r planRequest) planResult {
	f.mu.Lock()
	f.plans++
	if r.anew {
		f.anew++
	}
	hangs, cannot := f.hangs[r.def.name], f.cannot[r.def.name]
	f.mu.Unlock()
	if hangs {
		<-f.release // whatever ctx says: a file system does not care
	}
	if cannot != nil {
		return planResult{cannot: cannot}
	}
	make := func(queues []string) command {
		q := r.def.queue
		env, err := proc.NewEnv(q.Worker.Environment)
		if err != nil {
			panic(err)
		}
		spec := &proc.Spec{
			Path: "/fake", Args: append(slices.Clone(q.Worker.Command), strings.Join(queues, ",")), Dir: "/", Env: env,
			StopTimeout: q.Worker.StopTimeout.Std(),
		}
		return command{spec, spec.Hash(f.salt)}
	}
	result := planResult{specs: map[string]command{}, nominal: make(r.def.names).hash}
	for _, p := range r.parts {
		result.specs[p.name] = make(p.queues)
	}
	return result
}

// fakeReader says what the test says of queues.
type fakeReader struct {
	mu    sync.Mutex
	down  map[string]bool     // connections
	ready map[string]float64  // by queue
	found map[string][]string // by pattern
	reads int
	own   map[string]time.Duration // timeouts that jobs have by themselves, by queue
}

func (f *fakeReader) timeouts(_ context.Context, connection string, targets []queue.Target) ([]time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down[connection] {
		return nil, errDown
	}
	list := make([]time.Duration, len(targets))
	for i, t := range targets {
		list[i] = f.own[t.Queue]
	}
	return list, nil
}

var errDown = errors.New("down")

func (f *fakeReader) read(_ context.Context, r *readRequest, fixed []queue.Target) readResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.down[r.connection] {
		return readResult{err: errDown}
	}
	result := readResult{figures: map[queueKey]queueFigures{}, found: map[string][]string{}}
	for _, t := range slices.Concat(r.targets, fixed) {
		result.figures[queueKey{t.Application, t.Queue}] = queueFigures{ok: true, ready: f.ready[t.Queue]}
	}
	for i := range r.patterns {
		result.found[patternKey(&r.patterns[i])] = slices.Clone(f.found[r.patterns[i].Pattern])
	}
	return result
}

func (f *fakeReader) scan(context.Context, *readRequest) error { return nil }
func (f *fakeReader) forget(string)                            {}

func (f *fakeReader) set(queue string, ready float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ready[queue] = ready
}

func (f *fakeReader) setDown(connection string, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[connection] = down
}

func (f *fakeReader) find(pattern string, names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found[pattern] = names
}

// bench is a supervisor whose world is made of fakes. It lives in a synctest
// bubble.
type bench struct {
	*Supervisor
	t         *testing.T
	processes *fakeProcesses
	planner   *fakePlanner
	reader    *fakeReader
	begin     time.Time
	stop      context.CancelFunc
	done      chan struct{}
	log       *logLines
}

// inBubble runs a test in a bubble, with a supervisor under the configuration.
func inBubble(t *testing.T, config string, change func(*Options), test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{
			t: t, processes: &fakeProcesses{out: mailbox.New[processEvent](0)}, begin: time.Now(), done: make(chan struct{}),
			planner: &fakePlanner{kinds: fakeTraits(), cannot: map[string]*CannotStart{}, hangs: map[string]bool{}, release: make(chan struct{}), salt: proc.NewSalt()},
			reader:  &fakeReader{down: map[string]bool{}, ready: map[string]float64{}, found: map[string][]string{}},
			log:     &logLines{},
		}
		o := Options{
			Logger: slog.New(slog.NewTextHandler(b.log, nil)), Name: "host-1", StartRate: StartRate{PerSecond: -1},
			Random:    func() float64 { return 0.5 },
			processes: b.processes, planner: b.planner, reader: b.reader,
		}
		if change != nil {
			change(&o)
		}
		b.Supervisor = New(o)
		ctx, cancel := context.WithCancel(t.Context())
		b.stop = cancel
		go func() {
			defer close(b.done)
			if err := b.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		if config != "" {
			b.apply(config)
		}
		test(b)
		cancel()
		<-b.done
	})
}

func (b *bench) apply(config string) {
	b.t.Helper()
	cfg, err := configs.Parse("test.yml", []byte(config))
	if err != nil {
		b.t.Fatal(err)
	}
	b.Apply(cfg)
	b.settle()
}

// settle lets everything happen that is due now.
func (b *bench) settle() { b.advance(200 * time.Millisecond) }

// advance lets time pass.
func (b *bench) advance(d time.Duration) {
	time.Sleep(d) // the bubble's time
	synctest.Wait()
}

func (b *bench) pool(name string) *PoolStatus {
	b.t.Helper()
	p, ok := b.State().Pool(name)
	if !ok {
		b.t.Fatalf("there is no pool %s", name)
	}
	return p
}

func (b *bench) order(c Command) {
	b.t.Helper()
	if _, err := b.Control(b.t.Context(), c); err != nil {
		b.t.Fatal(err)
	}
	b.settle()
}

// counts must be starting, running, stopping and backoff.
func (b *bench) counts(pool string, starting, running, stopping, backoff int) {
	b.t.Helper()
	got := b.pool(pool).Counts
	got.Busy = nil
	if want := (Counts{starting, running, stopping, backoff, nil}); got != want {
		b.t.Fatalf("pool %s after %v: %+v, want %+v", pool, time.Since(b.begin), got, want)
	}
}

// queueConfig is one queue configuration for tests.
type queueConfig struct {
	name, queues, preset, connection, command string
	min, max                                  int
	more                                      string // lines of the queue, indented by four
	worker                                    string // lines of the worker, indented by six
}

// fleet is a configuration of one application with these pools.
func fleet(queues ...queueConfig) string {
	text := "applications:\n  - slug: shop\n"
	connections := map[string]bool{}
	rest := "queues:\n"
	for _, q := range queues {
		connection := cmp.Or(q.connection, "main")
		connections[connection] = true
		rest += fmt.Sprintf("  - name: %s\n    application: shop\n    connection: %s\n    queue_names: [%s]\n    min_processes: %d\n    max_processes: %d\n    balance_max_shift: 100\n%s",
			q.name, connection, cmp.Or(q.queues, q.name), q.min, q.max, q.more)
		rest += fmt.Sprintf("    worker:\n      preset: %s\n      command: [%s]\n      directory: /\n      user: nobody\n%s", cmp.Or(q.preset, "exec"), cmp.Or(q.command, "work"), q.worker)
	}
	text += "connections:\n"
	for _, name := range slices.Sorted(maps.Keys(connections)) {
		text += fmt.Sprintf("  - name: %s\n    address: 127.0.0.1:1\n", name)
	}
	return text + rest
}

// logLines collects a log.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}
