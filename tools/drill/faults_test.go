package drill

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// fault is one thing that goes wrong on the bad day, with what must come of it.
// Alerts are written as title makes them, told ones with their receiver before.
type fault struct {
	name  string
	what  string // in the documentation
	do    func(*testing.T, *fleet)
	undo  func(*testing.T, *fleet)
	fires []string // all of these fire in Prometheus,
	told  []string // and these reach somebody; what fires and is not here is inhibited or held back
	// What may fire or be told besides, depending on which sample came first.
	may, mayTell []string
}

// page and tell are the receivers of what is critical and of what can wait.
func page(alerts ...string) []string { return reaches("fallback-page", alerts) }
func tell(alerts ...string) []string { return reaches("fallback-tell", alerts) }

func reaches(receiver string, alerts []string) []string {
	told := make([]string, len(alerts))
	for i, a := range alerts {
		told[i] = receiver + " " + a
	}
	return told
}

// late are what jobs that wait for too long lead to, sooner or later.
var late = []string{"RedisQueueWaitBudgetBurn{", "RedisQueueOldestJobTooOld{", "RedisQueueBacklogGrowing{"}

func faults() []fault {
	const (
		tenantsDown    = "RedisConnectionDown{severity=critical,connection=tenants}"
		tenantsCrash   = "QueuefleetSupervisorWorkersCrashLooping{severity=critical,connection=tenants,pool=crm}"
		tenantsBlind   = "QueuefleetSupervisorScalerBlind{severity=warning,connection=tenants}"
		replicaDown    = "RedisConnectionDown{severity=critical,connection=replica}"
		authFailing    = "RedisAuthFailing{severity=critical,connection=tenants,reason=auth}"
		memoryFull     = "RedisMemoryFull{severity=critical,connection=store}"
		shopStart      = "QueuefleetSupervisorCannotStart{severity=critical,connection=main,pool=shop,reason=bad_directory}"
		crmStart       = "QueuefleetSupervisorCannotStart{severity=critical,connection=tenants,pool=crm,reason=bad_directory}"
		shopFails      = "QueuefleetSupervisorFailureRatioHigh{severity=warning,connection=main,pool=shop}"
		reportsCrash   = "QueuefleetSupervisorWorkersCrashLooping{severity=critical,connection=main,pool=reports}"
		overdueJobs    = "RedisQueueDelayedOverdue{severity=warning,connection=main,queue=archive}"
		stalledJobs    = "RedisQueueJobsStalled{severity=warning,connection=main,queue=archive}"
		exporterOld    = "QueuefleetExporterReloadFailed{severity=critical}"
		supervisorOld  = "QueuefleetSupervisorReloadFailed{severity=critical}"
		supervisorDown = "QueuefleetSupervisorDown{severity=critical}"
		horizonGone    = "RedisHorizonInactive{severity=critical,connection=main}"
		exporterDown   = "QueuefleetExporterDown{severity=critical}"
	)
	noWorkers := []string{
		"RedisQueueHasNoWorkers{severity=critical,connection=main,queue=default}",
		"RedisQueueHasNoWorkers{severity=critical,connection=main,queue=high}",
		"RedisQueueHasNoWorkers{severity=critical,connection=tenants,queue=default}",
	}
	paused := []string{
		"RedisQueuePausedTooLong{severity=warning,connection=main,queue=default}",
		"RedisQueuePausedTooLong{severity=warning,connection=main,queue=high}",
	}
	return []fault{
		{
			name: "redis-killed", what: "A Redis that holds queues is killed",
			do:    func(_ *testing.T, f *fleet) { f.tenants.Stop() },
			undo:  func(_ *testing.T, f *fleet) { f.tenants.Restart() },
			fires: []string{tenantsDown, tenantsCrash, tenantsBlind}, told: page(tenantsDown),
			may: []string{"QueuefleetSupervisorWorkersMissing{", "RedisProbeTimeouts{", "RedisQueueUnreadable{"},
		},
		{
			name: "redis-hangs", what: "A Redis takes connections and never answers",
			do:    func(_ *testing.T, f *fleet) { f.replica.Freeze() },
			undo:  func(_ *testing.T, f *fleet) { f.replica.Thaw() },
			fires: []string{replicaDown, "RedisProbeTimeouts{severity=warning,connection=replica}"}, told: page(replicaDown),
			may: []string{"RedisReplica"}, mayTell: []string{"RedisReplica"}, // its master loses it after a minute
		},
		{
			name: "wrong-password", what: "A Redis has a new password, the configuration the old one",
			do:    func(t *testing.T, f *fleet) { f.password(t, tenantPassword, "another") },
			undo:  func(t *testing.T, f *fleet) { f.password(t, "another", tenantPassword) },
			fires: []string{authFailing, tenantsDown, tenantsCrash}, told: page(authFailing),
			may: []string{"QueuefleetSupervisorWorkersMissing{", "QueuefleetSupervisorScalerBlind{", "RedisQueueUnreadable{"},
		},
		{
			name: "memory-full", what: "A Redis with `noeviction` is filled up to its maxmemory",
			do: fillMemory, undo: freeMemory,
			fires: []string{memoryFull, "RedisMemoryNearLimit{severity=warning,connection=store}"}, told: page(memoryFull),
			may: []string{"RedisMemoryWillFill{"},
		},
		{
			name: "workers-gone", what: "The folder of an application disappears, and with it its workers",
			do: hideApplication, undo: showApplication,
			fires: append([]string{shopStart, crmStart}, noWorkers...), told: page(append([]string{shopStart, crmStart}, noWorkers...)...),
			may:     append([]string{"QueuefleetSupervisorWorkers", "QueuefleetSupervisorAtMaxAndLate{", "RedisMemoryWillFill{"}, late...),
			mayTell: late, // they may come before nobody is left to work
		},
		{
			name: "jobs-fail", what: "Half of the jobs of a queue fail",
			do: failJobs, undo: stopFailing,
			fires: []string{shopFails}, told: tell(shopFails),
			may: []string{"QueuefleetSupervisorFailureRatioHigh{severity=critical"}, mayTell: []string{"QueuefleetSupervisorFailureRatioHigh{severity=critical"},
		},
		{
			name: "crash-loop", what: "A worker's program ends with an error as soon as it is started",
			do: crash, undo: stopCrashing,
			fires: []string{reportsCrash}, told: page(reportsCrash),
			may: []string{"QueuefleetSupervisorWorkersMissing{"},
		},
		{
			name: "queue-paused", what: "A pool is paused and forgotten while jobs come in",
			do:    func(t *testing.T, f *fleet) { post(t, f.socket(), "/api/v1/pools/shop/pause") },
			undo:  func(t *testing.T, f *fleet) { post(t, f.socket(), "/api/v1/pools/shop/continue") },
			fires: paused, told: tell(paused...),
			may: late, mayTell: late,
		},
		{
			name: "delayed-overdue", what: "Delayed jobs are due on a queue that no worker polls",
			do:    overdue,
			undo:  func(t *testing.T, f *fleet) { f.remove(t, "queues:archive:delayed") },
			fires: []string{overdueJobs}, told: tell(overdueJobs),
		},
		{
			name: "worker-died", what: "A worker died with a job in hand, and nobody takes it back",
			do:    expire,
			undo:  func(t *testing.T, f *fleet) { f.remove(t, "queues:archive:reserved") },
			fires: []string{stalledJobs}, told: tell(stalledJobs),
		},
		{
			name: "horizon-dies", what: "The Horizon of an application dies",
			do:    func(_ *testing.T, f *fleet) { f.horizonDead.Store(true) },
			undo:  func(_ *testing.T, f *fleet) { f.horizonDead.Store(false) },
			fires: []string{horizonGone}, told: page(horizonGone),
		},
		{
			name: "bad-reload", what: "Somebody saves a configuration with a mistake",
			do: func(_ *testing.T, f *fleet) {
				f.configure(func(s string) string { return s + "mistake: yes\n" })
				f.reload()
			},
			undo: func(_ *testing.T, f *fleet) {
				f.configure(nil)
				f.reload()
			},
			fires: []string{exporterOld, supervisorOld}, told: page(exporterOld, supervisorOld),
		},
		{
			name: "supervisor-killed", what: "The supervisor is killed",
			do:    func(_ *testing.T, f *fleet) { f.supervisor.kill() },
			undo:  func(_ *testing.T, f *fleet) { f.supervisor.run("/-/ready") },
			fires: []string{supervisorDown}, told: page(supervisorDown),
			may:     append([]string{"QueuefleetMonitoringBudgetBurn{"}, late...),
			mayTell: late, // the workers are gone with it
		},
		{
			name: "exporter-killed", what: "The exporter is killed",
			do:    func(_ *testing.T, f *fleet) { f.exporter.kill() },
			undo:  func(_ *testing.T, f *fleet) { f.exporter.run("/-/ready") },
			fires: []string{exporterDown}, told: page(exporterDown),
			may: []string{"QueuefleetMonitoringBudgetBurn{"}, mayTell: []string{"QueuefleetMonitoringBudgetBurn{"},
		},
	}
}

