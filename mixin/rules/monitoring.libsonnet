// How much of the time the monitoring itself could be trusted: scrapes
// delivered, probes decided, rules evaluated. One figure for the whole
// installation, so these windows cost nothing.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local parts = {
    // Of the scrapes of exporters and supervisors those that came.
    'queuefleet:scrapes_delivered': 'avg(avg_over_time(up{%s}[5m]) or avg_over_time(up{%s}[5m]))' % [s.exporter, s.supervisor],
    // Of the connections those about which the exporter came to a verdict.
    'queuefleet:probes_decided': 'avg_over_time(queuefleet:probes_decided:ratio[5m])',
    // Of the evaluations of these rules those that succeeded.
    'queuefleet:rules_evaluated': |||
      1 -
      sum(rate(prometheus_rule_evaluation_failures_total{%(prometheus)s, rule_group=~".*;queuefleet-.*"}[5m]))
      /
      (sum(rate(prometheus_rule_evaluations_total{%(prometheus)s, rule_group=~".*;queuefleet-.*"}[5m])) > 0)
    ||| % s,
  };
  // That a connection is down is a verdict, and so are figures that were all
  // read. Both come with the same scrape.
  local decided = |||
    avg(
      (max by (%(connection)s) (redis_up{%(redis)s}) == 0) + 1
      or on (%(connection)s)
      min by (%(connection)s) (max by (%(connection)s, collector) (queuefleet_exporter_collector_success{%(redis)s}))
    )
  ||| % { connection: s.by.connection, redis: s.redis };
  local all = std.objectFields(parts) + ['queuefleet:monitoring_availability'];
  local avg(series, window) = 'avg_over_time(%s[%s])' % [series, window];
  local availability = 'queuefleet:monitoring_availability:';
  [
    {
      name: 'queuefleet-monitoring.rules',
      interval: '1m',
      rules: [
        r.record('queuefleet:probes_decided:ratio', std.rstripChars(decided, '\n')),
      ] + [
        r.record(name + ':ratio_avg5m', std.rstripChars(parts[name], '\n'))
        for name in std.objectFields(parts)
      ] + [
        // As good as its weakest part, of those that are measured.
        r.record(availability + 'ratio_avg5m', r.each('min', '', {
          [std.split(name, ':')[1]]: name + ':ratio_avg5m'
          for name in std.objectFields(parts)
        })),
        r.record(availability + 'avg30m', avg(availability + 'ratio_avg5m', '30m')),
        r.record(availability + 'avg1h', avg(availability + 'ratio_avg5m', '1h')),
        r.record(availability + 'avg2h', avg(availability + 'ratio_avg5m', '2h')),
        r.record(availability + 'avg6h', avg(availability + 'ratio_avg5m', '6h')),
      ],
    },
    {
      name: 'queuefleet-monitoring-30m.rules',
      interval: '30m',
      rules: [r.record(name + ':slice30m', avg(name + ':ratio_avg5m', '30m')) for name in all],
    },
    {
      name: 'queuefleet-monitoring-long.rules',
      interval: '2m',
      rules: [
        // Until there is a half-hour, what there is.
        r.record(name + ':avg30d', '%s\nor\n%s' % [avg(name + ':slice30m', '30d'), avg(name + ':ratio_avg5m', '1h')])
        for name in all
      ] + [
        r.record(availability + 'avg1d', '%s\nor\n%savg6h' % [avg(availability + 'slice30m', '1d'), availability]),
        r.record(availability + 'avg3d', '%s\nor\n%savg6h' % [avg(availability + 'slice30m', '3d'), availability]),
        // 1: untouched; 0: spent; below: overspent.
        r.record('queuefleet:monitoring_budget_remaining:ratio30d', '1 - (1 - %savg30d) / (1 - %g)' % [availability, config.monitoringObjective]),
      ],
    },
  ]
