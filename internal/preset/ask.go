package preset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/queuefleet/queuefleet/internal/proc"
)

// askTimeout is how long an application may take to answer. It has to boot.
const askTimeout = 20 * time.Second

// maxAnswer bounds what of an answer is kept.
const maxAnswer = 256 << 10

// answer is what a process has written and how it ended.
type answer struct {
	lines []string
	exit  *proc.Exit
}

// ask runs a process to its end and collects what it writes.
func ask(ctx context.Context, run Runner, name string, s proc.Spec) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s.DeathSignal = syscall.SIGKILL // nothing is lost with it
	c := &collector{}
	exit, err := run(ctx, proc.Launch{Spec: s, Name: name, Observe: c.line})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = &Error{ReasonProbeFailed, fmt.Sprintf("%s does not end within %s", strings.Join(s.Args, " "), askTimeout)}
		}
		return answer{}, err
	}
	return answer{c.take(), exit}, nil
}

// failed reports whether the process ended otherwise than well.
func (a answer) failed() bool { return a.exit == nil || a.exit.Status != 0 }

// text is the beginning of what was written, for people.
func (a answer) text() string {
	const most = 300
	var lines []string
	for _, line := range a.lines {
		if !strings.HasPrefix(line, proofMark) {
			lines = append(lines, plain(line))
		}
	}
	text := strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	if text == "" {
		return "it writes nothing"
	}
	return text
}

// status is how the process ended, for people.
func (a answer) status() string {
	switch {
	case a.exit == nil:
		return "its end is not known"
	case a.exit.Status.Signaled():
		return "it was killed by signal " + a.exit.Status.Signal().String()
	default:
		return fmt.Sprintf("it ended with status %d", a.exit.Status.ExitStatus())
	}
}

// collector keeps the lines of a process. Somebody may still write when the
// process has ended.
type collector struct {
	mu    sync.Mutex
	size  int
	lines []string
	open  bool // the last line is a piece of a longer one
}

func (c *collector) line(l proc.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(l.Text); c.size > maxAnswer {
		return
	}
	if c.open {
		c.lines[len(c.lines)-1] += l.Text
	} else {
		c.lines = append(c.lines, l.Text)
	}
	c.open = l.More
}

func (c *collector) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := c.lines
	c.lines, c.size, c.open = nil, maxAnswer, false
	return lines
}