// password changes that of the tenants' Redis, which keeps its clients, so they
// are cut.
func (f *fleet) password(t *testing.T, from, to string) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: f.tenants.Addr, Password: from})
	defer client.Close()
	ctx := t.Context()
	if err := client.ConfigSet(ctx, "requirepass", to).Err(); err != nil {
		t.Fatal(err)
	}
	_ = client.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err()
}

func fillMemory(t *testing.T, f *fleet) {
	client, ctx := f.store.Client(), t.Context()
	if err := client.ConfigSet(ctx, "maxmemory", "24mb").Err(); err != nil {
		t.Fatal(err)
	}
	value := strings.Repeat("x", 1<<16)
	for n := 0; ; n++ {
		if err := client.Set(ctx, fmt.Sprintf("fill:%d", n), value, 0).Err(); err != nil {
			if !strings.Contains(err.Error(), "OOM") {
				t.Fatal(err)
			}
			return
		}
	}
}

func freeMemory(t *testing.T, f *fleet) {
	client, ctx := f.store.Client(), t.Context()
	if err := client.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.ConfigSet(ctx, "maxmemory", "256mb").Err(); err != nil {
		t.Fatal(err)
	}
}

// hideApplication moves the folder away and kills the workers, which would not
// notice otherwise. A restart would not do: while none of the new ones starts,
// the supervisor keeps the old ones.
func hideApplication(t *testing.T, f *fleet) {
	if err := os.Rename(f.app.Dir, f.app.Dir+".hidden"); err != nil {
		t.Fatal(err)
	}
	for _, pool := range []string{"shop", "crm"} {
		var got struct {
			Data struct {
				Workers []struct{ PID int } `json:"worker_list"`
			}
		}
		getJSON(t, "http://"+f.supervisor.addr+"/api/v1/pools/"+pool, &got)
		for _, w := range got.Data.Workers {
			if w.PID > 0 {
				_ = syscall.Kill(w.PID, syscall.SIGKILL) // some may have ended meanwhile
			}
		}
	}
}

