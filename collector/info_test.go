package collector

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// infoClock stands in for the exporter's clock where a server does not tell its own.
var infoClock = time.Unix(1_800_000_000, 0)

func infoText(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "info", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func infoTexts(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "info", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no INFO texts: %v", err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		if name := filepath.Base(path); !strings.HasPrefix(name, "cluster-info") {
			texts[name] = infoText(t, name)
		}
	}
	return texts
}

func infoBlock(text string) *block {
	var r infoResult
	b := &block{labels: `connection="c"`}
	if parseInfo(text, infoClock, &r) {
		r.add(b)
	}
	return b
}

// seriesOf renders a block without the HELP and TYPE lines.
func seriesOf(b *block) []string {
	var series []string
	for line := range strings.Lines(string(render(allFamilies, []block{*b}))) {
		if !strings.HasPrefix(line, "#") {
			series = append(series, strings.TrimSuffix(line, "\n"))
		}
	}
	return series
}

func TestInfoTexts(t *testing.T) {
	for name, text := range infoTexts(t) {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(seriesOf(infoBlock(text)), "\n") + "\n"
			golden := filepath.Join("testdata", "info", strings.TrimSuffix(name, ".txt")+".series")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
		})
	}
}

// A default scrape of a warm server is about 60 series.
func TestInfoSeriesCount(t *testing.T) {
	if n := len(infoBlock(infoText(t, "redis-5.0.txt")).samples); n < 50 || n > 70 {
		t.Errorf("Redis 5 makes %d series", n)
	}
	if n := len(infoBlock(infoText(t, "redis-7.0.15-cluster.txt")).samples); n < 55 || n > 65 {
		t.Errorf("a fresh Redis 7 makes %d series", n)
	}
}

