// All recording rules. Within a group they stand in the order in which they
// read each other.
{
  local config = (import '../lib/check.libsonnet')($._config),
  prometheusRules+:: {
    groups+:
      [(import 'connection.libsonnet')(config)] +
      [(import 'queue.libsonnet')(config)] +
      (import 'slo.libsonnet')(config) +
      (import 'pool.libsonnet')(config) +
      [(import 'slices.libsonnet')(config)] +
      (import 'monitoring.libsonnet')(config),
  },
}
