// The dashboards, by the name of the file that each becomes.
{
  local config = $._config,
  grafanaDashboards+:: {
    'queuefleet-workers.json': (import 'workers.libsonnet')(config),
    'queuefleet-application.json': (import 'application.libsonnet')(config),
    'queuefleet-slo.json': (import 'slo.libsonnet')(config),
    'queuefleet-internals.json': (import 'internals.libsonnet')(config),
    'queuefleet-capacity.json': (import 'capacity.libsonnet')(config),
    'queuefleet-connection.json': (import 'connection.libsonnet')(config),
    'queuefleet-queues.json': (import 'queues.libsonnet')(config),
    'queuefleet-overview.json': (import 'overview.libsonnet')(config),
  },
}
