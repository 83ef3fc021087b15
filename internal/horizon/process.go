package horizon

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kind is what a process of a Horizon is.
type Kind string

// The kinds.
const (
	Master     Kind = "master"     // artisan horizon
	Supervisor Kind = "supervisor" // artisan horizon:supervisor, a child of the master
	Worker     Kind = "worker"     // artisan horizon:work, a child of a supervisor
)

// kinds are the commands of artisan that stay.
var kinds = map[string]Kind{"horizon": Master, "horizon:supervisor": Supervisor, "horizon:work": Worker}

// ID is a process for certain: numbers are given away again, but not together
// with the time at which a process began.
type ID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot
}

// Process is one process of a Horizon.
type Process struct {
	ID
	Parent  int       `json:"parent"`
	Session int       `json:"-"` // number of the process that began the session
	Kind    Kind      `json:"kind"`
	Name    string    `json:"supervisor,omitempty"` // of the supervisor that it is or works for, as HOST-abcd:supervisor-1
	Queues  string    `json:"queues,omitempty"`     // joined by commas
	Dir     string    `json:"directory,omitempty"`  // its working directory; empty where that may not be read
	User    int       `json:"uid"`
	Started time.Time `json:"started_at"`
	Command string    `json:"command"` // its arguments up to the name of its queue or supervisor

	script string // artisan's path, as called
}

// Snapshot is the process table of one moment, as far as Horizons are concerned.
type Snapshot struct {
	Processes []Process // by number
	parents   map[int]int
}

// ticks is the unit of the kernel's times, the same on all machines.
const ticks = 100

// Scan reads the process table. It costs some 20 µs a process.
func Scan() (*Snapshot, error) { return scan("/proc") }

func scan(root string) (*Snapshot, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	boot := bootTime(root)
	s := &Snapshot{parents: map[int]int{}}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join(root, e.Name())
		st, err := readStat(dir)
		if err != nil || st.dead {
			continue // it has ended meanwhile
		}
		s.parents[pid] = st.parent
		p, ok := identify(dir)
		if !ok {
			continue
		}
		p.ID, p.Parent, p.Session = ID{pid, st.start}, st.parent, st.session
		p.Started = boot.Add(time.Duration(st.start) * time.Second / ticks)
		s.Processes = append(s.Processes, p)
	}
	slices.SortFunc(s.Processes, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	return s, nil
}

// identify reads what a process is; ok is false where it is no Horizon's.
func identify(dir string) (p Process, ok bool) {
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil || !bytes.Contains(line, []byte("horizon")) {
		return p, false
	}
	args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if p, ok = parse(args); !ok {
		return p, false
	}
	if p.Dir, err = os.Readlink(filepath.Join(dir, "cwd")); err != nil {
		p.Dir = ""
	}
	p.Dir = strings.TrimSuffix(p.Dir, " (deleted)") // the release of an earlier deploy
	if info, err := os.Stat(dir); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			p.User = int(owner.Uid)
		}
	}
	return p, true
}

// parse understands a command line such as
//
//	php artisan horizon:work redis --supervisor=web-1-abcd:mails --queue=mails
func parse(args []string) (p Process, ok bool) {
	at := slices.IndexFunc(args, func(arg string) bool { return filepath.Base(arg) == "artisan" })
	if at < 0 {
		return p, false
	}
	p.script = args[at]
	rest := args[at+1:]
	at = slices.IndexFunc(rest, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if at < 0 {
		return p, false
	}
	if p.Kind, ok = kinds[rest[at]]; !ok {
		return p, false
	}
	shown := []string{"artisan", rest[at]}
	operands := 0
	for _, arg := range rest[at+1:] {
		name, value, _ := strings.Cut(arg, "=")
		switch {
		case name == "--supervisor":
			p.Name = value
			shown = append(shown, arg)
		case name == "--queue":
			p.Queues = value
			shown = append(shown, arg)
		case strings.HasPrefix(arg, "-"):
		case p.Kind == Supervisor && operands == 0:
			p.Name = arg
			shown = append(shown, arg)
			operands++
		default:
			shown = append(shown, arg)
			operands++
		}
	}
	p.Command = strings.Join(shown, " ")
	return p, true
}

// stat is what of /proc/PID/stat matters here.
type stat struct {
	parent, session int
	start           uint64
	dead            bool
}

var errGarbled = errors.New("/proc/PID/stat is garbled")

func readStat(dir string) (stat, error) {
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return stat{}, err
	}
	// The name, in parentheses, may contain anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const startField = 19 // the 22nd of all
	if len(fields) <= startField {
		return stat{}, errGarbled
	}
	parent, err1 := strconv.Atoi(fields[1])
	session, err2 := strconv.Atoi(fields[3])
	if err1 != nil || err2 != nil {
		return stat{}, errGarbled
	}
	start, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return stat{}, errGarbled
	}
	return stat{parent, session, start, fields[0] == "Z" || fields[0] == "X"}, nil
}

func bootTime(root string) time.Time {
	text, err := os.ReadFile(filepath.Join(root, "stat"))
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(text)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
			if err == nil {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}

// Alive reports whether that very process is still there. One that has ended
// and that nobody has waited for is not.
func Alive(id ID) (bool, error) { return alive("/proc", id) }

func alive(root string, id ID) (bool, error) {
	st, err := readStat(filepath.Join(root, strconv.Itoa(id.PID)))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return false, nil
	case err != nil:
		return false, err
	}
	return st.start == id.Start && !st.dead, nil
}

// ErrGone says that a process is not there any more.
var ErrGone = errors.New("the process has ended")

// Signal sends a signal to that very process, never to one that has its number
// by now. The error is ErrGone, or the system's refusal.
func Signal(id ID, signal syscall.Signal) error {
	p, err := os.FindProcess(id.PID) // a handle on whoever has the number now
	if err != nil {
		return ErrGone
	}
	defer p.Release() //nolint:errcheck // nothing is lost with it
	is, err := Alive(id)
	if err != nil {
		return err
	}
	if !is {
		return ErrGone
	}
	if err = p.Signal(signal); errors.Is(err, os.ErrProcessDone) {
		return ErrGone
	}
	return err
}
