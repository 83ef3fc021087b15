package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// ask sends a section's commands in one pipeline, as a probe does.
func ask(t *testing.T, client *redis.Client, s *section) ([]string, error) {
	t.Helper()
	pipe := client.Pipeline()
	add := s.enqueue(t.Context(), pipe)
	_, _ = pipe.Exec(t.Context()) // add sees each command's error
	b := &block{}
	err := add(b)
	checkPage(t, b)
	return seriesOf(b), err
}

func names(series []string) []string {
	var names []string
	for _, s := range series {
		names = append(names, s[:strings.LastIndexByte(s, ' ')])
	}
	return names
}

func TestSectionsOnRedis(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Lines: []string{
		"slowlog-log-slower-than 0", "latency-monitor-threshold 1", "enable-debug-command local",
	}})
	client := server.Client()
	ctx := t.Context()
	for _, do := range [][]any{{"rpush", "list", "a", "b"}, {"get", "list"}, {"debug", "sleep", "0.01"}, {"nosuchcommand"}} {
		if err := client.Do(ctx, do...).Err(); err != nil && !isReplyError(err) {
			t.Fatal(err)
		}
	}

	slowlog, err := ask(t, client, &slowlogSection)
	if want := []string{"redis_slowlog_length", "redis_slowlog_last_id", "redis_last_slow_execution_duration_seconds"}; err != nil || !slices.Equal(names(slowlog), want) {
		t.Errorf("slowlog: %q, %v", slowlog, err)
	}
	if slices.Contains(slowlog, "redis_slowlog_length 0") {
		t.Error("the slow log is empty although every command is slow")
	}

	stats, err := ask(t, client, &commandstatsSection)
	if err != nil {
		t.Errorf("commandstats: %v", err)
	}
	for _, want := range []string{
		`redis_commands_total{cmd="rpush"} 1`, `redis_commands_failed_calls_total{cmd="get"} 1`, `redis_commands_rejected_calls_total{cmd="get"} 0`,
		`redis_errors_total{err="WRONGTYPE"} 1`,
	} {
		if !slices.Contains(stats, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(stats, "\n"))
		}
	}

	latency, err := ask(t, client, &latencySection)
	if err != nil {
		t.Errorf("latency: %v", err)
	}
	for _, want := range []string{
		`redis_latency_spike_last{event_name="command"}`, `redis_latency_spike_duration_seconds{event_name="command"}`,
		`redis_latency_percentiles_usec{cmd="rpush",quantile="50"}`, `redis_latency_percentiles_usec{cmd="rpush",quantile="99.9"}`,
	} {
		if !slices.Contains(names(latency), want) {
			t.Errorf("no %s in\n%s", want, strings.Join(latency, "\n"))
		}
	}

	cluster, err := ask(t, client, &clusterSection)
	if len(cluster) > 0 || !refusedOnce(err) {
		t.Errorf("CLUSTER INFO of a server without Cluster: %q, %v", cluster, err)
	}
}

func isReplyError(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// refusedOnce is an error reply that may be another the next time.
func refusedOnce(err error) bool { return isReplyError(err) && !refusedForGood(err) }

func TestSectionsRefused(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Users: []string{"exporter on >secret ~* +ping +slowlog|len"}})
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "exporter", Password: "secret", DisableIdentity: true})
	defer client.Close()
	for _, s := range []*section{&commandstatsSection, &latencySection, &clusterSection} {
		if series, err := ask(t, client, s); len(series) > 0 || !refusedForGood(err) {
			t.Errorf("%s: %q, %v; want nothing, refused for good", s.name, series, err)
		}
	}
	series, err := ask(t, client, &slowlogSection)
	if !slices.Equal(series, []string{"redis_slowlog_length 0"}) || !refusedForGood(err) {
		t.Errorf("slowlog: %q, %v; want what is allowed, and an error", series, err)
	}
}

