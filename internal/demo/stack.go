package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"golang.org/x/sync/errgroup"

	"github.com/queuefleet/queuefleet/internal/mixin"
	"github.com/queuefleet/queuefleet/internal/proc"
)

//go:embed prometheus.yml.tmpl
var prometheusTemplate string

// StackOptions say what the demo's Prometheus and Alertmanager are to do.
type StackOptions struct {
	Dir      string            // existing directory for their files
	Messages func(line string) // told what Alertmanager sends

	// Addresses, each host:port. Supervisor is empty where there is none.
	Prometheus, Alertmanager, Exporter, Supervisor string
}

// Stack is a Prometheus and an Alertmanager that watch the demo.
type Stack struct {
	options StackOptions
	inbox   *inbox
	listen  net.Listener // the inbox's
	run     []companion
}

type companion struct {
	proc.Companion
	log string
}

// NewStack finds the programs and writes their configuration: the mixin's own
// rules and routes, with the demo's teams. The caller runs the Stack.
func NewStack(ctx context.Context, o StackOptions) (*Stack, error) {
	prometheus, err := find("prometheus")
	if err != nil {
		return nil, err
	}
	alertmanager, err := find("prometheus-alertmanager", "alertmanager")
	if err != nil {
		return nil, err
	}
	s := &Stack{options: o, inbox: &inbox{tell: o.Messages}}
	if s.listen, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if err := s.write(); err != nil {
		return nil, errors.Join(err, s.listen.Close())
	}
	s.add(prometheus, "prometheus",
		"--config.file=prometheus.yml", "--storage.tsdb.path=prometheus-data", "--storage.tsdb.retention.time=1d",
		"--web.listen-address="+o.Prometheus, "--web.external-url=http://"+o.Prometheus, "--log.level=warn")
	s.add(alertmanager, "alertmanager",
		"--config.file=alerts/alertmanager/alertmanager.yml", "--storage.path=alertmanager-data", "--cluster.listen-address=",
		"--web.listen-address="+o.Alertmanager, "--web.external-url=http://"+o.Alertmanager, "--log.level=warn")
	return s, nil
}

// find returns the first of the names that is on PATH.
func find(names ...string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if path, err := proc.LookPath(name, dir, os.Getenv("PATH")); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not on PATH, which --stack needs; on Debian: apt-get install prometheus prometheus-alertmanager", strings.Join(names, " or "))
}

func (s *Stack) add(path, name string, args ...string) {
	s.run = append(s.run, companion{
		Companion: proc.Companion{Path: path, Args: append([]string{name}, args...), Dir: s.options.Dir, Env: []string{"PATH=" + os.Getenv("PATH")}},
		log:       filepath.Join(s.options.Dir, name+".log"),
	})
}

// write writes all files below the directory.
func (s *Stack) write() error {
	files, err := mixin.Render(mixin.Options{Set: s.settings(), NoDashboards: true})
	if err != nil {
		return err
	}
	if _, err := mixin.Write(s.options.Dir, files); err != nil {
		return err
	}
	t, err := template.New("prometheus.yml").Parse(prometheusTemplate)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, s.options); err != nil {
		return err
	}
	return writeNew(filepath.Join(s.options.Dir, "prometheus.yml"), text.String())
}

// settings are what the demo changes of the mixin: its teams, its environment,
// which counts as production so that somebody is told at night, and times for
// people who do not want to wait.
func (s *Stack) settings() []string {
	inbox := "http://" + s.listen.Addr().String() + "/"
	return []string{
		"scrapeInterval=5s",
		"prometheusURL=http://" + s.options.Prometheus,
		"alertmanagerURL=http://" + s.options.Alertmanager,
		"provisioning.prometheusURL=http://" + s.options.Prometheus,
		"teams.web.webhook=" + inbox + "web",
		"teams.crm.webhook=" + inbox + "crm",
		`alertmanager.fallback={"email": null, "webhook": "` + inbox + `fallback"}`,
		"alertmanager.heartbeat.url=" + inbox + "heartbeat",
		"alertmanager.production=demo",
		"alertmanager.groupWait=10s",
		"alertmanager.groupInterval=30s",
	}
}

// Run runs both programs until ctx ends. One that ends by itself is an error
// that tells its last words.
func (s *Stack) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.inbox.serve(ctx, s.listen) })
	for _, c := range s.run {
		g.Go(func() error { return c.follow(ctx) })
	}
	return g.Wait()
}

// follow runs a companion, whose output goes into its log.
func (c companion) follow(ctx context.Context) (err error) {
	log, err := os.Create(c.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	c.Output = log
	if err := c.Run(ctx); err != nil {
		return fmt.Errorf("%w%s", err, lastWords(c.log))
	}
	return nil
}

// lastWords returns the end of a log, to go behind an error.
func lastWords(file string) string {
	const few = 3
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return ":\n" + strings.Join(lines[max(0, len(lines)-few):], "\n")
}
