// The objective of each queue, by slices of time: a minute is bad while the
// oldest job has waited longer than the queue allows. It needs no traffic, no
// workers and nothing from the application.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local breached = 'queue:redis_queue_wait_breached:';
  local avg(series, window) = 'avg_over_time(%s[%s])' % [series, window];
  [
    // What the pages look at. One minute, whatever the server's default is:
    // the windows below cost in proportion to it.
    {
      name: 'queuefleet-queue-slo.rules',
      interval: '1m',
      rules: [
        r.record(breached + 'bool', 'queue:redis_queue_waiting_seconds:max > bool queue:redis_queue_wait_objective_seconds:max'),
        r.record(breached + 'avg5m', avg(breached + 'bool', '5m')),
        r.record(breached + 'avg30m', avg(breached + 'bool', '30m')),
        r.record(breached + 'avg1h', avg(breached + 'bool', '1h')),
      ],
    },

    // Half-hours side by side, for all that looks back a day or more: 1,440
    // points a queue for 30 days instead of 43,200. A series that is written
    // every 30 minutes is stale after five, so nothing but windows reads these.
    {
      name: 'queuefleet-queue-slo-30m.rules',
      interval: '30m',
      rules: [
        r.record(breached + 'slice30m', avg(breached + 'bool', '30m')),
        r.record(breached + 'slices30d', avg(breached + 'slice30m', '30d')),
      ],
    },

    // Two minutes, so that the series never go stale. On a new server, and for
    // a new queue, there are no half-hours yet: then the hours there are stand
    // for the days, and nothing is missing in the first half hour.
    {
      name: 'queuefleet-queue-slo-long.rules',
      interval: '2m',
      rules: [
        r.record(breached + 'avg2h', avg(breached + 'bool', '2h')),
        r.record(breached + 'avg6h', avg(breached + 'bool', '6h')),
        r.record(breached + 'avg1d', '%s\nor\n%savg6h' % [avg(breached + 'slice30m', '1d'), breached]),
        r.record(breached + 'avg3d', '%s\nor\n%savg6h' % [avg(breached + 'slice30m', '3d'), breached]),
        // The last half-hour's mean of 30 days, carried on.
        r.record(breached + 'avg30d', 'last_over_time(%sslices30d[65m])\nor\n%savg6h' % [breached, breached]),
        // 1: untouched; 0: spent; below: overspent.
        r.record('queue:redis_queue_wait_budget_remaining:ratio30d', '1 - %savg30d / (1 - queue:redis_queue_wait_objective_ratio:max)' % breached),
        r.record('application:redis_queue_wait_budget_remaining:min30d', 'min by (%s) (queue:redis_queue_wait_budget_remaining:ratio30d)' % s.by.application),
      ],
    },
  ]
