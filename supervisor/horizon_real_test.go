package supervisor

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/configs"
	horizons "github.com/queuefleet/queuefleet/internal/horizon"
	"github.com/queuefleet/queuefleet/internal/horizontest"
	"github.com/queuefleet/queuefleet/internal/preset"
)

// shop is an application whose Horizon a real supervisor runs: its process is a
// stand-in, everything else is real.
type shop struct {
	*real
	bench    *horizontest.Bench
	dir      string
	settings horizontest.Settings
	more     map[string]string // further variables
	user     string            // "" = root's, where the test is
	loaded   *configs.Config
}

func newShop(t *testing.T, settings horizontest.Settings) *shop {
	t.Helper()
	s := &shop{real: newReal(t, func(o *Options) { o.Presets = preset.Find }), dir: t.TempDir(), settings: settings}
	s.bench = horizontest.New(t, s.server.Addr)
	s.settings.File = filepath.Join(s.files(), "horizon.php")
	return s
}

func (s *shop) files() string { return filepath.Join(s.dir, "config", "queuefleet") }

// reload takes a configuration into use that differs by a number of tries.
func (s *shop) reload(tries int) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	environment := s.bench.Environment(s.settings)
	maps.Copy(environment, s.more)
	var variables []string
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		variables = append(variables, fmt.Sprintf("%s: %q", name, environment[name]))
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user: " + cmp.Or(s.user, "root") + ","
	}
	text := fmt.Sprintf(`
connections: [{name: main, address: "%s", environment: production}]
applications: [{slug: shop, connections: [{connection: main, primary: true}], horizon: {connection: main, prefix: "%s"}}]
queues:
  - {name: mails, application: shop, connection: main, queue_names: [mails, reports], tries: %d, timeout: 2s,
     worker: {preset: horizon, command: ["%s", artisan, horizon], directory: "%s", generate: "%s", stop_timeout: 3s, %s environment: {%s}}}
`, s.server.Addr, horizontest.Prefix, tries, self, s.dir, s.files(), user, strings.Join(variables, ", "))
	if s.loaded, err = configs.Parse("test.yml", []byte(text)); err != nil {
		s.t.Fatal(err)
	}
	s.set.Apply(s.loaded.Connections)
	s.Apply(s.loaded)
}

// untilBegun waits until so many masters have begun and the last one, which
// read the files of that number of tries, is the pool's.
func (s *shop) untilBegun(masters, tries int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d masters begun, the last with %d tries", masters, tries), func(state *State) bool {
		p, ok := state.Pool("mails")
		if !ok || p.Counts.Running != 1 || p.Counts.Stopping != 0 || p.Preparing {
			return false
		}
		all := s.bench.Masters()
		if len(all) > masters {
			s.t.Fatalf("%d masters have begun, not %d", len(all), masters)
		}
		return len(all) == masters && p.Workers[0].PID == all[masters-1].PID &&
			strings.Contains(all[masters-1].File, fmt.Sprintf("'tries' => %d,", tries))
	})
}

func (s *shop) alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// A hundred reloads, with Horizons of every character: never two of them, no
// job lost, nobody told twice, and what an earlier one has left is told of and
// left alone.
func TestRealHorizonReloads(t *testing.T) {
	often := []horizontest.Mode{
		horizontest.Orderly, horizontest.Fast, horizontest.Crash, horizontest.Orderly, horizontest.Fast, horizontest.Fast,
	}
	s := newShop(t, horizontest.Settings{
		Workers: 2, Death: 50 * time.Millisecond,
		Modes: slices.Concat(often, often, often, []horizontest.Mode{horizontest.Orderly, horizontest.Deaf}),
	})
	orphan := s.orphan()
	reloads, pushed := 100, 0
	if testing.Short() {
		reloads = 20
	}
	push := func() { // so that every worker always has a job
		if todo, _, _ := s.bench.Jobs(); todo < 40 {
			s.bench.Push(pushed, 40, 150*time.Millisecond)
			pushed += 40
		}
	}
	push()
	s.reload(1)
	s.untilBegun(1, 1)
	for i := range reloads {
		push()
		tries := 2 + i
		s.reload(tries)
		if i%5 == 0 {
			s.reload(tries) // the same again: nothing more happens
		}
		s.untilBegun(2+i, tries)
	}
	s.until("all jobs done but those of the killed", func(*State) bool {
		todo, _, _ := s.bench.Jobs()
		return todo == 0
	})
	s.stop()
	<-s.done

	if wrong := s.bench.Wrong(); len(wrong) > 0 {
		t.Errorf("%d times: %v", len(wrong), wrong[0])
	}
	deaf := 0
	told := s.bench.Told()
	for _, m := range s.bench.Masters() {
		if told[m.PID] != 1 {
			t.Errorf("master %d (%s) was told to leave %d times", m.PID, m.Mode, told[m.PID])
		}
		if m.Mode == horizontest.Deaf {
			deaf++
		}
		if s.alive(m.PID) {
			t.Errorf("master %d lives", m.PID)
		}
	}
	p, _ := s.State().Pool("mails")
	todo, reserved, done := s.bench.Jobs()
	if todo+reserved+done != pushed {
		t.Errorf("of %d jobs %d are to do, %d reserved and %d done", pushed, todo, reserved, done)
	}
	if most := 4 * deaf; reserved > most {
		t.Errorf("%d jobs were cut off, at most %d by the %d that had to be killed", reserved, most, deaf)
	}
	if !s.alive(orphan.Process.Pid) {
		t.Error("what an earlier Horizon has left was ended")
	}
	if p.Horizon == nil || !slices.ContainsFunc(p.Horizon.Orphans, func(o horizons.Process) bool { return o.PID == orphan.Process.Pid }) {
		t.Errorf("orphans: %+v", p.Horizon)
	}
	t.Logf("%d masters, %d of them deaf; %d jobs done, %d cut off by kills; %d processes left behind were killed; %d orphans",
		len(s.bench.Masters()), deaf, done, reserved, p.Counters.Leaked, len(p.Horizon.Orphans))
}

