// Package app assembles the exporter and the supervisor out of their parts and
// runs them. The programs' own mains and qftool's demo start them here.
package app

import (
	"log/slog"
	"net"
	"net/url"
	"os"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/queuefleet/queuefleet/internal/logging"
)

// Defaults returns what the exporter's flags say when nobody sets them, with
// the fields left open that have no default.
func Defaults() Options {
	return Options{
		ConfigFile: "queuefleet.yml",
		Collect:    Collect{QueueAges: true, DiscoveryInterval: 30 * time.Second},
		Web:        Web{TimeoutOffset: 500 * time.Millisecond},
	}
}

// Options are all that may differ between two runs of the exporter. ConfigFile,
// Logger, Redactor and one of Web.Toolkit and Web.Listeners are needed.
type Options struct {
	ConfigFile string
	AutoReload time.Duration    // how often the files are looked at for changes; 0: never
	Reload     <-chan os.Signal // each value is a wish to reload, as SIGHUP is; nil: none
	Started    func()           // called once everything listens; nil: nobody wants to know

	Logger   *slog.Logger
	Redactor *logging.Redactor // the one that Logger masks with

	Collect Collect
	Web     Web
}

// Collect says what is collected.
type Collect struct {
	QueueAges         bool // ages, overdue and expired jobs beside the depths
	CommandStats      bool
	Latency           bool
	DiscoveryInterval time.Duration // how often queue patterns are looked for; 0: 30 s
}

// Web says how a program is reached.
type Web struct {
	// Toolkit holds --web.listen-address, --web.systemd-socket and
	// --web.config.file.
	Toolkit *toolkit.FlagConfig
	// Listeners, where there are any, are served instead of the addresses in
	// Toolkit, which may then be nil. Run closes them.
	Listeners []net.Listener

	ControlSocket string   // path of the Unix socket for writes; empty: none
	ExternalURL   *url.URL // how Prometheus and browsers reach the program; nil: as they say themselves

	TimeoutOffset   time.Duration // taken off Prometheus' scrape timeout
	EnableLifecycle bool          // POST /-/reload over TCP
	EnableAdminAPI  bool          // other writes over TCP
	EnablePprof     bool
}
