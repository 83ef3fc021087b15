// All alerts.
{
  local config = (import '../lib/check.libsonnet')($._config),
  local a = (import '../lib/alerts.libsonnet')(config),
  local slo = (import 'slo.libsonnet')(config),
  local supervisor = (import 'supervisor.libsonnet')(config),
  local exporter = (import 'exporter.libsonnet')(config),

  prometheusAlerts+:: {
    groups+: a.groups([
      a.group('queuefleet-connection', (import 'connection.libsonnet')(config)),
      a.group('queuefleet-server', (import 'server.libsonnet')(config)),
      a.group('queuefleet-queue', (import 'queue.libsonnet')(config)),
      // No faster than what it reads is recorded.
      a.group('queuefleet-queue-slo', slo.queue, interval='1m'),
      a.group('queuefleet-supervisor', supervisor.programs),
      a.group('queuefleet-pool', supervisor.pools),
      a.group('queuefleet-exporter', exporter.exporter),
      a.group('queuefleet-monitoring', exporter.monitoring + slo.monitoring),
    ]),
  },
}
