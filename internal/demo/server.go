package demo

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// embedded is a Redis within this process. It keeps real data and answers
// INFO with what is true about it: a figure that it has no notion of, such as
// the memory used, is left out rather than invented.
type embedded struct {
	*miniredis.Miniredis
	started  time.Time
	answered atomic.Int64 // commands answered here, which miniredis does not count
}

// startEmbedded starts a server on a free port of 127.0.0.1. An empty
// password means that it asks for none.
func startEmbedded(password string) (*embedded, error) {
	s := &embedded{Miniredis: miniredis.NewMiniRedis(), started: time.Now()}
	s.ClockTTL(true)
	s.RequireAuth(password)
	if err := s.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start an embedded Redis: %w", err)
	}
	s.Server().SetPreHook(s.answer)
	return s, nil
}

// answer takes the commands that miniredis knows too little about.
func (s *embedded) answer(c *server.Peer, cmd string, args ...string) bool {
	switch cmd {
	case "INFO":
		c.WriteBulk(s.info(args))
	case "SLOWLOG": // it keeps none, so it is empty
		if len(args) == 1 && strings.EqualFold(args[0], "len") {
			c.WriteInt(0)
		} else {
			c.WriteLen(0)
		}
	default:
		return false
	}
	s.answered.Add(1)
	return true
}

// info writes the sections asked for, all of them by default.
func (s *embedded) info(sections []string) string {
	wanted := map[string]bool{}
	for _, name := range sections {
		wanted[strings.ToLower(name)] = true
	}
	all := len(wanted) == 0 || wanted["default"] || wanted["all"] || wanted["everything"]
	var b strings.Builder
	for _, section := range []struct {
		name  string
		write func(*strings.Builder)
	}{
		{"Server", s.infoServer}, {"Clients", s.infoClients}, {"Memory", s.infoMemory}, {"Persistence", s.infoPersistence},
		{"Stats", s.infoStats}, {"Replication", s.infoReplication}, {"Cluster", s.infoCluster}, {"Keyspace", s.infoKeyspace},
	} {
		if !all && !wanted[strings.ToLower(section.name)] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + section.name + "\r\n")
		section.write(&b)
	}
	return b.String()
}

func (s *embedded) infoServer(b *strings.Builder) {
	uptime := time.Since(s.started)
	fmt.Fprintf(b, "redis_version:%s\r\nredis_mode:standalone\r\nos:%s\r\narch_bits:%d\r\nprocess_id:%d\r\ntcp_port:%s\r\n",
		embeddedVersion(), runtime.GOOS, 32<<(^uint(0)>>63), os.Getpid(), s.Port())
	fmt.Fprintf(b, "server_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		time.Now().UnixMicro(), int(uptime.Seconds()), int(uptime.Hours()/24))
}

func (s *embedded) infoClients(b *strings.Builder) {
	fmt.Fprintf(b, "connected_clients:%d\r\n", s.CurrentConnectionCount())
}

// infoMemory: there is no limit, hence nothing is ever evicted. What is used is not known.
func (s *embedded) infoMemory(b *strings.Builder) {
	b.WriteString("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n")
}

func (s *embedded) infoPersistence(b *strings.Builder) {
	b.WriteString("loading:0\r\naof_enabled:0\r\n")
}

func (s *embedded) infoStats(b *strings.Builder) {
	fmt.Fprintf(b, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\nrejected_connections:0\r\nevicted_keys:0\r\n",
		s.TotalConnectionCount(), int64(s.CommandCount())+s.answered.Load())
}

func (s *embedded) infoReplication(b *strings.Builder) {
	b.WriteString("role:master\r\nconnected_slaves:0\r\n")
}

func (s *embedded) infoCluster(b *strings.Builder) {
	b.WriteString("cluster_enabled:0\r\n")
}

func (s *embedded) infoKeyspace(b *strings.Builder) {
	for i := range 16 {
		db := s.DB(i)
		keys := db.Keys()
		if len(keys) == 0 {
			continue
		}
		var expires int
		var left time.Duration
		for _, k := range keys {
			if ttl := db.TTL(k); ttl > 0 {
				expires++
				left += ttl
			}
		}
		average := int64(0)
		if expires > 0 {
			average = (left / time.Duration(expires)).Milliseconds()
		}
		fmt.Fprintf(b, "db%d:keys=%d,expires=%d,avg_ttl=%d\r\n", i, len(keys), expires, average)
	}
}

// embeddedVersion names what this server is, which is no release of Redis.
func embeddedVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/alicebob/miniredis/v2" {
				return "miniredis-" + m.Version
			}
		}
	}
	return "miniredis"
}
