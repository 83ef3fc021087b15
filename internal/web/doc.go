// Package web is what Queuefleet's programs have in common over HTTP: the mux,
// the landing page, metrics, health, reload, the masked configuration, roles,
// the audit log, and the server with its control socket.
//
// A program adds its own pages and its API to a Site; the exporter's are in
// package fleet below.
package web