// orphan is a worker of an earlier Horizon, which nobody looks after.
func (s *shop) orphan() *exec.Cmd {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(self, "artisan", "horizon:work", "redis", "--supervisor=web-1-gone:mails", "--queue=none")
	c.Dir = s.dir
	for name, value := range horizontest.New(s.t, s.server.Addr+"0").Environment(horizontest.Settings{}) { // nobody is there
		c.Env = append(c.Env, name+"="+value)
	}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// Where the files cannot be what they have to be, the old ones and the running
// Horizon stay.
func TestRealHorizonKeepsItsFiles(t *testing.T) {
	s := newShop(t, horizontest.Settings{Workers: 1})
	s.reload(1)
	s.untilBegun(1, 1)
	read := func() string {
		text, err := os.ReadFile(s.settings.File)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	good := read()
	refused := func(what string, text string) {
		t.Helper()
		s.until(what, func(state *State) bool {
			p, ok := state.Pool("mails")
			return ok && p.CannotStart != nil && p.CannotStart.Reason == ReasonHorizonFiles && strings.Contains(p.CannotStart.Text, text) && !p.Preparing
		})
		if p, _ := s.State().Pool("mails"); p.Counts.Running != 1 || p.Generation != 1 {
			t.Errorf("%s: %+v", what, p.Counts)
		}
		if why, _ := s.State().Why("mails"); !strings.Contains(strings.Join(why.Sentences, " "), text) {
			t.Errorf("why: %q", why.Sentences)
		}
	}
	// Changed by hand.
	edited := strings.Replace(good, "'tries' => 1", "'tries' => 99", 1)
	if err := os.WriteFile(s.settings.File, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(2)
	refused("changed by hand", "changed by hand")
	if read() != edited {
		t.Error("a file that was changed by hand was overwritten")
	}
	if err := os.WriteFile(s.settings.File, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	// PHP does not like them.
	fake := t.TempDir()
	if err := os.WriteFile(filepath.Join(fake, "php"), []byte("#!/bin/sh\necho 'PHP Parse error: unexpected end'\nexit 255\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.more = map[string]string{"PATH": fake}
	s.reload(3)
	refused("refused by PHP", "unexpected end")
	if read() != good {
		t.Error("a file was replaced although PHP refuses the new one")
	}
	if told := s.bench.Told(); len(told) > 0 || len(s.bench.Masters()) != 1 {
		t.Errorf("the running Horizon was touched: %v", told)
	}
	s.more = map[string]string{"PATH": os.Getenv("PATH")}
	s.reload(4)
	s.untilBegun(2, 4)
}

// A supervisor that has died leaves a Horizon that finishes its jobs. The next
// one waits for it.
func TestRealHorizonOfAnEarlierSupervisor(t *testing.T) {
	s := newShop(t, horizontest.Settings{Workers: 1, File: ""})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	earlier := exec.Command(self, "artisan", "horizon")
	earlier.Dir = s.dir
	settings := s.settings
	settings.File = ""
	earlier.Env = os.Environ()
	for name, value := range s.bench.Environment(settings) {
		earlier.Env = append(earlier.Env, name+"="+value)
	}
	if err := earlier.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = earlier.Wait()
		close(ended)
	}()
	t.Cleanup(func() { _ = earlier.Process.Kill() }) // what it has started notices
	for len(s.bench.Masters()) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.reload(1)
	s.until("in the way", func(state *State) bool {
		p, ok := state.Pool("mails")
		return ok && p.CannotStart != nil && p.CannotStart.Reason == ReasonAnotherMaster && len(p.Horizon.Masters) == 1 &&
			p.Horizon.Masters[0].PID == earlier.Process.Pid
	})
	place, err := horizons.Locate(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := horizons.Scan()
	if err != nil {
		t.Fatal(err)
	}
	tree := all.Of(place)
	if err := horizons.Signal(tree.Masters[0].ID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	s.untilBegun(2, 1)
	if wrong := s.bench.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
}