func showApplication(t *testing.T, f *fleet) {
	if err := os.Rename(f.app.Dir+".hidden", f.app.Dir); err != nil {
		t.Fatal(err)
	}
}

// failJobs adds jobs that fail for as long as a file of that name exists.
func failJobs(t *testing.T, f *fleet) {
	f.write("failing", "", 0o600)
	client := f.main.Client()
	go func() {
		for n := 1 << 20; ; n++ {
			if _, err := os.Stat(f.path("failing")); err != nil {
				return
			}
			_ = pushRaw(context.Background(), client, "high", n, "throw")
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

func stopFailing(t *testing.T, f *fleet) {
	if err := os.Remove(f.path("failing")); err != nil {
		t.Fatal(err)
	}
}

// crash makes the program of the pool of reports end at once, from now on.
func crash(t *testing.T, f *fleet) {
	f.write("crash", "", 0o600)
	text, err := os.ReadFile(f.path("worker.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func stopCrashing(t *testing.T, f *fleet) {
	if err := os.Remove(f.path("crash")); err != nil {
		t.Fatal(err)
	}
}

// overdue adds delayed jobs whose time has come to the queue that nobody works.
func overdue(t *testing.T, f *fleet) {
	due := float64(time.Now().Add(-time.Hour).Unix())
	for n := range 3 {
		member := redis.Z{Score: due, Member: fmt.Sprintf(`{"uuid":"%d","job":"App\\Jobs\\Raw@fire","attempts":0}`, n)}
		if err := f.main.Client().ZAdd(t.Context(), prefix+"queues:archive:delayed", member).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// expire adds a job whose reservation ran out.
func expire(t *testing.T, f *fleet) {
	member := redis.Z{Score: float64(time.Now().Add(-time.Hour).Unix()), Member: `{"uuid":"1","job":"App\\Jobs\\Raw@fire","attempts":1}`}
	if err := f.main.Client().ZAdd(t.Context(), prefix+"queues:archive:reserved", member).Err(); err != nil {
		t.Fatal(err)
	}
}

func (f *fleet) remove(t *testing.T, key string) {
	if err := f.main.Client().Del(t.Context(), prefix+key).Err(); err != nil {
		t.Fatal(err)
	}
}

var update = flag.Bool("update", false, "write the table of faults into docs/alerts.md")

const (
	tableBegin = "<!-- faults: made by make mixin-live -->\n"
	tableEnd   = "<!-- faults: end -->\n"
)

// table is what the faults do, for the documentation.
func table() string {
	var b strings.Builder
	b.WriteString(tableBegin + "\n| what goes wrong | fires | reaches somebody: the rest is silenced by it |\n|---|---|---|\n")
	list := func(alerts []string) string {
		var names []string
		for _, a := range alerts {
			name, _, _ := strings.Cut(a[strings.LastIndex(a, " ")+1:], "{")
			if name = "`" + name + "`"; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	for _, f := range faults() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.what, list(f.fires), list(f.told))
	}
	b.WriteString("\n" + tableEnd)
	return b.String()
}

// TestTable holds the documentation to the drill's own table. It needs nothing
// live: the drill proves the table, this that it is what is written down.
func TestTable(t *testing.T) {
	path := filepath.Join(root, "docs/alerts.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of faults", path)
	}
	want := before + table() + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("the table of faults in %s is not the drill's: go test ./drill -run TestTable -update", path)
	}
}
