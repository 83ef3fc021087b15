// Package drill holds the rules, the routing and the dashboards to a real
// fleet: real Redis servers, the real programs, real Laravel workers, a real
// Prometheus and a real Alertmanager. On the calm day every panel must show
// data and nothing may fire; on the bad day one thing after the other is
// broken, and exactly the alerts that were written down for it must fire, be
// routed, be inhibited and resolve.
//
// Its tests take a quarter of an hour and run only with QUEUEFLEET_LIVE=1:
// make mixin-live.
package drill
