// The dashboards, by the name of the file that each becomes.
{
  local config = $._config,
  grafanaDashboards+:: {
    'queuefleet-connection.json': (import 'connection.libsonnet')(config),
    'queuefleet-queues.json': (import 'queues.libsonnet')(config),
    'queuefleet-overview.json': (import 'overview.libsonnet')(config),
  },
}
