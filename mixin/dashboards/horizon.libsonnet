// A row about Laravel Horizon, as it sees itself. For the Queues dashboard.
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local raw = g.redis(['application', 'connection']);
  local max(metric, more='', by='') = 'max by (application, connection%s) (%s{%s%s})' % [by, metric, raw, more];
  local queue(metric) = g.top(8, max(metric, by=', queue'), 'application, connection, queue');
  local forgets = 'Horizon forgets these at each snapshot and leaves failed jobs out.';
  g.row('Horizon', [
    g.timeline({
      title: 'Horizon’s state',
      ask: 'What does Horizon say of itself?',
      good: 'Running.',
      next: 'Horizon’s dashboard; `php artisan horizon:status` on its host.',
      targets: {
        expr: '2 * %s + %s' % [max('redis_horizon_status', ', status="running"'), max('redis_horizon_status', ', status="paused"')],
        legend: '{{application}} · {{connection}}',
      },
      maps: [d.maps.values({ '0': ['Inactive', 'red'], '1': ['Paused', 'orange'], '2': ['Running', 'green'] })],
      h: 6,
    }),
    g.timeseries({
      title: 'Horizon’s masters, supervisors, processes',
      ask: 'How many of Horizon’s own processes have reported lately?',
      good: 'The number of hosts, of supervisors, and processes for each queue.',
      next: 'Horizon’s host: one that vanished was killed or lost Redis.',
      targets: [
        { expr: max('redis_horizon_masters'), legend: '{{application}} masters' },
        { expr: max('redis_horizon_supervisors'), legend: '{{application}} supervisors' },
        { expr: 'sum by (application, connection) (%s)' % max('redis_horizon_processes', by=', queue_connection, queue'), legend: '{{application}} processes' },
      ],
      unit: 'short',
      decimals: 0,
      w: 12,
      h: 6,
    }),
    g.timeseries({
      title: 'Horizon’s jobs a minute',
      ask: 'How fast does Horizon say it works?',
      good: 'The usual shape of the day. ' + forgets,
      next: 'Attempts ended, for a rate that forgets nothing.',
      targets: { expr: max('redis_horizon_jobs_per_minute'), legend: '{{application}} · {{connection}}' },
      unit: 'short',
      h: 7,
    }),
    g.timeseries({
      title: 'Horizon’s throughput by queue',
      ask: 'Which queue has Horizon worked since its last snapshot?',
      good: 'Saw teeth, one a snapshot. ' + forgets,
      next: 'Run time by queue, beside.',
      targets: { expr: queue('redis_horizon_queue_throughput_jobs'), legend: '{{application}} / {{queue}}' },
      unit: 'short',
      h: 7,
    }),
    g.timeseries({
      title: 'Horizon’s run time by queue',
      ask: 'How long does a job of this queue take?',
      good: 'Steady: when it grows, the same workers do less.',
      next: 'Application.',
      targets: { expr: queue('redis_horizon_queue_runtime_seconds'), legend: '{{application}} / {{queue}}' },
      unit: 's',
      h: 7,
    }),
    g.timeseries({
      title: 'Horizon’s estimate of the wait',
      ask: 'How long does Horizon think it takes to clear the queue?',
      good: 'Below the objective. An estimate from run times; the wait above is measured.',
      next: 'Wait of the oldest job.',
      targets: { expr: queue('redis_horizon_queue_wait_seconds'), legend: '{{application}} / {{queue}}' },
      unit: 'dthms',
      h: 7,
    }),
    g.timeseries({
      title: 'Horizon’s lists',
      ask: 'How many jobs does Horizon remember, by what became of them?',
      good: 'Completed and recent level off where Horizon trims them; failed stays flat.',
      next: 'Horizon’s list of failed jobs.',
      targets: [
        { expr: max('redis_horizon_recent_jobs'), legend: '{{application}} recent' },
        { expr: max('redis_horizon_pending_jobs'), legend: '{{application}} pending' },
        { expr: max('redis_horizon_completed_jobs'), legend: '{{application}} completed' },
        { expr: max('redis_horizon_failed_jobs'), legend: '{{application}} failed' },
        { expr: max('redis_horizon_recent_failed_jobs'), legend: '{{application}} failed lately' },
      ],
      unit: 'short',
      h: 7,
    }),
    g.timeseries({
      title: 'Age of Horizon’s snapshot',
      ask: 'Are Horizon’s own figures fresh?',
      good: 'Saw teeth of five minutes. A line that climbs: `horizon:snapshot` is not scheduled, and its rates are stale.',
      next: 'The application’s scheduler.',
      targets: { expr: 'time() - ' + max('redis_horizon_last_snapshot_timestamp_seconds'), legend: '{{application}} · {{connection}}' },
      unit: 'dthms',
      thresholds: d.limit(config.thresholds.horizonSnapshotMinutes * 60, 'orange'),
      h: 7,
    }),
  ], collapsed=true)
