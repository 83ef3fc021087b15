package main

import (
	"fmt"
	"strings"
)

const preamble = `# Metrics

<!-- Made from metrics.yaml by "make docs"; changes go there. -->

Everything that queuefleet_exporter serves: the fleet on ` + "`/metrics`" + ` and, of one connection, on ` + "`/probe?connection=NAME`" + `;
what is about the exporter itself on ` + "`/metrics`" + ` only. And what queuefleet_supervisor serves on its own ` + "`/metrics`" + `.

What holds everywhere:

- A value that cannot be known is absent, never 0. A configured queue that is empty is 0, never absent.
- When a connection is down, the series that come from it disappear; they do not freeze.
- A label whose value is empty is left out.
- Where the values of a label are a closed set, given below as *one of*, each of them has a series from the start, 0 included. Info
  metrics, which are always 1, have the value that applies.

Series of a scope carry these labels before the ones in the tables:

`

// markdown renders the whole document.
func (c *catalogue) markdown() string {
	var b strings.Builder
	b.WriteString(preamble)
	b.WriteString("| scope | labels |\n|---|---|\n")
	for _, scope := range []string{"connection", "queue", "horizon", "application", "exporter", "pool", "source", "supervisor"} {
		fmt.Fprintf(&b, "| %s | %s |\n", scope, codes(c.Identity[scope]))
	}
	b.WriteString("\nFigures of a server carry `node` as well on a Cluster, where each node has its own.\n\n## Contents\n\n")
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "- [%s](#%s)\n", g.Title, anchor(g.Title))
	}
	b.WriteString("- [Names shared with redis_exporter](#names-shared-with-redis_exporter)\n")
	for _, g := range c.Groups {
		c.section(&b, g)
	}
	c.shared(&b)
	return b.String()
}

func (c *catalogue) section(b *strings.Builder, g group) {
	fmt.Fprintf(b, "\n## %s\n\n", g.Title)
	if g.Text != "" {
		b.WriteString(g.Text + "\n\n")
	}
	b.WriteString("| metric | type | labels | meaning | source |\n|---|---|---|---|---|\n")
	for _, m := range c.in(g) {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Type, cell(labels(m)), cell(meaning(m)), cell(source(m)))
	}
}

func labels(m *metric) string {
	var parts []string
	if m.Scope == "pool" || m.Scope == "source" || m.Scope != "connection" && m.Endpoint == "" {
		parts = append(parts, "*"+m.Scope+"*")
	}
	if m.PerNode {
		parts = append(parts, "(`node`)")
	}
	for _, l := range m.Labels {
		text := "`" + l.Name + "`"
		if l.Name == "*" {
			text = "further ones"
		}
		if l.Meaning != "" {
			text += ": " + l.Meaning
		}
		if len(l.Values) > 0 {
			text += ", one of " + codes(l.Values)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "<br>")
}

func meaning(m *metric) string {
	text := m.Help
	if m.Meaning != "" {
		text += " " + m.Meaning
	}
	if m.Absent != "" && !strings.Contains(m.Help, "absent") {
		text += " Absent " + m.Absent + "."
	}
	return text
}

func source(m *metric) string {
	text := m.Source
	if m.Needs != "" {
		text += "; " + m.Needs + " and later"
	}
	if m.Flag != "" {
		text += "; with `" + m.Flag + "`"
	}
	return text
}

// shared lists the names that redis_exporter has too, and what is not the same.
func (c *catalogue) shared(b *strings.Builder) {
	b.WriteString("\n## Names shared with redis_exporter\n\n" +
		"These have the name, the unit and the meaning that they have in oliver006/redis_exporter, so that dashboards and alerts made for it\n" +
		"go on working. Some of the names break the naming rules of Prometheus for that reason.\n\n")
	var names []string
	for i := range c.Metrics {
		if c.Metrics[i].Shared && c.Metrics[i].Differs == "" {
			names = append(names, c.Metrics[i].Name)
		}
	}
	b.WriteString("Equal: " + codes(names) + ".\n\nEqual but for this:\n\n| metric | here |\n|---|---|\n")
	for i := range c.Metrics {
		if m := &c.Metrics[i]; m.Differs != "" {
			fmt.Fprintf(b, "| `%s` | %s |\n", m.Name, cell(m.Differs))
		}
	}
	b.WriteString("\nNot served: the `redis_exporter_*` metrics about that exporter itself (`queuefleet_exporter_*` are ours), and what it reads " +
		"of single keys,\nstreams, the client list, modules, Sentinels and the server's configuration.\n")
}

func codes(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

// cell escapes what would end a table's cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// anchor is the fragment that GitHub gives a heading.
func anchor(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }
