package proc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func testEnv(t *testing.T, variables map[string]string) Env {
	t.Helper()
	env, err := NewEnv(variables)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func TestHashFollowsTheSpec(t *testing.T) {
	salt, umask, otherUmask := NewSalt(), uint32(0o22), uint32(0o27)
	base := func() Spec {
		return Spec{
			Path: "/bin/a", Args: []string{"a", "b"}, Dir: "/", Env: testEnv(t, map[string]string{"A": "1", "B": "2"}),
			User: &Identity{UID: 1, GID: 2, Groups: []uint32{3}}, Umask: &umask, Nice: 1, Limits: []Limit{{"nofile", 1, 2}},
			StopSignal: syscall.SIGTERM, StopTimeout: time.Second, DeathSignal: syscall.SIGTERM, MemoryMax: 1,
		}
	}
	first := base()
	same := base()
	same.StopTimeout, same.StopSignal = time.Hour, 0 // 0 means the same
	if first.Hash(salt) != same.Hash(salt) {
		t.Error("the same Spec has another hash")
	}
	if first.Hash(salt) == first.Hash(NewSalt()) {
		t.Error("the salt does not matter")
	}
	seen := map[Hash]string{first.Hash(salt): "base"}
	for name, change := range map[string]func(*Spec){
		"path": func(s *Spec) { s.Path = "/bin/b" }, "args": func(s *Spec) { s.Args = []string{"a b"} },
		"more args": func(s *Spec) { s.Args = append(s.Args, "") }, "dir": func(s *Spec) { s.Dir = "/tmp" },
		"value": func(s *Spec) { s.Env = testEnv(t, map[string]string{"A": "1", "B": "3"}) },
		"name":  func(s *Spec) { s.Env = testEnv(t, map[string]string{"A": "1", "C": "2"}) },
		"env":   func(s *Spec) { s.Env = Env{} }, "no user": func(s *Spec) { s.User = nil },
		"uid": func(s *Spec) { s.User.UID++ }, "gid": func(s *Spec) { s.User.GID++ },
		"groups": func(s *Spec) { s.User.Groups = nil }, "umask": func(s *Spec) { s.Umask = &otherUmask },
		"no umask": func(s *Spec) { s.Umask = nil }, "nice": func(s *Spec) { s.Nice = -1 },
		"limits": func(s *Spec) { s.Limits = nil }, "soft": func(s *Spec) { s.Limits[0].Soft = 0 },
		"stop signal": func(s *Spec) { s.StopSignal = syscall.SIGQUIT }, "death signal": func(s *Spec) { s.DeathSignal = 0 },
		"memory": func(s *Spec) { s.MemoryMax = 0 },
		"linger": func(s *Spec) { s.Linger = true },
	} {
		s := base()
		change(&s)
		if other, taken := seen[s.Hash(salt)]; taken {
			t.Errorf("a change of %s has the hash of %s", name, other)
		}
		seen[s.Hash(salt)] = name
	}
}

func TestEnvNeverPrintsAValue(t *testing.T) {
	spec := Spec{Env: testEnv(t, map[string]string{"REDIS_PASSWORD": "hunter2"})}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("spec", "spec", spec, "env", spec.Env)
	slog.New(slog.NewTextHandler(&log, nil)).Info("spec", "spec", spec, "env", spec.Env)
	marshalled, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(marshalled) + spec.Hash(NewSalt()).String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(verb, spec) + fmt.Sprintf(verb, &spec) + fmt.Sprintf(verb, spec.Env) +
			fmt.Sprintf(verb, struct{ s Spec }{spec}) + fmt.Sprintf(verb, struct{ e *Env }{&spec.Env})
	}
	for _, form := range []string{"hunter2", "68756e74657232", "104 117 110"} {
		if strings.Contains(printed, form) {
			t.Errorf("%q is in %s", form, printed)
		}
	}
	if !strings.Contains(string(marshalled), "REDIS_PASSWORD") {
		t.Errorf("the names are missing in %s", marshalled)
	}
}

func TestEnv(t *testing.T) {
	env := testEnv(t, map[string]string{"B": "2=3", "A": ""})
	if got := env.Names(); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("names are %q", got)
	}
	if value, ok := env.Lookup("B"); value != "2=3" || !ok {
		t.Errorf("B is %q, %v", value, ok)
	}
	if _, ok := env.Lookup("C"); ok || !env.Equal(testEnv(t, map[string]string{"A": "", "B": "2=3"})) || env.Equal(Env{}) {
		t.Error("a variable that is none, or no equality")
	}
	for name, value := range map[string]string{"": "x", "A=B": "x", "A\x00": "x", "OK": "secret\x00"} {
		if _, err := NewEnv(map[string]string{name: value}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q=%q: %v", name, value, err)
		}
	}
}

func TestExitReason(t *testing.T) {
	exited := func(code int) syscall.WaitStatus { return syscall.WaitStatus(code << 8) }
	signaled := func(s syscall.Signal) syscall.WaitStatus { return syscall.WaitStatus(s) }
	cases := []struct {
		name string
		exit Exit
		in   Context
		want Reason
	}{
		{"clean", Exit{}, Context{Asked: ReasonReload}, ReasonClean},
		{"recycled", Exit{}, Context{Clean: ReasonMaxJobs}, ReasonMaxJobs},
		{"error", Exit{Status: exited(1)}, Context{MemoryCode: 12}, ReasonError},
		{"own memory limit", Exit{Status: exited(12)}, Context{MemoryCode: 12}, ReasonMemory},
		{"no such convention", Exit{Status: exited(12)}, Context{}, ReasonError},
		{"ceiling", Exit{Status: signaled(syscall.SIGKILL), OutOfMemory: true}, Context{}, ReasonMemory},
		{"signal", Exit{Status: signaled(syscall.SIGSEGV)}, Context{}, ReasonSignal},
		{"job timeout", Exit{Status: signaled(syscall.SIGKILL)}, Context{TimedOut: true}, ReasonTimeout},
		{"stopped", Exit{Stopped: true}, Context{Asked: ReasonScaleDown}, ReasonScaleDown},
		{"stopped without a handler", Exit{Stopped: true, Status: signaled(syscall.SIGTERM)}, Context{Asked: ReasonReload}, ReasonReload},
		{"stopped before it ran", Exit{Stopped: true, NeverRan: true}, Context{Asked: ReasonReload}, ReasonReload},
		{"killed while starting", Exit{NeverRan: true, Status: signaled(syscall.SIGKILL)}, Context{}, ReasonSignal},
		{"deadline", Exit{Stopped: true, Killed: true, Status: signaled(syscall.SIGKILL)}, Context{Asked: ReasonReload}, ReasonTimeout},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := c.exit.Reason(c.in)
			if got != c.want || !slices.Contains(Reasons(), got) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestStartReasons(t *testing.T) {
	for _, at := range []stage{stageFork, stageSetup, stageLimit, stageNice, stageUser, stageDirectory, stageDeathSignal, stageExec} {
		for errno := syscall.Errno(1); errno < 134; errno++ {
			if got := reasonOf(at, errno); !slices.Contains(StartReasons(), got) {
				t.Errorf("%s: %v is %q", at, errno, got)
			}
		}
		if got := reasonOf(at, syscall.EAGAIN); got != NoResources {
			t.Errorf("%s: EAGAIN is %q", at, got)
		}
	}
}
