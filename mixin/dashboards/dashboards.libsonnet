// The dashboards, by the name of the file that each becomes.
{
  local config = $._config,
  grafanaDashboards+:: {
    'queuefleet-overview.json': (import 'overview.libsonnet')(config),
  },
}
