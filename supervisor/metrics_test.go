package supervisor

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	register := func(o *Options) { o.Registerer = registry }
	config := fleet(queueConfig{name: "a", queues: "x, y", preset: "laravel", min: 1, max: 4}, queueConfig{name: "b", min: 1, max: 1})
	inBubble(t, config, register, func(b *bench) {
		b.advance(time.Second)
		b.processes.running()[0].says("begin")
		b.processes.running()[0].says("processed 250")
		b.processes.running()[1].says("begin")
		b.advance(time.Second)
		problems, err := testutil.GatherAndLint(registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		for name, want := range map[string]string{
			"queuefleet_supervisor_workers_busy": `
# HELP queuefleet_supervisor_workers_busy Workers that have a job.
# TYPE queuefleet_supervisor_workers_busy gauge
queuefleet_supervisor_workers_busy{application="shop",connection="main",pool="a"} 1
`,
			"queuefleet_supervisor_workers": `
# HELP queuefleet_supervisor_workers Worker places by state; backoff ones have no process.
# TYPE queuefleet_supervisor_workers gauge
queuefleet_supervisor_workers{application="shop",connection="main",pool="a",state="backoff"} 0
queuefleet_supervisor_workers{application="shop",connection="main",pool="a",state="running"} 2
queuefleet_supervisor_workers{application="shop",connection="main",pool="a",state="starting"} 0
queuefleet_supervisor_workers{application="shop",connection="main",pool="a",state="stopping"} 0
queuefleet_supervisor_workers{application="shop",connection="main",pool="b",queue="b",state="backoff"} 0
queuefleet_supervisor_workers{application="shop",connection="main",pool="b",queue="b",state="running"} 1
queuefleet_supervisor_workers{application="shop",connection="main",pool="b",queue="b",state="starting"} 0
queuefleet_supervisor_workers{application="shop",connection="main",pool="b",queue="b",state="stopping"} 0
`,
			"queuefleet_supervisor_jobs_processed_total": `
# HELP queuefleet_supervisor_jobs_processed_total Ended attempts at jobs by result, as the workers' output tells.
# TYPE queuefleet_supervisor_jobs_processed_total counter
queuefleet_supervisor_jobs_processed_total{application="shop",connection="main",pool="a",result="failed"} 0
queuefleet_supervisor_jobs_processed_total{application="shop",connection="main",pool="a",result="lost"} 0
queuefleet_supervisor_jobs_processed_total{application="shop",connection="main",pool="a",result="processed"} 1
queuefleet_supervisor_jobs_processed_total{application="shop",connection="main",pool="a",result="released"} 0
`,
			"queuefleet_supervisor_queue_source_up": `
# HELP queuefleet_supervisor_queue_source_up 1 if the connection that the queues are read from answers.
# TYPE queuefleet_supervisor_queue_source_up gauge
queuefleet_supervisor_queue_source_up{connection="main"} 1
`,
			"queuefleet_supervisor_queue_serving_workers": `
# HELP queuefleet_supervisor_queue_serving_workers Running workers that take jobs of the queue; those of pools that serve several queues count for each.
# TYPE queuefleet_supervisor_queue_serving_workers gauge
queuefleet_supervisor_queue_serving_workers{application="shop",connection="main",queue="b"} 1
queuefleet_supervisor_queue_serving_workers{application="shop",connection="main",queue="x"} 1
queuefleet_supervisor_queue_serving_workers{application="shop",connection="main",queue="y"} 1
`,
		} {
			if err := testutil.GatherAndCompare(registry, strings.NewReader(want), name); err != nil {
				t.Error(err)
			}
		}
	})
}
