package main

import (
	"bytes"
	"fmt"
	"strings"
)

// fleet is what a configuration for the exporter is made of.
type fleet struct {
	addresses []string // of the connections, which are named after their number
	queues    int      // queue configurations, one queue each, spread over the connections
	names     []string // queues of one more configuration on the first connection
	notes     string   // told by every connection: a change that touches no socket
}

// connectionsPerApplication is how many connections an application has.
const connectionsPerApplication = 100

// yaml writes the configuration as a team would: every connection with the
// labels that tell where it belongs.
func (f *fleet) yaml() []byte {
	var out bytes.Buffer
	out.WriteString("global: {environment: production, probe_timeout: 2s}\n")
	out.WriteString("defaults:\n  connection: {region: eu-west-1, provider: own}\n  queue: {max_wait: 30s, objective: 0.99, retry_after: 90s}\n")
	out.WriteString("connections:\n")
	for i, addr := range f.addresses {
		fmt.Fprintf(&out, "  - {name: redis-%05d, address: %q, team: team-%02d", i, addr, i%20)
		if f.notes != "" {
			fmt.Fprintf(&out, ", notes: %s", f.notes)
		}
		out.WriteString("}\n")
	}
	if f.queues == 0 && len(f.names) == 0 {
		return out.Bytes()
	}
	out.WriteString("applications:\n")
	for i := 0; i < len(f.addresses); i += connectionsPerApplication {
		fmt.Fprintf(&out, "  - slug: app-%03d\n    name: Application %d\n    connections:\n", i/connectionsPerApplication, i/connectionsPerApplication)
		for j := i; j < min(i+connectionsPerApplication, len(f.addresses)); j++ {
			fmt.Fprintf(&out, "      - {connection: redis-%05d}\n", j)
		}
	}
	out.WriteString("queues:\n")
	for i := range f.queues {
		c := i % len(f.addresses)
		fmt.Fprintf(&out, "  - {name: queue-%05d, application: app-%03d, connection: redis-%05d, queue_names: [work-%05d], key_prefix: laravel_database_}\n",
			i, c/connectionsPerApplication, c, i)
	}
	if len(f.names) > 0 {
		fmt.Fprintf(&out, "  - {name: many, application: app-000, connection: redis-00000, key_prefix: laravel_database_, queue_names: [%s]}\n",
			strings.Join(f.names, ", "))
	}
	return out.Bytes()
}

// repeat returns n times addr.
func repeat(addr string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = addr
	}
	return list
}