func TestRefusedForGood(t *testing.T) {
	for text, want := range map[string]bool{
		"NOPERM User exporter has no permissions to run the 'slowlog|get' command": true,
		"ERR unknown command 'latency'":                                            true,
		"ERR Unknown subcommand or wrong number":                                   true,
		"LOADING Redis is loading the dataset in memory":                           false,
		"BUSY Redis is busy running a script":                                      false,
		"ERR internal error":                                                       false,
	} {
		if got := refusedForGood(fmt.Errorf("slowlog get: %w", replyError(text))); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if refusedForGood(errors.New("NOPERM, says somebody else")) {
		t.Error("an error that is no reply counts as refused")
	}
}

type replyError string

func (e replyError) Error() string { return string(e) }
func (e replyError) RedisError()   {}

func TestSlowlogForms(t *testing.T) {
	entry := []any{int64(7), int64(1700000000), int64(12345), []any{"get", "secret:token"}}
	cases := map[string]struct {
		length, newest *redis.Cmd
		want           []string
		ok             bool
	}{
		"entry":      {redis.NewCmdResult(int64(3), nil), redis.NewCmdResult([]any{entry}, nil), []string{"redis_slowlog_length 3", "redis_slowlog_last_id 7", "redis_last_slow_execution_duration_seconds 0.012345"}, true},
		"empty":      {redis.NewCmdResult(int64(0), nil), redis.NewCmdResult([]any{}, nil), []string{"redis_slowlog_length 0"}, true},
		"no length":  {redis.NewCmdResult(nil, replyError("NOPERM")), redis.NewCmdResult([]any{entry}, nil), []string{"redis_slowlog_last_id 7", "redis_last_slow_execution_duration_seconds 0.012345"}, false},
		"short":      {redis.NewCmdResult(int64(3), nil), redis.NewCmdResult([]any{[]any{int64(7)}}, nil), []string{"redis_slowlog_length 3"}, false},
		"texts":      {redis.NewCmdResult("many", nil), redis.NewCmdResult([]any{[]any{"7", "8", "9"}}, nil), nil, false},
		"not a list": {redis.NewCmdResult(int64(3), nil), redis.NewCmdResult("OK", nil), []string{"redis_slowlog_length 3"}, false},
	}
	for name, c := range cases {
		b := &block{}
		err := addSlowlog(b, c.length, c.newest)
		if diff := cmp.Diff(c.want, seriesOf(b)); diff != "" || (err == nil) != c.ok {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestCommandstatsForms(t *testing.T) {
	b := &block{}
	err := addCommandstats(b, "# Commandstats\r\ncmdstat_get:calls=21,usec=175000,usec_per_call=8.33\r\n"+
		"cmdstat_config|get:calls=1,usec=2,usec_per_call=2.00,rejected_calls=3,failed_calls=4\r\ncmdstat_x\"\\:calls=none,usec=-1\r\ncmdstat_:calls=1\r\nother:calls=1\r\ncmdstat_cut:calls=1")
	want := []string{
		`redis_commands_total{cmd="get"} 21`, `redis_commands_total{cmd="config|get"} 1`,
		`redis_commands_duration_seconds_total{cmd="get"} 0.175`, `redis_commands_duration_seconds_total{cmd="config|get"} 2e-06`,
		`redis_commands_rejected_calls_total{cmd="config|get"} 3`, `redis_commands_failed_calls_total{cmd="config|get"} 4`,
	}
	if diff := cmp.Diff(want, seriesOf(b)); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// A script can return errors whose first word is different each time.
func TestStatisticsLimits(t *testing.T) {
	var errorstats, commandstats, latencystats strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&errorstats, "errorstat_E%d:count=1\r\n", i)
		fmt.Fprintf(&commandstats, "cmdstat_c%d:calls=1\r\n", i)
		fmt.Fprintf(&latencystats, "latency_percentiles_usec_c%d:p1=1,p2=1,p3=1,p4=1,p5=1,p6=1,p7=1,p8=1,p9=1\r\n", i)
	}
	events := make([]any, 100)
	for i := range events {
		events[i] = []any{fmt.Sprint(i), int64(1), int64(2), int64(3)}
	}
	for name, c := range map[string]struct {
		add  func(*block) error
		want int
	}{
		"errorstats":   {func(b *block) error { return addErrorstats(b, errorstats.String()) }, maxErrorKinds},
		"commandstats": {func(b *block) error { return addCommandstats(b, commandstats.String()) }, maxCommands},
		"latencystats": {func(b *block) error { return addPercentiles(b, latencystats.String()) }, maxCommands * maxPercentiles},
		"latency":      {func(b *block) error { return addSpikes(b, events) }, 2 * maxLatencyEvents},
	} {
		b := &block{}
		if err := c.add(b); !errors.Is(err, errTooMany) || len(b.samples) != c.want {
			t.Errorf("%s: %d series, %v; want %d and an error", name, len(b.samples), err, c.want)
		}
	}
}

func TestLatencyForms(t *testing.T) {
	b := &block{}
	spike := []any{"fork", int64(1700000000), int64(15), int64(40)}
	err := addSpikes(b, []any{spike, spike, []any{"short"}, "text", []any{"", int64(1), int64(2)}, []any{"f", "1", "2"}})
	err = errors.Join(err, addPercentiles(b, "latency_percentiles_usec_get:p50=0.001,p99.9=1.003,p50=9,q=1,px=1\r\n"))
	want := []string{
		`redis_latency_spike_last{event_name="fork"} 1700000000`, `redis_latency_spike_duration_seconds{event_name="fork"} 0.015`,
		`redis_latency_percentiles_usec{cmd="get",quantile="50"} 0.001`, `redis_latency_percentiles_usec{cmd="get",quantile="99.9"} 1.003`,
	}
	if diff := cmp.Diff(want, seriesOf(b)); diff != "" || err == nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestClusterInfo(t *testing.T) {
	b := &block{}
	if err := addCluster(b, infoText(t, "cluster-info-7.0.15.txt")); err != nil {
		t.Error(err)
	}
	want := []string{
		"redis_cluster_state 1", "redis_cluster_slots_assigned 16384", "redis_cluster_slots_ok 16384", "redis_cluster_slots_pfail 0",
		"redis_cluster_slots_fail 0", "redis_cluster_known_nodes 1", "redis_cluster_size 1", "redis_cluster_current_epoch 0",
		"redis_cluster_my_epoch 0", "redis_cluster_messages_sent_total 0", "redis_cluster_messages_received_total 0",
	}
	if diff := cmp.Diff(want, seriesOf(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b = &block{}
	if err := addCluster(b, "+OK\r\n"); !errors.Is(err, errReplyForm) || len(b.samples) > 0 {
		t.Errorf("%v and %d series of what is no CLUSTER INFO", err, len(b.samples))
	}
}

func FuzzStatistics(f *testing.F) {
	f.Add(infoText(f, "redis-7.0.15-all.txt"))
	f.Add("cmdstat_\xff:calls=1\ncmdstat_\xfe:calls=2\nerrorstat_a:count=1,count=2\nlatency_percentiles_usec_x:p1=1,p1=2\n")
	f.Fuzz(func(t *testing.T, text string) {
		b := &block{}
		_ = addCluster(b, text)
		_ = addCommandstats(b, text)
		_ = addErrorstats(b, text)
		_ = addPercentiles(b, text)
		checkPage(t, b)
	})
}
