package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/proc"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// A job that brings along a longer timeout than its worker has gets the time;
// where that cannot be read, and for whoever wants to be quick, the
// configuration holds.
func TestLeavingWorkersHaveTheTimeOfTheirJobs(t *testing.T) {
	for name, run := range map[string]struct {
		change func(b *bench)
		want   time.Duration // after which the worker is killed
	}{
		"longer":  {func(b *bench) { b.reader.own["a"] = 5 * time.Minute }, 5*time.Minute + stopMargin},
		"shorter": {func(b *bench) { b.reader.own["a"] = time.Second }, time.Minute},
		"another": {func(b *bench) { b.reader.own["b"] = 5 * time.Minute }, time.Minute},
		"down":    {func(b *bench) { b.reader.own["a"], b.reader.down["main"] = 5*time.Minute, true }, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			pool := queueConfig{name: "a", min: 1, max: 1, worker: "      stop_timeout: 1m\n"}
			inBubble(t, fleet(pool), nil, func(b *bench) {
				c := b.processes.running()[0]
				c.leaves = -1
				b.reader.mu.Lock()
				b.reader.own = map[string]time.Duration{}
				run.change(b)
				b.reader.mu.Unlock()
				b.apply(fleet())
				b.advance(run.want - time.Second)
				b.counts("a", 0, 0, 1, 0)
				b.advance(2 * time.Second)
				if _, ok := b.State().Pool("a"); ok {
					t.Errorf("the worker was not killed after %v", run.want)
				}
			})
		})
	}
}

// longJob writes to files that it has begun, and that it has ended.
const longJob = `<?php
namespace App\Jobs;
class Long {
    public function fire($job, $data) {
        file_put_contents(base_path('begun'), '');
        $end = hrtime(true) + 4e9;
        while (($left = $end - hrtime(true)) > 0) usleep((int) max(1, $left / 1000));
        file_put_contents(base_path('done'), '');
        $job->delete();
    }
}
`

// A pool is removed in the middle of a job of Laravel's whose own timeout
// exceeds the worker's and the time that is configured for leaving.
func TestRemovedPoolFinishesALongJob(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	app := laraveltest.New(t, server.Addr)
	if err := os.WriteFile(filepath.Join(app.Dir, "app/Jobs/Long.php"), []byte(longJob), 0o600); err != nil {
		t.Fatal(err)
	}
	key := ledgerPrefix + "queues:long"
	payload := `{"uuid":"1","id":"1","displayName":"Long","job":"App\\Jobs\\Long@fire","maxTries":null,"maxExceptions":null,` +
		`"failOnTimeout":false,"backoff":null,"timeout":30,"data":{},"attempts":0}`
	if err := server.Client().RPush(t.Context(), key, payload).Err(); err != nil {
		t.Fatal(err)
	}
	log := &logLines{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	manager, err := proc.New(proc.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	set := connection.NewSet(slog.New(slog.DiscardHandler))
	s := New(Options{Logger: logger, Name: "long", Set: set, Manager: manager})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		s.KillAll()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := manager.Close(context.Background()); err != nil {
			t.Error(err)
		}
		set.Close()
		if t.Failed() {
			t.Log(log.text.String())
		}
	}()
	base := fmt.Sprintf("connections:\n  - {name: main, address: %s}\napplications:\n  - slug: shop\n", server.Addr)
	user := ""
	if os.Geteuid() == 0 {
		user = "user: root, "
	}
	with := base + fmt.Sprintf("queues:\n  - {name: a, application: shop, connection: main, queue_names: [long], min_processes: 1, max_processes: 1, timeout: 1s, sleep: 1s,\n"+
		"     worker: {preset: laravel, command: [php, artisan, \"queue:work\"], directory: %s, %sstop_timeout: 1s}}\n", app.Dir, user)
	apply := func(text string) {
		cfg, err := configs.Parse("long.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		set.Apply(cfg.Connections)
		s.Apply(cfg)
	}
	exists := func(file string) bool {
		_, err := os.Stat(filepath.Join(app.Dir, file))
		return err == nil
	}
	r := &real{Supervisor: s, t: t}
	apply(with)
	r.until("at work", func(*State) bool { return exists("begun") })
	apply(base)
	var last *PoolStatus
	r.until("gone", func(s *State) bool {
		p, ok := s.Pool("a")
		if ok {
			last = p
		}
		return !ok
	})
	if !exists("done") || last.Counters.BusyKilled > 0 {
		t.Errorf("the job was not finished: %d busy workers killed", last.Counters.BusyKilled)
	}
}
