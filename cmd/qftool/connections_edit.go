package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/queuefleet/queuefleet/configs"
)

// configureConnectionsEdit declares `connections add`, `set`, `remove` and
// their kin.
func configureConnectionsEdit(app *kingpin.Application, e *env) {
	configureEntries(app, e, configs.ConnectionEntry, connectionsHelp, []shortcut{
		{flag: "address", key: "address", help: "host:port or unix:///path."},
		{flag: "username", key: "username", help: "The user of Redis' ACL."},
		{flag: "database", key: "database", help: "The number of the database."},
		{flag: "ca-file", key: "tls.ca_file", help: "The authority's certificate; relative to the configuration's file."},
		{flag: "environment", key: "environment", help: "The environment it belongs to."},
		{flag: "region", key: "region", help: "The region it is in."},
		{flag: "provider", key: "provider", help: "Who runs it."},
		{flag: "team", key: "team", help: "Whose it is."},
		{flag: "notes", key: "notes", help: "Free text."},
	})
}
