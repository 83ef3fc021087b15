// Half-hours side by side of what alerts compare with the last day. As with
// the objectives, only windows read them: a series written every 30 minutes is
// stale after five.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  {
    name: 'queuefleet-slices-30m.rules',
    interval: '30m',
    rules: [
      r.record('connection:redis_ping_duration_seconds:slice30m', 'avg_over_time(connection:redis_ping_duration_seconds:max[30m])'),
      r.record('connection:redis_connected_slaves:slice30m', 'max_over_time(connection:redis_connected_slaves:sum[30m])'),
      r.record('connection:redis_blocked_clients:slice30m', 'avg_over_time(connection:redis_blocked_clients:sum[30m])'),
      r.record('queue:redis_queue_failed_jobs:slice30m', 'min_over_time(queue:redis_queue_failed_jobs:max[30m])'),
      // How many supervisors were there.
      r.record('queuefleet:supervisors:slice30m', 'count(max by (%s) (up{%s}))' % [s.by.supervisor, s.supervisor]),
    ],
  }
