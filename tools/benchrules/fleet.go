package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// catalogue is what is needed of docs/metrics.yaml.
type catalogue struct {
	Identity map[string][]string
	Metrics  []struct {
		Name, Type, Scope, Flag string
		Labels                  []struct {
			Name   string
			Values []string
		}
	}
}

func loadCatalogue(path string) (*catalogue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &catalogue{}
	return c, yaml.Unmarshal(text, c)
}

// fleet is so many connections, each with one application, one pool of workers
// and queues.
type fleet struct {
	connections, queues, supervisors int
}

func place(i int) string {
	return fmt.Sprintf(`environment="production",region="region-%d",team="team-%d"`, i%4, i%20)
}

func connection(i int) string { return fmt.Sprintf(`connection="redis-%04d",%s`, i, place(i)) }

func application(i int) string {
	return fmt.Sprintf(`application="app-%d",connection="redis-%04d"`, i%100, i)
}

// values returns the further labels of a metric, one text for each series: all
// combinations of closed sets, one value where a set is open.
func values(labels []struct {
	Name   string
	Values []string
},
) []string {
	all := []string{""}
	for _, l := range labels {
		of := l.Values
		if len(of) == 0 {
			of = []string{"x"}
		}
		if l.Name == "*" {
			continue
		}
		var next []string
		for _, before := range all {
			for _, v := range of {
				next = append(next, fmt.Sprintf(`%s,%s=%q`, before, l.Name, v))
			}
		}
		all = next
	}
	return all
}

// value makes the fleet look alive: most is well, something always is not.
func value(name, labels string, i int) string {
	switch {
	case name == "redis_up" && i%97 == 0, strings.Contains(labels, `status="inactive"`):
		return "0"
	case name == "redis_memory_max_bytes":
		return "1000"
	case strings.HasPrefix(name, "redis_queue_") && i%5 != 0 && !strings.Contains(name, "objective") && !strings.HasSuffix(name, "success") && name != "redis_queue_workers":
		return "0" // four of five queues have nothing to do
	case name == "redis_queue_oldest_job_age_seconds":
		return fmt.Sprint(i % 40)
	case name == "redis_queue_wait_objective_seconds":
		return "30"
	case name == "redis_queue_wait_objective_ratio":
		return "0.99"
	case strings.Contains(name, "paused"), strings.Contains(name, "cannot_start"), strings.Contains(name, "throttled"):
		return "0"
	}
	return fmt.Sprint(1 + i%7)
}

// exporterPage is what an exporter of the fleet serves.
func (f fleet) exporterPage(c *catalogue) []byte {
	var page bytes.Buffer
	for _, m := range c.Metrics {
		if m.Flag != "" || m.Type == "histogram" || strings.HasPrefix(m.Name, "queuefleet_supervisor") {
			continue
		}
		further := values(m.Labels)
		for i := range f.connections {
			switch m.Scope {
			case "connection":
				f.lines(&page, m.Name, connection(i), further, i)
			case "queue":
				for q := range f.queues / f.connections {
					f.lines(&page, m.Name, fmt.Sprintf(`%s,queue="queue-%d",%s`, application(i), q, place(i)), further, i*31+q)
				}
			case "exporter":
				if i == 0 {
					f.lines(&page, m.Name, "", further, 0)
				}
			}
		}
	}
	return page.Bytes()
}

// supervisorPage is what one of the supervisors serves: its share of the pools.
func (f fleet) supervisorPage(c *catalogue, number int) []byte {
	var page bytes.Buffer
	for _, m := range c.Metrics {
		if m.Type == "histogram" || !strings.HasPrefix(m.Name, "queuefleet_supervisor") {
			continue
		}
		perQueue := m.Name == "queuefleet_supervisor_queue_serving_workers" || m.Name == "queuefleet_supervisor_pool_queue_info"
		for i := number; i < f.connections; i += f.supervisors {
			switch {
			case perQueue:
				for q := range f.queues / f.connections {
					labels := fmt.Sprintf(`%s,queue="queue-%d"`, application(i), q)
					if strings.HasSuffix(m.Name, "info") {
						labels += fmt.Sprintf(`,pool="pool-%d"`, i)
					}
					f.lines(&page, m.Name, labels, []string{""}, i)
				}
			case m.Scope == "pool":
				f.lines(&page, m.Name, fmt.Sprintf(`%s,pool="pool-%d",%s`, application(i), i, place(i)), values(m.Labels), i)
			case m.Scope == "source":
				f.lines(&page, m.Name, connection(i), values(m.Labels), i)
			case i == number:
				f.lines(&page, m.Name, "", values(m.Labels), i)
			}
		}
	}
	return page.Bytes()
}

func (f fleet) lines(page *bytes.Buffer, name, identity string, further []string, i int) {
	for _, labels := range further {
		all := strings.Trim(identity+labels, ",")
		fmt.Fprintf(page, "%s{%s} %s\n", name, all, value(name, labels, i))
	}
}

// recorded is the series of a recording of a queue, labels sorted by name.
func recorded(name string, i, q int) [][2]string {
	labels := [][2]string{
		{"__name__", name}, {"application", fmt.Sprintf("app-%d", i%100)}, {"connection", fmt.Sprintf("redis-%04d", i)},
		{"environment", "production"}, {"queue", fmt.Sprintf("queue-%d", q)}, {"region", fmt.Sprintf("region-%d", i%4)}, {"team", fmt.Sprintf("team-%d", i%20)},
	}
	slices.SortFunc(labels, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return labels
}
