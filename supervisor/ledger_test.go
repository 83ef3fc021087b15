package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// ledgerJob notes each time that it is run under its own number.
const ledgerJob = `<?php
namespace App\Jobs;
class Ledger {
    public function fire($job, $data) {
        $end = hrtime(true) + $data['ms'] * 1000000;
        while (($left = $end - hrtime(true)) > 0) usleep((int) max(1, $left / 1000));
        app('redis')->incr('ledger:'.$data['n']);
        $job->delete();
    }
}
`

// ledgerPrefix stands before the application's keys.
const ledgerPrefix = "laravel_database_"

// ledgerPlan is how hard a ledger test is.
type ledgerPlan struct {
	jobs           int
	milliseconds   int
	reload, change time.Duration // counts, and commands, change that often
	patience       time.Duration
}

// ledger is jobs on three Redis and six queues.
type ledger struct {
	t       *testing.T
	plan    ledgerPlan
	app     *laraveltest.App
	servers []*redistest.Server
	clients []*redis.Client
}

func newLedger(t *testing.T, plan ledgerPlan) *ledger {
	t.Helper()
	l := &ledger{t: t, plan: plan}
	for range 3 {
		server := redistest.Start(t, redistest.Options{})
		l.servers, l.clients = append(l.servers, server), append(l.clients, server.Client())
	}
	l.app = laraveltest.New(t, l.servers[0].Addr)
	if err := os.WriteFile(filepath.Join(l.app.Dir, "app/Jobs/Ledger.php"), []byte(ledgerJob), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

var ledgerQueues = []string{"high", "low"}

// push spreads the jobs over all queues.
func (l *ledger) push(ctx context.Context) {
	l.t.Helper()
	pipes := make([]redis.Pipeliner, len(l.clients))
	for i, c := range l.clients {
		pipes[i] = c.Pipeline()
	}
	for n := range l.plan.jobs {
		key := ledgerPrefix + "queues:" + ledgerQueues[n/3%2]
		id := fmt.Sprintf("%032d", n)
		pipes[n%3].RPush(ctx, key, fmt.Sprintf(`{"uuid":"%s","id":"%[1]s","displayName":"Ledger","job":"App\\Jobs\\Ledger@fire","maxTries":null,`+
			`"maxExceptions":null,"failOnTimeout":false,"backoff":null,"timeout":null,"data":{"n":%d,"ms":%d},"attempts":0}`, id, n, l.plan.milliseconds))
		pipes[n%3].RPush(ctx, key+":notify", 1)
	}
	for _, p := range pipes {
		if _, err := p.Exec(ctx); err != nil {
			l.t.Fatal(err)
		}
	}
}

// config is the configuration of a round: counts alternate with each, commands
// with the generation.
func (l *ledger) config(round, generation int) *configs.Config {
	l.t.Helper()
	var text strings.Builder
	text.WriteString("connections:\n")
	for i, s := range l.servers {
		fmt.Fprintf(&text, "  - {name: redis-%d, address: %s}\n", i, s.Addr)
	}
	text.WriteString("applications:\n  - slug: shop\nqueues:\n")
	user := ""
	if os.Geteuid() == 0 {
		user = "user: root, "
	}
	for i := range l.servers {
		fmt.Fprintf(&text, "  - {name: pool-%d, application: shop, connection: redis-%[1]d, queue_names: [%s], key_prefix: %s, min_processes: 1, max_processes: %d,\n"+
			"     balance_max_shift: 2, balance_cooldown: 1s, timeout: 30s, retry_after: 90s, sleep: 1s,\n"+
			"     worker: {preset: laravel, command: [php, artisan, \"queue:work\"], directory: %s, %senvironment: {GENERATION: \"%d\"}}}\n",
			i, strings.Join(ledgerQueues, ", "), ledgerPrefix, 2+(round+i)%2*2, l.app.Dir, user, generation)
	}
	cfg, err := configs.Parse("ledger.yml", []byte(text.String()))
	if err != nil {
		l.t.Fatal(err)
	}
	return cfg
}

// done is how many different jobs have been run.
func (l *ledger) done(ctx context.Context) int {
	sum := 0
	for _, c := range l.clients {
		size, err := c.DBSize(ctx).Result()
		if err != nil {
			l.t.Fatal(err)
		}
		sum += int(size)
	}
	return sum
}

// check goes through the ledger.
func (l *ledger) check(ctx context.Context) {
	l.t.Helper()
	lost, twice := 0, 0
	for n := range l.plan.jobs {
		times, err := l.clients[n%3].Get(ctx, fmt.Sprintf("%sledger:%d", ledgerPrefix, n)).Int()
		switch {
		case err != nil && err != redis.Nil: //nolint:errorlint // it is this one
			l.t.Fatal(err)
		case times == 0:
			lost++
		case times > 1:
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		l.t.Errorf("of %d jobs %d were lost and %d done more than once", l.plan.jobs, lost, twice)
	}
}

// TestLedger holds the promise that matters most: whatever is reloaded, scaled
// and replaced meanwhile, every job is done once.
func TestLedger(t *testing.T) {
	plan := ledgerPlan{jobs: 600, milliseconds: 10, reload: 100 * time.Millisecond, change: 3 * time.Second, patience: 3 * time.Minute}
	if os.Getenv("QUEUEFLEET_SOAK") != "" {
		plan = ledgerPlan{jobs: 20_000, milliseconds: 20, reload: time.Second, change: 15 * time.Second, patience: 20 * time.Minute}
	}
	l := newLedger(t, plan)
	ctx := t.Context()
	l.push(ctx)

	log := &logLines{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	manager, err := proc.New(proc.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	set := connection.NewSet(slog.New(slog.DiscardHandler))
	s := New(Options{Logger: logger, Name: "ledger", Set: set, Manager: manager})
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()

	begin := time.Now()
	rounds, generations := l.disturb(s, set)
	took := time.Since(begin)
	state := s.State()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := manager.Close(ctx); err != nil {
		t.Error(err)
	}
	set.Close()
	l.check(ctx)
	exits := map[proc.Reason]uint64{}
	var starts, killed, jobs uint64
	for _, p := range s.State().Pools {
		for reason, n := range p.Counters.Exits {
			exits[reason] += n
		}
		starts, killed, jobs = starts+p.Counters.Starts, killed+p.Counters.BusyKilled, jobs+p.Counters.JobResults[JobProcessed]
	}
	t.Logf("%d jobs in %v, %d reloads, %d commands, %d workers started, exits %v, loop p99 %v s of %d passes",
		plan.jobs, took.Round(time.Millisecond), rounds, generations, starts, exits, loopP99(state), state.Loop.Passes)
	if killed > 0 || exits[proc.ReasonSignal]+exits[proc.ReasonError]+exits[proc.ReasonTimeout]+exits[proc.ReasonCannotStart] > 0 {
		t.Errorf("%d busy workers killed, exits %v", killed, exits)
	}
	if jobs != uint64(plan.jobs) {
		t.Errorf("the workers' output told of %d jobs, want %d", jobs, plan.jobs)
	}
	if t.Failed() {
		t.Log(log.text.String())
	}
}

// disturb reloads and scales until all jobs are done.
func (l *ledger) disturb(s *Supervisor, set *connection.Set) (rounds, generations int) {
	ctx := l.t.Context()
	reload := time.NewTicker(l.plan.reload)
	defer reload.Stop()
	change := time.NewTicker(l.plan.change)
	defer change.Stop()
	patience := time.After(l.plan.patience)
	generations = 1
	set.Apply(l.config(0, 1).Connections)
	s.Apply(l.config(0, 1))
	for {
		select {
		case <-change.C:
			generations++
		case <-reload.C:
			rounds++
			s.Apply(l.config(rounds, generations))
			l.scale(ctx, s, rounds)
			if l.done(ctx) >= l.plan.jobs && l.idle(s) {
				return rounds, generations
			}
		case <-patience:
			l.t.Errorf("%d of %d jobs done within %v; pools %+v", l.done(ctx), l.plan.jobs, l.plan.patience, s.State().Pools)
			return rounds, generations
		}
	}
}

// idle reports whether the queues are empty, all that is reserved included.
func (l *ledger) idle(s *Supervisor) bool {
	left := 0.0
	for _, p := range s.State().Pools {
		if p.Observation == nil {
			return false
		}
		for _, sub := range p.Observation.SubPools {
			left += float64(max(0, sub.Busy))
			for _, q := range sub.Queues {
				left += float64(q.Ready)
			}
		}
	}
	return left == 0
}

// scale orders other numbers of workers now and then.
func (l *ledger) scale(ctx context.Context, s *Supervisor, round int) {
	if round%7 != 0 {
		return
	}
	pool := fmt.Sprintf("pool-%d", round/7%3)
	orders := map[int]Command{
		0: {Action: ActionScale, Pools: []string{pool}, Processes: 2, For: time.Minute},
		1: {Action: ActionAuto, Pools: []string{pool}},
	}
	keys := slices.Sorted(maps.Keys(orders))
	if _, err := s.Control(ctx, orders[keys[round/7%len(keys)]]); err != nil {
		l.t.Error(err)
	}
}
