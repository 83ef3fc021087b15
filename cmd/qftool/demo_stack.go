package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/internal/demo"
)

// demoStack is what `demo --stack` adds: Prometheus and Alertmanager.
type demoStack struct {
	wanted                   bool
	prometheus, alertmanager string // addresses
}

func (s *demoStack) configure(cmd *kingpin.CmdClause) {
	cmd.Flag("stack", "Run Prometheus and Alertmanager as well, which must be installed, with the mixin's rules and routes. What Alertmanager sends is printed.").BoolVar(&s.wanted)
	cmd.Flag("prometheus.listen-address", "Where Prometheus listens.").Default("127.0.0.1:9090").StringVar(&s.prometheus)
	cmd.Flag("alertmanager.listen-address", "Where Alertmanager listens.").Default("127.0.0.1:9093").StringVar(&s.alertmanager)
}

// reserve makes sure that the addresses are free, before anything is started,
// and chooses the ports that are 0.
func (s *demoStack) reserve(ctx context.Context) error {
	for flag, address := range map[string]*string{"prometheus": &s.prometheus, "alertmanager": &s.alertmanager} {
		listener, err := listenFor(ctx, flag, *address)
		if err != nil {
			return err
		}
		*address = listener.Addr().String()
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

// stackIn prepares the stack in a directory of its own below dir; nil where nobody
// wants one.
func (c *demoCommand) stackIn(ctx context.Context, dir string, exporter, supervised net.Listener) (*demo.Stack, error) {
	if !c.stack.wanted {
		return nil, nil
	}
	dir = filepath.Join(dir, "stack")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	o := demo.StackOptions{
		Dir: dir, Prometheus: c.stack.prometheus, Alertmanager: c.stack.alertmanager, Exporter: exporter.Addr().String(),
		Messages: func(line string) {
			if c.env.output != outputJSON {
				fmt.Fprintln(c.env.stdout, c.env.paint(bold, "message"), printable(line))
			}
		},
	}
	if supervised != nil {
		o.Supervisor = supervised.Addr().String()
	}
	return demo.NewStack(ctx, o)
}

// introduceStack tells where the two are.
func (c *demoCommand) introduceStack() {
	if c.stack.wanted {
		fmt.Fprintf(c.env.stdout, "  %-14s http://%s/alerts\n  %-14s http://%s/#/alerts\n", "prometheus", c.stack.prometheus, "alertmanager", c.stack.alertmanager)
	}
}
