// How fast the budgets of 30 days are spent: of each queue for jobs that wait
// too long, and of the monitoring itself.
//
// Each alert looks at a long window, which says that it matters, and a short
// one, which says that it still goes on. A threshold is a factor times the
// share that may be bad. Where that is 1 or more, nothing can exceed it, so:
//
//   the last hour      14.4 x   page    objectives above 93.1 %
//   the last six        6 x     page    all: never asks for more than 95 %
//   the last day        3 x     ticket  all: the same
//   the last three      1 x     ticket  all: cannot exceed 1
//
// With that, every objective has a page that can fire.
local windows = [
  { factor: 'hour', long: '1h', short: '5m', 'for': '2m', severity: 'critical' },
  { factor: 'sixHours', long: '6h', short: '30m', 'for': '15m', severity: 'critical' },
  { factor: 'day', long: '1d', short: '2h', 'for': '1h', severity: 'warning' },
  { factor: 'threeDays', long: '3d', short: '6h', 'for': '3h', severity: 'warning' },
];

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);

  local queue(w) = {
    name: 'RedisQueueWaitBudgetBurn',
    severity: w.severity,
    'for': w['for'],
    labels: { long: w.long, short: w.short },
    dashboard: 'slo',
    local breached = 'queue:redis_queue_wait_breached:',
    local bad = '%g * (1 - queue:redis_queue_wait_objective_ratio:max)' % config.burnFactors[w.factor],
    local threshold = if w.factor == 'hour' then bad else 'clamp_max(%s, 0.95)' % bad,
    expr: |||
      %(breached)savg%(long)s > %(threshold)s
      and
      %(breached)savg%(short)s > %(threshold)s
      unless on (%(by)s)
      queue:redis_queue_paused:max == 1
    ||| % { breached: breached, long: w.long, short: w.short, threshold: threshold, by: s.by.queue },
    summary: 'Jobs of a queue wait too long, too often.',
    description: 'In {{ $value | humanizePercentage }} of the last %s the oldest job of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) had waited longer than allowed: its budget of 30 days is spent too fast.' % w.long,
  };

  local monitoring(w) = {
    name: 'QueuefleetMonitoringBudgetBurn',
    severity: w.severity,
    'for': w['for'],
    labels: { long: w.long, short: w.short },
    dashboard: 'internals',
    local factor = config.burnFactors[w.factor],
    local available = 'queuefleet:monitoring_availability:',
    local series(window) = available + (if window == '5m' then 'ratio_avg5m' else 'avg' + window),
    assert factor * (1 - config.monitoringObjective) < 1 :
           '_config.monitoringObjective: with %g, burnFactors.%s of %g can never be exceeded; use more than %.3f' % [config.monitoringObjective, w.factor, factor, 1 - 1 / factor],
    expr: |||
      1 - %(long)s > %(factor)g * (1 - %(objective)g)
      and
      1 - %(short)s > %(factor)g * (1 - %(objective)g)
    ||| % { long: series(w.long), short: series(w.short), factor: factor, objective: config.monitoringObjective },
    summary: 'The monitoring itself misses its objective.',
    description: 'For {{ $value | humanizePercentage }} of the last %s scrapes did not come, figures of connections were not read or rules were not evaluated.' % w.long,
  };

  assert config.monitoringObjective > 0 && config.monitoringObjective < 1 : '_config.monitoringObjective: must lie between 0 and 1, both excluded';
  {
    queue: [queue(w) for w in windows],
    monitoring: [monitoring(w) for w in windows],
  }