func TestInfoIdentity(t *testing.T) {
	cases := map[string]infoIdentity{
		"redis-7.0.15-master.txt": {role: "master", version: "7.0.15", mode: "standalone", os: "Linux 6.1.0-18-amd64 x86_64",
			maxmemoryPolicy: "allkeys-lru", port: "21910"},
		"redis-7.0.15-replica.txt": {role: "slave", version: "7.0.15", mode: "standalone", os: "Linux 6.1.0-18-amd64 x86_64",
			maxmemoryPolicy: "noeviction", port: "21911", masterHost: "127.0.0.1", masterPort: "21910", slaveReadOnly: "1"},
		"valkey-8.0.txt": {role: "master", version: "7.2.4", valkeyVersion: "8.0.1", mode: "standalone",
			os: "Linux 5.14.0-503.el9.x86_64 x86_64", maxmemoryPolicy: "noeviction", port: "6379"},
		"miniredis.txt": {},
	}
	for name, want := range cases {
		var r infoResult
		if !parseInfo(infoText(t, name), infoClock, &r) {
			t.Errorf("%s: not understood", name)
		}
		if diff := cmp.Diff(want, r.infoIdentity, cmp.AllowUnexported(infoIdentity{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What has no value in the text, or one that is none, has no series.
func TestInfoUnknownIsAbsent(t *testing.T) {
	cases := map[string][]string{
		"":                                                     nil,
		"+OK":                                                  nil,
		"garbage\r\n:\r\n::\r\n\r\n":                           nil,
		"used_memory:\r\n":                                     nil,
		"used_memory:inf\r\n":                                  nil,
		"used_memory:nan\r\n":                                  nil,
		"used_memory:0x10\r\n":                                 nil,
		"used_memory: 1\r\n":                                   nil,
		"used_memory:1_000\r\n":                                nil,
		"used_memory:1e999\r\n":                                nil,
		"used_memory:12":                                       nil, // cut off
		"used_memory:12\n":                                     {`redis_memory_used_bytes{connection="c"} 12`},
		"used_memory:18446744073709551615\r\n":                 {`redis_memory_used_bytes{connection="c"} 1.8446744073709552e+19`},
		"used_memory:1\r\nused_memory:2\r\n":                   {`redis_memory_used_bytes{connection="c"} 2`},
		"mem_fragmentation_bytes:-4096\r\n":                    {`redis_mem_fragmentation_bytes{connection="c"} -4096`},
		"expired_keys:-1\r\n":                                  nil,
		"rdb_last_bgsave_time_sec:-1\r\n":                      nil,
		"rdb_last_bgsave_time_sec:0\r\n":                       {`redis_rdb_last_bgsave_duration_sec{connection="c"} 0`},
		"rdb_last_bgsave_status:ok\r\n":                        {`redis_rdb_last_bgsave_status{connection="c"} 1`},
		"rdb_last_bgsave_status:err\r\n":                       {`redis_rdb_last_bgsave_status{connection="c"} 0`},
		"rdb_last_bgsave_status:unheard of\r\n":                nil,
		"latest_fork_usec:1500\r\n":                            {`redis_latest_fork_seconds{connection="c"} 0.0015`},
		"db0:keys=x,expires=,avg_ttl\r\n":                      nil,
		"db0:keys=1\r\ndb0:keys=2\r\n":                         {`redis_db_keys{connection="c",db="db0"} 1`},
		"db17:keys=1,expires=0,avg_ttl=1500\r\n":               {`redis_db_keys{connection="c",db="db17"} 1`, `redis_db_keys_expiring{connection="c",db="db17"} 0`, `redis_db_avg_ttl_seconds{connection="c",db="db17"} 1.5`},
		"dbx:keys=1\r\ndb:keys=1\r\n":                          nil,
		"slave0: i1, , running, 0, 0\r\n":                      nil,
		"slave0:ip=::1,port=6,state=online,offset=9,lag=-1\n":  {`redis_connected_slave_offset_bytes{connection="c",slave_ip="::1",slave_port="6",slave_state="online"} 9`},
		"master_host:m\nmaster_link_status:sideways\n":         {`redis_slave_info{connection="c",master_host="m"} 1`},
		"master_host:m\nmaster_last_io_seconds_ago:-1\n":       {`redis_slave_info{connection="c",master_host="m"} 1`},
		"role:\"\\\r\n":                                        {`redis_instance_info{connection="c",role="\"\\"} 1`},
		"os:\xff\xfe\r\n":                                      {"redis_instance_info{connection=\"c\",os=\"\uFFFD\"} 1"},
		"role:" + strings.Repeat("x", 1<<20) + "\r\n":          {`redis_instance_info{connection="c",role="` + strings.Repeat("x", maxLabelBytes) + `"} 1`},
		"uptime_in_seconds:60\nserver_time_usec:90999999\r\n":  {`redis_uptime_in_seconds{connection="c"} 60`, `redis_start_time_seconds{connection="c"} 30`},
		"uptime_in_seconds:60\r\n":                             {`redis_uptime_in_seconds{connection="c"} 60`, `redis_start_time_seconds{connection="c"} 1799999940`},
		"uptime_in_seconds:60\r\nserver_time_usec:nonsense\n":  {`redis_uptime_in_seconds{connection="c"} 60`, `redis_start_time_seconds{connection="c"} 1799999940`},
		strings.Repeat("used_memory", 1<<16) + ":1\r\n:9\r\n#": nil,
	}
	for text, want := range cases {
		if diff := cmp.Diff(want, seriesOf(infoBlock(text))); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", text, diff)
		}
	}
}

// Replicas behind one address may look alike, and a hostile server may name a
// million databases. Neither makes a series twice or a page without end.
func TestInfoLimits(t *testing.T) {
	var text strings.Builder
	for range 3 {
		text.WriteString("slave0:ip=10.0.0.1,port=6379,state=online,offset=1,lag=0\r\n")
	}
	for i := range 5000 {
		text.WriteString("db" + string(appendValue(nil, float64(i))) + ":keys=1\r\n")
	}
	var r infoResult
	parseInfo(text.String(), infoClock, &r)
	if len(r.slaves) != 1 || len(r.dbs) != maxDatabases || r.dropped != 2+5000-maxDatabases {
		t.Errorf("%d replicas, %d databases, %d dropped", len(r.slaves), len(r.dbs), r.dropped)
	}
}

// A text that ends early says less, never something else.
func TestInfoTruncated(t *testing.T) {
	for name, text := range infoTexts(t) {
		whole := map[string]bool{}
		for _, s := range infoBlock(text).samples {
			whole[allFamilies[s.family].name+s.labels] = true
			whole[allFamilies[s.family].name+" "+string(appendValue(nil, s.value))] = true
		}
		for cut := range len(text) {
			for _, s := range infoBlock(text[:cut]).samples {
				if s.family == famInstanceInfo || s.family == famSlaveInfo || s.family == famStartTime {
					continue // made of several lines
				}
				if !whole[allFamilies[s.family].name+" "+string(appendValue(nil, s.value))] {
					t.Fatalf("%s cut after %d bytes: %s = %v", name, cut, allFamilies[s.family].name, s.value)
				}
			}
		}
	}
}

func TestInfoLineEnds(t *testing.T) {
	for name, text := range infoTexts(t) {
		lf := strings.ReplaceAll(text, "\r\n", "\n")
		if diff := cmp.Diff(seriesOf(infoBlock(text)), seriesOf(infoBlock(lf))); diff != "" {
			t.Errorf("%s: CRLF and LF differ:\n%s", name, diff)
		}
	}
}

// A result may be used again; nothing of the INFO before shines through.
func TestInfoReuse(t *testing.T) {
	texts := infoTexts(t)
	var used infoResult
	for before, first := range texts {
		for after, second := range texts {
			parseInfo(first, infoClock, &used)
			parseInfo(second, infoClock, &used)
			b := &block{labels: `connection="c"`}
			used.add(b)
			if diff := cmp.Diff(seriesOf(infoBlock(second)), seriesOf(b)); diff != "" {
				t.Fatalf("%s after %s (-fresh +reused):\n%s", after, before, diff)
			}
		}
	}
}

// The texts of a thousand connections must not stay in memory for a version.
func TestInfoKeepsNothingOfTheText(t *testing.T) {
	text := strings.Clone(infoText(t, "redis-7.0.15-replica.txt"))
	var r infoResult
	parseInfo(text, infoClock, &r)
	start := uintptr(unsafe.Pointer(unsafe.StringData(text)))
	for name, kept := range map[string]string{
		"role": r.role, "version": r.version, "mode": r.mode, "os": r.os, "policy": r.maxmemoryPolicy, "port": r.port,
		"master host": r.masterHost, "master port": r.masterPort, "read only": r.slaveReadOnly, "labels": r.instanceLabel,
	} {
		if kept == "" {
			t.Errorf("%s is missing", name)
		}
		if at := uintptr(unsafe.Pointer(unsafe.StringData(kept))); at >= start && at < start+uintptr(len(text)) {
			t.Errorf("%s points into the text", name)
		}
	}
}

func TestInfoAllocations(t *testing.T) {
	text := infoText(t, "redis-7.0.15-cluster.txt")
	var r infoResult
	if n := testing.AllocsPerRun(10, func() { parseInfo(text, infoClock, &r) }); n != 0 {
		t.Errorf("%v allocations for an INFO like the one before; want none", n)
	}
}

func TestInfoTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range allFamilies {
		f := &allFamilies[i]
		if seen[f.name] {
			t.Errorf("%s is there twice", f.name)
		}
		seen[f.name] = true
		if f.name == "" || f.help == "" || !strings.HasSuffix(f.help, ".") || (f.kind != gauge && f.kind != counter) {
			t.Errorf("family %d is not whole: %+v", i, *f)
		}
	}
	for i := range infoTable {
		if at := infoIndex.find(infoTable[i].field); int(at) != i {
			t.Errorf("%s is found at %d, not %d", infoTable[i].field, at, i)
		}
	}
	for id, name := range map[familyID]string{
		coreFamilyCount: "redis_uptime_in_seconds", famInstanceInfo: "redis_instance_info", famDBAverageTTL: "redis_db_avg_ttl_seconds",
		famSlowlogLength: "redis_slowlog_length", clusterFamilyFirst: "redis_cluster_state", famCommands: "redis_commands_total",
		famErrors: "redis_errors_total", famLatencySpikeLast: "redis_latency_spike_last", famLatencyPercentiles: "redis_latency_percentiles_usec",
	} {
		if allFamilies[id].name != name {
			t.Errorf("family %d is %s, not %s", id, allFamilies[id].name, name)
		}
	}
	if int(latencyFamilyEnd) != len(allFamilies) {
		t.Errorf("%d families, but identifiers up to %d", len(allFamilies), latencyFamilyEnd)
	}
}

func FuzzParseInfo(f *testing.F) {
	for _, text := range infoTexts(f) {
		f.Add(text)
	}
	f.Add("db0:keys=1,=,,=\r\nslave0:ip=\xff\nrole:\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		checkPage(t, infoBlock(text))
	})
}

// checkPage fails where a page with the block would be refused or would state
// what nobody said.
func checkPage(t *testing.T, b *block) {
	t.Helper()
	last := familyID(-1)
	seen := map[string]bool{}
	for _, s := range b.samples {
		name := allFamilies[s.family].name
		if s.family < last {
			t.Errorf("%s is out of order", name)
		}
		last = s.family
		if math.IsNaN(s.value) || math.IsInf(s.value, 0) {
			t.Errorf("%s is %v", name, s.value)
		}
		if seen[name+s.labels] {
			t.Errorf("%s{%s} is there twice", name, s.labels)
		}
		seen[name+s.labels] = true
	}
	checkExposition(t, render(allFamilies, []block{*b}))
}

func BenchmarkParseInfo(b *testing.B) {
	text := infoText(b, "redis-7.0.15-master.txt")
	var r infoResult
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		parseInfo(text, infoClock, &r)
	}
}
