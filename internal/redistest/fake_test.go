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

// talk sends PING to a fake and returns what comes back, at most limit bytes.
func talk(t *testing.T, addr string, limit int64) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "*1\r\n$4\r\nping\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(io.LimitReader(c, limit))
	return string(answer), err
}

func TestFakes(t *testing.T) {
	hangs := func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
	ends := func(err error) bool { return err == nil }
	for name, c := range map[string]struct {
		fake   func(testing.TB) *redistest.Fake
		begins string
		then   func(error) bool
	}{
		"silent":           {redistest.Silent, "", hangs},
		"garbage":          {redistest.Garbage, "HTTP/1.1 400", ends},
		"huge bulk":        {redistest.HugeBulk, "$1073741824\r\n:1\r\n", ends},
		"huge array":       {redistest.HugeArray, "*1000000000\r\n:1\r\n", ends},
		"endless line":     {redistest.EndlessLine, "+:1\r\n", ends},
		"closes in middle": {redistest.ClosesInMiddle, "$100\r\nhalf", ends},
		"drip":             {redistest.Drip, "+", hangs},
		"always":           {func(t testing.TB) *redistest.Fake { return redistest.Always(t, "+OK\r\n") }, "+OK\r\n", hangs},
		"replies": {func(t testing.TB) *redistest.Fake {
			return redistest.Replies(t, func(args []string) string { return "+" + strings.Join(args, " ") + "\r\n" })
		}, "+PING\r\n", hangs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := talk(t, c.fake(t).Addr, 1<<20)
			if !strings.HasPrefix(answer, c.begins) || c.begins == "" && answer != "" {
				t.Errorf("answered %.40q, want %q", answer, c.begins)
			}
			if !c.then(err) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}
