package redistest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// talk sends PING to a fake and returns what comes back: as much as want where
// that comes, then what ended it, or a timeout where nothing does.
func talk(t *testing.T, addr, want string) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "*1\r\n$4\r\nping\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len(want))
	if n, err := io.ReadFull(c, answer); err != nil {
		return string(answer[:n]), err
	}
	if err := c.SetDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(io.Discard, c, 1<<20)
	return string(answer), err
}

func TestFakes(t *testing.T) {
	hangs := func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
	ends := func(err error) bool { return errors.Is(err, io.EOF) }
	floods := func(err error) bool { return err == nil || hangs(err) } // hangs where the machine is too busy
	for name, c := range map[string]struct {
		fake   func(testing.TB) *redistest.Fake
		begins string
		then   func(error) bool
	}{
		"silent":           {redistest.Silent, "", hangs},
		"garbage":          {redistest.Garbage, "HTTP/1.1 400", ends},
		"huge bulk":        {redistest.HugeBulk, "$1073741824\r\n:1\r\n", floods},
		"huge array":       {redistest.HugeArray, "*1000000000\r\n:1\r\n", floods},
		"endless line":     {redistest.EndlessLine, "+:1\r\n", floods},
		"closes in middle": {redistest.ClosesInMiddle, "$100\r\nhalf", ends},
		"drip":             {redistest.Drip, "+", hangs},
		"always":           {func(t testing.TB) *redistest.Fake { return redistest.Always(t, "+OK\r\n") }, "+OK\r\n", hangs},
		"replies": {func(t testing.TB) *redistest.Fake {
			return redistest.Replies(t, func(args []string) string { return "+" + strings.Join(args, " ") + "\r\n" })
		}, "+PING\r\n", hangs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := talk(t, c.fake(t).Addr, c.begins)
			if answer != c.begins {
				t.Errorf("answered %.40q, want %q", answer, c.begins)
			}
			if !c.then(err) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}
