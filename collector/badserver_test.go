package collector

import (
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/internal/connection"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

// Each of these spoils its own figures only, with the reason that is true.
func TestBadServersSpoilNothingElse(t *testing.T) {
	always := func(raw string) string { return redistest.Always(t, raw).Addr }
	bad := map[string]struct {
		address string
		reason  connection.Reason
	}{
		"silent":     {redistest.Silent(t).Addr, connection.ReasonTimeout},
		"drip":       {redistest.Drip(t).Addr, connection.ReasonTimeout},
		"garbage":    {redistest.Garbage(t).Addr, connection.ReasonProtocol},
		"huge-bulk":  {redistest.HugeBulk(t).Addr, connection.ReasonProtocol},
		"huge-array": {redistest.HugeArray(t).Addr, connection.ReasonProtocol},
		"endless":    {redistest.EndlessLine(t).Addr, connection.ReasonProtocol},
		"closes":     {redistest.ClosesInMiddle(t).Addr, connection.ReasonEOF},
		"ok-to-all":  {always("+OK\r\n"), connection.ReasonProtocol},
		"loading":    {always("-LOADING Redis is loading the dataset in memory\r\n"), connection.ReasonLoading},
		"masterdown": {always("-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"), connection.ReasonMasterDown},
		"noauth":     {always("-NOAUTH Authentication required.\r\n"), connection.ReasonAuth},
		"noperm":     {always("-NOPERM this user has no permissions to run the 'ping' command\r\n"), connection.ReasonNoPerm},
		"maxclients": {always("-ERR max number of clients reached\r\n"), connection.ReasonMaxClients},
		"refused":    {redistest.FreeAddr(t), connection.ReasonRefused},
		"dns":        {"no-such-host.invalid:6379", connection.ReasonDNS},
	}
	good := redistest.Start(t, redistest.Options{})
	good.Client().RPush(t.Context(), "laravel_database_queues:default", `{"uuid":"a"}`)
	yaml := strings.Builder{}
	yaml.WriteString("global: {probe_timeout: 1s}\nconnections:\n" + connectionYAML("good", good.Addr))
	for name, server := range bad {
		yaml.WriteString(connectionYAML(name, server.address))
	}
	yaml.WriteString("applications: [{slug: shop}]\nqueues:\n")
	yaml.WriteString("  - {application: shop, connection: good, queue_names: [default]}\n")
	for name := range bad {
		yaml.WriteString("  - {application: shop, connection: " + name + ", queue_names: [default]}\n")
	}
	b := newBench(t, Options{})
	b.apply(t, yaml.String())
	s := b.scrape(t)
	for name, server := range bad {
		s.want(t, `redis_up{connection="`+name+`"}`, "0")
		for _, reason := range connection.Reasons() {
			want := "0"
			if reason == server.reason {
				want = "1"
			}
			s.want(t, `redis_probe_failures_total{connection="`+name+`",reason="`+string(reason)+`"}`, want)
		}
		s.absent(t, "redis_queue_jobs", `connection="`+name+`"`)
		s.want(t, `redis_queue_read_success{application="shop",connection="`+name+`",queue="default"}`, "0")
	}
	s.want(t, `redis_up{connection="good"}`, "1")
	s.want(t, `redis_queue_jobs{application="shop",connection="good",queue="default",state="ready"}`, "1")
}
