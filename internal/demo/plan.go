package demo

import "time"

// The demo's connections. The last one is refused, so that a connection that
// is down can be seen too.
const (
	connEU    = "eu"
	connUS    = "us"
	connCache = "cache"
	connDown  = "backup"

	// downAddress is a port on which nobody listens on any sane machine.
	downAddress = "127.0.0.1:1"
)

// The demo's key prefixes: both forms that Laravel's skeletons derive from an
// application's name, and what Horizon derives from it.
const (
	shopPrefix      = "demo-shop-database-" // since the skeleton of 12.1
	shopCachePrefix = "demo-shop-cache-"
	crmPrefix       = "demo_crm_database_" // older skeletons
	reportsPrefix   = "demo_reports_database_"
	horizonPrefix   = "demo_reports_horizon:"
)

// importsRetryAfter exceeds the timeout of imports in the configuration by more than 10 s.
const importsRetryAfter = 15 * time.Second

const (
	mailPausePeriod = 180 // seconds
	mailPauseLength = 45
)

// specs are all queues of the demo.
func specs() []spec {
	shop := spec{connection: connEU, prefix: shopPrefix, form: formNewer, limit: 2000, retryAfter: 90 * time.Second}
	crm := spec{connection: connUS, prefix: crmPrefix, form: formOlder, limit: 1000, retryAfter: 90 * time.Second, jobs: []string{`App\Jobs\SyncContacts`, `App\Jobs\ImportLeads`}}
	return []spec{
		// More work than hands whenever a burst comes, then it is caught up.
		with(shop, "high", func(s *spec) {
			s.jobs = []string{`App\Jobs\CapturePayment`, `App\Jobs\ReserveStock`}
			s.arrivals, s.workers, s.runtime, s.supervised = bursts(2, 120, 60), always(6), 1, true
		}),
		with(shop, "default", func(s *spec) {
			s.jobs = []string{`App\Jobs\UpdateSearchIndex`, `App\Jobs\ResizeImage`}
			s.arrivals, s.workers, s.runtime, s.delayed, s.backlog = wave(4, 90), always(5), 1, 0.2, 60
			s.supervised = true
		}),
		// Paused for a while in each period.
		with(shop, "mail", func(s *spec) {
			s.jobs = []string{`App\Mail\OrderShipped`, `App\Notifications\InvoicePaid`}
			s.arrivals, s.workers, s.runtime = steady(1.5), always(3), 1.2
			s.pausePeriod, s.pauseLength = mailPausePeriod, mailPauseLength
		}),
		// Nobody works it for most of the time: delayed jobs become overdue.
		with(shop, "newsletter", func(s *spec) {
			s.jobs = []string{`App\Jobs\SendNewsletter`}
			s.arrivals, s.workers, s.runtime, s.delayed, s.backlog = steady(0.5), shifts(4, 40, 140), 0.8, 0.7, 30
			s.limit = 300
		}),
		with(crm, "tenant-acme", func(s *spec) {
			s.arrivals, s.workers, s.runtime, s.supervised = wave(2, 70), always(3), 1.2, true
		}),
		with(crm, "tenant-globex", func(s *spec) {
			s.arrivals, s.workers, s.runtime, s.supervised = bursts(0.2, 40, 100), always(1), 0.8, true
		}),
		with(crm, "tenant-initech", func(s *spec) {
			s.arrivals, s.workers, s.runtime, s.delayed, s.supervised = steady(0.4), always(1), 1.5, 0.3, true
		}),
		// A tenant that comes later, to be found by its pattern.
		with(crm, "tenant-umbrella", func(s *spec) {
			s.arrivals, s.workers, s.runtime, s.supervised = from(60, steady(0.6)), always(1), 1.4, true
		}),
		// Its workers die with their jobs in hand: reservations expire.
		with(crm, "imports", func(s *spec) {
			s.arrivals, s.workers, s.runtime, s.dies = steady(0.35), shifts(4, 30, 60), 3, true
			s.retryAfter, s.limit = importsRetryAfter, 100
		}),
		{
			connection: connUS, prefix: reportsPrefix, name: "reports", form: formHorizon, limit: 500, retryAfter: 90 * time.Second,
			jobs: []string{`App\Jobs\BuildReport`}, arrivals: wave(2, 120), workers: always(4), runtime: 1.8, backlog: 20,
		},
	}
}

func with(s spec, name string, change func(*spec)) spec {
	s.name = name
	change(&s)
	return s
}
