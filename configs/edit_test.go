package configs

import (
	"strings"
	"testing"
)

const commented = `# The fleet.
global: {environment: production} # all of it

defaults:
  queue:
    max_wait: 30s   # a promise

connections:
  # --- Europe ---
  - name: eu      # the first
    address: redis-1.eu:6379
    # its password is rotated weekly
    password: "hunter2-hunter2"   # in clear, for now

  - name: us
    address: 'redis-1.us:6379'
    tls:
      # internal CA
      server_name: redis.us # as in the certificate
    labels: {rack: r1, # the rack
             row: "7"}
    # the end of us

applications:
- slug: shop # no indentation here
  connections:
  - {connection: eu, primary: true}
  # the other one
  - connection: us
    priority: 5

# The work.
queues: [
  {application: shop, connection: eu, queue_names: [default]}, # one
]
# The end.
`

func TestEditOne(t *testing.T) {
	tr := newTree(t, map[string]string{"main.yml": commented})
	d, err := OpenDocument(tr.path("main.yml"))
	if err != nil {
		t.Fatal(err)
	}
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	try(d.Set(ConnectionEntry, "eu", []Setting{{Key: "tls.min_version", Value: "TLS13"}, {Key: "tls.server_name", Value: "x"}, {Key: "active", Value: "false"}}))
	try(d.Set(ConnectionEntry, "us", []Setting{{Key: "tls.server_name", Value: "y"}, {Key: "labels.zone", Value: "a"}, {Key: "address", Value: "r2:1"}}))
	try(d.Set(QueueEntry, "shop-eu", []Setting{{Key: "max_wait", Value: "5m"}, {Key: "worker.preset", Value: "laravel"}, {Key: "worker.user", Value: "www-data"}}))
	try(d.Add(QueueEntry, "more", "", []Setting{{Key: "queue_names", Value: "a,b"}, {Key: "application", Value: "shop"}, {Key: "connection", Value: "us"}}))
	try(d.Add(ConnectionEntry, "asia", "", []Setting{{Key: "address", Value: "redis-1.asia:6379"}, {Key: "labels.rack", Value: "r1"}}))
	try(d.Attach("shop", "asia", []Setting{{Key: "primary", Value: "true"}}))
	try(d.Set(ConnectionEntry, "eu", []Setting{{Key: "password", Value: "something else"}}))
	if _, err := d.Check(); err != nil {
		t.Fatal(err)
	}
	changes, err := d.Merge([]byte("connections: [{name: eu, address: new:1, region: r}, {name: n, address: n:1}]"), MergeOptions{OnConflict: ConflictReplace})
	try(err)
	for _, c := range changes {
		t.Log(c)
	}
	t.Log(d.Diff())
	try(d.Purge(ConnectionEntry, "n"))
	_, err = d.Save()
	try(err)
	if strings.Contains(d.Diff(), "hunter2") {
		t.Error("leak")
	}
}
