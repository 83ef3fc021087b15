package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sync/errgroup"
)

const (
	// defaultSocket is where a supervisor's control socket is looked for.
	defaultSocket = "/run/queuefleet/supervisor.sock"
	defaultURL    = "http://127.0.0.1:10380"

	requestTimeout = 10 * time.Second
	maxAnswer      = 64 << 20
)

// supervisorFlags say which supervisors a command speaks to.
type supervisorFlags struct {
	urls         []string
	socket       string
	user         string
	passwordFile string
}

func (f *supervisorFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("url", "A supervisor's address. Repeatable. Default: the control socket where there is one, else "+defaultURL+".").StringsVar(&f.urls)
	cmd.Flag("socket", "A supervisor's control socket (its --web.control-socket). Default: "+defaultSocket+", where it exists.").StringVar(&f.socket)
	cmd.Flag("user", "User for --url.").StringVar(&f.user)
	cmd.Flag("password-file", "File with that user's password.").StringVar(&f.passwordFile)
}

// supervisorClient speaks to one supervisor.
type supervisorClient struct {
	name     string // for people
	base     string
	user     string
	password string
	http     *http.Client
}

// open returns a client for each supervisor.
func (f *supervisorFlags) open() ([]*supervisorClient, error) {
	password := ""
	if f.passwordFile != "" {
		text, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return nil, fmt.Errorf("--password-file: %w", err)
		}
		password = strings.TrimSuffix(string(text), "\n")
	}
	socket := f.socket
	if socket == "" && len(f.urls) == 0 {
		if info, err := os.Stat(defaultSocket); err == nil && info.Mode().Type() == os.ModeSocket {
			socket = defaultSocket
		} else {
			f.urls = []string{defaultURL}
		}
	}
	var clients []*supervisorClient
	if socket != "" {
		clients = append(clients, &supervisorClient{name: socket, base: "http://control", http: &http.Client{
			Timeout: requestTimeout,
			Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			}},
		}})
	}
	for _, text := range f.urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
			return nil, usageError("--url: give an address such as " + defaultURL + ", with --user and --password-file where it asks for them")
		}
		clients = append(clients, &supervisorClient{
			name: u.Host, base: strings.TrimSuffix(u.String(), "/"), user: f.user, password: password,
			http: &http.Client{Timeout: requestTimeout},
		})
	}
	return clients, nil
}

// call sends one request and decodes the data of the answer.
func (c *supervisorClient) call(ctx context.Context, method, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, http.NoBody)
	if err != nil {
		return err
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // without the address, which the name says
		}
		return fmt.Errorf("supervisor %s: %w", c.name, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("supervisor %s: %w", c.name, err)
	}
	var envelope struct {
		Status, Error string
		Data          json.RawMessage
	}
	if json.Unmarshal(body, &envelope) != nil || envelope.Status == "" {
		return fmt.Errorf("supervisor %s: %s: %s", c.name, answer.Status, firstLine(string(bytes.TrimSpace(body))))
	}
	if envelope.Status != "success" {
		return fmt.Errorf("supervisor %s: %s", c.name, cmp.Or(envelope.Error, answer.Status))
	}
	return json.Unmarshal(envelope.Data, into)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line[:min(len(line), 200)]
}

// poolView is what commands look at of a pool.
type poolView struct {
	Name        string   `json:"pool"`
	Application string   `json:"application"`
	Connection  string   `json:"connection"`
	Preset      string   `json:"preset"`
	State       string   `json:"state"`
	Paused      bool     `json:"paused"`
	Preparing   bool     `json:"preparing"`
	Min         int      `json:"min_processes"`
	Max         int      `json:"max_processes"`
	Desired     int      `json:"desired"`
	Generation  int      `json:"generation"`
	Outdated    int      `json:"outdated"`
	Queues      []string `json:"queue_names"`
	Counts      struct {
		Starting, Running, Stopping, Backoff int
		Busy                                 *int
	} `json:"workers"`
	CannotStart *struct{ Reason, Text string } `json:"cannot_start"`

	supervisor *supervisorClient
	raw        json.RawMessage
}

// UnmarshalJSON keeps the text as well, for -o json.
func (p *poolView) UnmarshalJSON(text []byte) error {
	type plain poolView
	if err := json.Unmarshal(text, (*plain)(p)); err != nil {
		return err
	}
	p.raw = bytes.Clone(text)
	return nil
}

// allPools asks all supervisors for their pools. Where some do not answer, the
// pools of the others are returned beside the error.
func allPools(ctx context.Context, clients []*supervisorClient) ([]*poolView, error) {
	lists := make([][]*poolView, len(clients))
	errs := make([]error, len(clients))
	var group errgroup.Group
	for i, client := range clients {
		group.Go(func() error {
			errs[i] = client.call(ctx, http.MethodGet, "/api/v1/pools", &lists[i])
			for _, p := range lists[i] {
				p.supervisor = client
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	var all []*poolView
	for _, list := range lists {
		all = append(all, list...)
	}
	return all, errors.Join(errs...)
}
