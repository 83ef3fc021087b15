package platform

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// The forms in which Prometheus can scrape a fleet.
const (
	FormAggregated = "aggregated" // one page with everything
	FormSharded    = "sharded"    // one target a connection
)

//go:embed prometheus.yml.tmpl
var prometheusTemplate string

const (
	// headroom is what a scrape takes beyond the slowest probe: rendering, sending,
	// and the exporter's own --web.timeout-offset.
	headroom     = time.Second
	usualTimeout = 10 * time.Second
	ownInterval  = time.Minute

	// Rough figures, for limits that are multiples of them.
	seriesOfExporter   = 120
	seriesOfConnection = 90
	seriesOfQueue      = 15
	bytesOfSeries      = 150
)

// Prometheus says what a scrape configuration is to hold beyond what the
// fleet's configuration says.
type Prometheus struct {
	Form          string
	Exporters     []string // host:port; they all read the same configuration
	Supervisors   []string
	Interval      time.Duration
	Shard, Shards int // this Prometheus is number Shard of Shards, from 0
	RuleFiles     []string
	Alertmanagers []string
	Client        HTTPClient
}

// HTTPClient is how Prometheus reaches the programs.
type HTTPClient struct {
	Scheme                 string
	CAFile                 string
	Username, PasswordFile string
}

// scrape is what the template is filled with.
type scrape struct {
	Prometheus
	Whole                  bool // more than scrape configurations
	Interval, OwnInterval  string
	Timeout, TimeoutReason string
	Series, SampleLimit    int
	Megabytes, BodyLimit   int
}

// Configuration returns the scrape configuration in the form that p says.
func (p Prometheus) Configuration(cfg *configs.Config) (File, error) {
	if err := p.check(); err != nil {
		return File{}, err
	}
	s := scrape{Prometheus: p, Whole: len(p.RuleFiles)+len(p.Alertmanagers) > 0}
	interval, timeout, slowest := p.rhythm(cfg)
	s.TimeoutReason = "No connection is probed yet."
	if slowest != nil {
		s.TimeoutReason = fmt.Sprintf("Above the longest probe_timeout, which is %s's (%s), or a slow server would fail the page.", slowest.Name, slowest.ProbeTimeout)
	}
	s.Interval, s.OwnInterval, s.Timeout = seconds(interval), seconds(max(interval, ownInterval)), seconds(timeout)
	s.Series = pageSeries(cfg)
	s.Megabytes = 1 + s.Series*bytesOfSeries/1_000_000
	s.SampleLimit, s.BodyLimit = 1000+3*s.Series, 3*s.Megabytes
	t, err := template.New("prometheus").Funcs(template.FuncMap{"quote": strconv.Quote, "list": quoteList}).Parse(prometheusTemplate)
	if err != nil {
		return File{}, err
	}
	var b strings.Builder
	if err := t.Execute(&b, s); err != nil {
		return File{}, err
	}
	return NewFile("prometheus-"+p.Form+".yml", b.String()), nil
}

// check refuses what Prometheus would refuse, or would take for something else.
func (p Prometheus) check() error {
	var errs []error
	for _, list := range []struct {
		flag      string
		addresses []string
	}{{"--exporter", p.Exporters}, {"--supervisor", p.Supervisors}, {"--alertmanager", p.Alertmanagers}} {
		for _, address := range list.addresses {
			if err := checkAddress(address); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", list.flag, err))
			}
		}
	}
	switch {
	case len(p.Exporters) == 0:
		errs = append(errs, errors.New("--exporter: at least one is needed"))
	case p.Form == FormAggregated && len(p.Exporters) > 1:
		errs = append(errs, errors.New("--exporter: the aggregated form takes one, since each page has the whole fleet and every series would be there twice; with several use --form=sharded"))
	}
	if p.Shards < 1 || p.Shard < 0 || p.Shard >= p.Shards {
		errs = append(errs, fmt.Errorf("--shard: %d is not one of the %d shards, which count from 0", p.Shard, p.Shards))
	}
	if p.Form == FormAggregated && p.Shards > 1 {
		errs = append(errs, errors.New("--shards: only the sharded form can be shared by several Prometheus servers"))
	}
	if (p.Client.Username == "") != (p.Client.PasswordFile == "") {
		errs = append(errs, errors.New("--username and --password-file go together"))
	}
	return errors.Join(errs...)
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(host, "/@ ") {
		return fmt.Errorf("%.100q is not host:port", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%.100q has no port between 1 and 65535", address)
	}
	return nil
}

// ScrapeInterval is how often Prometheus scrapes: as often as it was wished, or
// as the slowest connection allows.
func (p Prometheus) ScrapeInterval(cfg *configs.Config) time.Duration {
	interval, _, _ := p.rhythm(cfg)
	return interval
}

// rhythm fits interval and timeout to the slowest connection, which it names.
func (p Prometheus) rhythm(cfg *configs.Config) (interval, timeout time.Duration, slowest *configs.Connection) {
	for i := range cfg.Connections {
		if c := &cfg.Connections[i]; c.Probed() && (slowest == nil || c.ProbeTimeout > slowest.ProbeTimeout) {
			slowest = c
		}
	}
	need := time.Second
	if slowest != nil {
		need = (slowest.ProbeTimeout.Std() + headroom + time.Second - 1).Truncate(time.Second)
	}
	interval = max(p.Interval, need)
	return interval, max(need, min(usualTimeout, interval)), slowest
}

// pageSeries estimates the series of the whole page.
func pageSeries(cfg *configs.Config) int {
	series := seriesOfExporter
	for i := range cfg.Connections {
		if c := &cfg.Connections[i]; c.Probed() {
			series += seriesOfConnection * max(1, len(c.Addresses()))
		}
	}
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		if !cfg.QueueWatched(q) {
			continue
		}
		for _, name := range q.QueueNames {
			if configs.IsPattern(name) {
				series += seriesOfQueue * q.MaxDiscovered
			} else {
				series += seriesOfQueue
			}
		}
	}
	return series
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d+time.Second-1)/time.Second)) + "s" }

func quoteList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}
