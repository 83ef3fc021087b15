// Package fleet is the exporter's part of the HTTP side: probes, service
// discovery, the status pages and the API over connections, queues and
// applications.
package fleet
