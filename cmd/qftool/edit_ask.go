package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/term"

	"github.com/queuefleet/queuefleet/configs"
)

// question is asked for a key of a new entry. An empty answer leaves the key
// out.
type question struct {
	key, text string
}

var questions = map[configs.EntryKind][]question{
	configs.ConnectionEntry: {
		{"address", "Address (host:port or unix:///path)"},
		{"username", "User"},
		{"database", "Database"},
		{"environment", "Environment"},
		{"region", "Region"},
		{"team", "Team"},
	},
	configs.ApplicationEntry: {
		{"name", "Its name for people"},
		{"description", "Description"},
		{"team", "Team"},
	},
	configs.QueueEntry: {
		{"application", "Application"},
		{"connection", "Connection"},
		{"queue_names", "Queues, with commas between"},
		{"max_wait", "How long may a job wait"},
	},
}

// ask asks for everything that makes a new entry.
func (c *entryCommand) ask(ctx context.Context) error {
	if !c.interactive() {
		return usageError(fmt.Sprintf("give the name of the %s and its keys, for example %s; on a terminal they are asked for", c.kind, exampleKey[c.kind]))
	}
	fmt.Fprintln(c.env.stderr, "An empty answer leaves a key out.")
	for c.name == "" {
		name, err := c.prompt.line(ctx, "Name", "")
		if err != nil {
			return err
		}
		c.name = name
	}
	for _, q := range questions[c.kind] {
		if err := c.askKey(ctx, q); err != nil {
			return err
		}
	}
	if c.kind == configs.ConnectionEntry {
		return c.askSecurity(ctx)
	}
	return nil
}

// askKey asks until the answer can be a value of the key.
func (c *entryCommand) askKey(ctx context.Context, q question) error {
	for {
		text, err := c.prompt.line(ctx, q.text, "")
		if err != nil || text == "" {
			return err
		}
		s := configs.Setting{Key: q.key, Value: text}
		err = configs.CheckSetting(c.kind, s)
		if err == nil {
			c.settings = append(c.settings, s)
			return nil
		}
		fmt.Fprintln(c.env.stderr, err)
	}
}

// askSecurity asks for TLS and for the password, which is not shown.
func (c *entryCommand) askSecurity(ctx context.Context) error {
	tls, err := c.prompt.yes(ctx, "TLS?")
	if err != nil {
		return err
	}
	if tls {
		ca, err := c.prompt.line(ctx, "File with the authority's certificate (empty: the system's)", "")
		if err != nil {
			return err
		}
		setting := configs.Setting{Key: "tls", Value: "{}"}
		if ca != "" {
			setting = configs.Setting{Key: "tls.ca_file", Value: ca}
		}
		c.settings = append(c.settings, setting)
	}
	if c.password.given() {
		return nil
	}
	d, err := configs.OpenDocument(c.env.configFile)
	if err != nil {
		return c.refuse(err)
	}
	if _, err := c.password.who(d.Global()); err != nil {
		fmt.Fprintf(c.env.stderr, "No password is asked for: %v\n", err)
		return nil
	}
	c.password.asked, err = withoutEcho(ctx, c.env, func(fd int) (string, error) {
		fmt.Fprint(c.env.stderr, "Password (not shown; empty for none): ")
		raw, err := term.ReadPassword(fd)
		fmt.Fprintln(c.env.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	})
	return err
}
