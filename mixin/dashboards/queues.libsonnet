// Do jobs start in time, and if not, why?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local names = ['application', 'connection', 'queue'];
  local pick = g.pick(names);
  local raw = g.redis(names);
  local pools = g.pick(['application', 'connection']);
  local own = [g.seriesLink('This queue alone', 'queuefleet-queues', names)];
  local max(metric, more='') = 'max by (%s) (%s{%s%s})' % [g.by.queue, metric, raw, more];

  local now = g.row('Now', [
    g.stat({
      title: 'Queues late',
      ask: 'In how many of the chosen queues has a job waited longer than allowed?',
      good: '0.',
      next: 'The table of all queues: the late ones come first.',
      targets: 'sum(%s)' % g.late(pick),
      unit: 'short',
      thresholds: d.noneWanted(),
      w: 3,
    }),
    g.stat({
      title: 'Longest wait',
      ask: 'How long has the job that waits longest been waiting, and where?',
      good: 'Below the objective of its queue.',
      next: 'Wait of the oldest job, below.',
      targets: { expr: 'topk(1, queue:redis_queue_waiting_seconds:max{%s})' % pick, legend: '{{application}} / {{queue}}' },
      unit: 's',
      decimals: 0,
      textMode: 'value_and_name',
      colorMode: 'value',
      w: 5,
    }),
    g.stat({
      title: 'Jobs ready',
      ask: 'How many jobs could be worked on at once?',
      good: 'Nothing by itself: what counts is how long they wait.',
      next: 'Jobs by state, below.',
      targets: 'sum(queue:redis_queue_ready_jobs:max{%s})' % pick,
      unit: 'short',
      colorMode: 'value',
      w: 3,
    }),
    g.stat({
      title: 'Overdue',
      ask: 'How many delayed jobs are due and still not ready?',
      good: '0. Laravel moves them only when a worker polls, so with workers they are moved within seconds.',
      next: 'Workers able to take the queue; the row about delayed jobs.',
      targets: 'sum(%s)' % max('redis_queue_delayed_overdue_jobs'),
      unit: 'short',
      thresholds: d.noneWanted('orange'),
      w: 3,
    }),
    g.stat({
      title: 'Reservations expired',
      ask: 'How many jobs were taken by a worker that never came back?',
      good: '0. Each is a worker that died; the job runs again once a worker polls.',
      next: 'Workers, for what ended; the row about delayed jobs.',
      targets: 'sum(%s)' % max('redis_queue_reserved_expired_jobs'),
      unit: 'short',
      thresholds: d.noneWanted('orange'),
      w: 4,
    }),
    g.stat({
      title: 'Paused',
      ask: 'How many queues does somebody hold back?',
      good: '0, but for maintenance.',
      next: 'The table of all queues; `qftool pools continue`.',
      targets: 'sum(queue:redis_queue_paused:max{%s})' % pick,
      unit: 'short',
      thresholds: d.noneWanted('orange'),
      w: 3,
    }),
    g.stat({
      title: 'Not readable',
      ask: 'Of how many queues is nothing known?',
      good: '0. These queues have no figures here, neither good nor bad ones.',
      next: 'Connection: it is down, or its user may not read the keys.',
      targets: 'sum(max by (%s) (redis_queue_read_success{%s}) == bool 0)' % [g.by.queue, raw],
      unit: 'short',
      thresholds: d.noneWanted('purple'),
      w: 3,
    }),
  ]);

  local table = g.row('All queues', [
    g.table({
      title: 'All queues',
      ask: 'Which queues are there, and which of them is in trouble?',
      good: 'In time, with workers, with budget left.',
      next: 'A queue by its name; its connection or its application by theirs.',
      by: g.by.queue,
      columns: [{ label: label, name: std.asciiUpper(label[0]) + label[1:], width: 105 } for label in config.scopeLabels] + [
        { label: 'application', name: 'Application', minWidth: 130, filter: true, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'queue', name: 'Queue', minWidth: 150, filter: true, links: [g.rowLink('This queue alone', 'queuefleet-queues', names)] },
        { label: 'connection', name: 'Connection', minWidth: 110, filter: true, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'team', name: 'Team', width: 100, filter: true },
        { expr: g.late(pick), name: 'State', unit: 'none', maps: d.maps.late, thresholds: d.noneWanted(), cell: 'background', width: 85, align: 'center' },
        { expr: 'queue:redis_queue_waiting_seconds:max{%s}' % pick, name: 'Longest wait', unit: 's', decimals: 0, width: 125 },
        { expr: 'queue:redis_queue_wait_objective_seconds:max{%s}' % pick, name: 'Allowed', unit: 's', decimals: 0, width: 80 },
        { expr: 'queue:redis_queue_ready_jobs:max{%s}' % pick, name: 'Ready', unit: 'short', width: 75 },
        { expr: 'queue:redis_queue_delayed_jobs:max{%s}' % pick, name: 'Delayed', unit: 'short', width: 80 },
        { expr: 'queue:redis_queue_reserved_jobs:max{%s}' % pick, name: 'Reserved', unit: 'short', width: 85 },
        { expr: 'queue:redis_queue_workers:max{%s}' % pick, name: 'Workers', unit: 'short', thresholds: d.anyWanted, width: 100, unknown: 'not counted' },
        { expr: 'queue:redis_queue_paused:max{%s}' % pick, name: 'Paused', unit: 'none', maps: d.maps.paused, thresholds: d.noneWanted('orange'), width: 85 },
        { expr: 'queue:redis_queue_wait_budget_remaining:ratio30d{%s}' % pick, name: 'Budget left', unit: 'percentunit', decimals: 0, maps: d.maps.budget, thresholds: d.lowBad(0.25, 0), width: 105 },
      ],
      sort: ['State', 'Longest wait'],
      h: 11,
    }),
  ]);

  local time = g.row('Over time', [
    g.timeseries({
      title: 'Wait of the oldest job',
      ask: 'How long do jobs wait before a worker takes them?',
      good: 'Low, and back down after each wave. Where payloads tell no time it is how long the same job has been seen at the head: at least so long.',
      next: 'Workers able to take the queue: nobody works it, or too few do.',
      targets: { expr: g.top(8, 'queue:redis_queue_waiting_seconds:max{%s}' % pick, g.by.queue), legend: g.names.queue },
      unit: 'dthms',
      links: own,
      w: 12,
    }),
    g.timeseries({
      title: 'Wait against the objective',
      ask: 'Which queues come close to what they are allowed, or beyond?',
      good: 'Below the line at 100 %. The same scale for all, whatever each is allowed.',
      next: 'SLO and error budget.',
      targets: {
        expr: g.top(8, 'queue:redis_queue_waiting_seconds:max{%s} / (queue:redis_queue_wait_objective_seconds:max{%s} > 0)' % [pick, pick], g.by.queue),
        legend: g.names.queue,
      },
      unit: 'percentunit',
      thresholds: d.limit(1),
      links: own,
      w: 12,
    }),
    g.timeseries({
      title: 'Jobs by state',
      ask: 'What lies in the chosen queues?',
      good: 'Ready drains. Reserved is about the number of busy workers. Delayed is the future.',
      next: 'The longest queues, beside.',
      targets: [
        { expr: 'sum(queue:redis_queue_ready_jobs:max{%s})' % pick, legend: 'ready' },
        { expr: 'sum(queue:redis_queue_reserved_jobs:max{%s})' % pick, legend: 'reserved' },
        { expr: 'sum(queue:redis_queue_delayed_jobs:max{%s})' % pick, legend: 'delayed' },
      ],
      unit: 'short',
      stack: true,
      overrides: [
        g.override('ready', g.fixed('orange')),
        g.override('reserved', g.fixed('blue')),
        g.override('delayed', g.fixed('purple')),
      ],
      w: 6,
    }),
    g.timeseries({
      title: 'Longest queues',
      ask: 'In which queue does the work pile up?',
      good: 'No line that only climbs.',
      next: 'That queue alone, then its workers.',
      targets: { expr: g.top(8, 'queue:redis_queue_ready_jobs:max{%s}' % pick, g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'short',
      links: own,
      w: 9,
    }),
    g.timeseries({
      title: 'Workers able to take the queue',
      ask: 'How many running workers would take a job of this queue?',
      good: 'At least 1 where jobs come. No line: nobody counts them, as for Laravel workers that others start.',
      next: 'Workers.',
      targets: { expr: g.top(8, 'queue:redis_queue_workers:max{%s}' % pick, g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'short',
      decimals: 0,
      steps: true,
      w: 9,
    }),
  ]);

  local rates = g.row('Rates, failures, time to clear', [
    g.timeseries({
      title: 'Attempts ended',
      ask: 'How fast is work done, by pool or, where the framework counts, by queue?',
      good: 'As fast as it comes. Redis keeps no count of pushes, so there is no rate of arrival.',
      next: 'Workers.',
      targets: { expr: g.top(8, 'sum by (application, connection, pool, queue) (%s)' % g.ended(pools), 'application, connection, pool, queue'), legend: '{{application}} / {{pool}}{{queue}}' },
      unit: 'ops',
    }),
    g.timeseries({
      title: 'Failed share',
      ask: 'How many of the attempts fail?',
      good: 'Near 0. Attempts that are repeated count each time.',
      next: 'Application, then its logs.',
      targets: {
        expr: g.top(8, 'sum by (application, connection, pool, queue) (%s) / (sum by (application, connection, pool, queue) (%s) > 0)' % [g.failed(pools), g.ended(pools)], 'application, connection, pool, queue'),
        legend: '{{application}} / {{pool}}{{queue}}',
      },
      unit: 'percentunit',
      thresholds: d.limit(t.failureRatioWarning, 'orange'),
    }),
    g.timeseries({
      title: 'Time to clear what is ready',
      ask: 'If nothing more came, how long would the work on hand take at the present pace?',
      good: 'Below the objective. Absent where nothing ends: then it takes for ever.',
      next: 'Workers: raise max_processes, or see what holds the pool back.',
      targets: {
        expr: g.top(8, |||
          sum by (application, connection) (queue:redis_queue_ready_jobs:max{%s})
          /
          (sum by (application, connection) (%s) > 0)
        ||| % [pools, g.ended(pools)], 'application, connection'),
        legend: '{{application}} · {{connection}}',
      },
      unit: 'dthms',
    }),
    g.timeseries({
      title: 'Failed jobs kept',
      ask: 'How many failed jobs lie there, waiting for somebody to look?',
      good: 'Flat. Laravel keeps them in a database, not in Redis: no line.',
      next: 'The framework’s own list of failed jobs.',
      targets: [
        { expr: g.top(8, 'queue:redis_queue_failed_jobs:max{%s}' % pick, g.by.queue), legend: '{{application}} / {{queue}} failed' },
        { expr: g.top(8, max('redis_queue_jobs', ', state="retry"'), g.by.queue), legend: '{{application}} / {{queue}} to retry' },
      ],
      unit: 'short',
      w: 12,
      h: 6,
    }),
    g.timeseries({
      title: 'Busy workers by the framework’s registry',
      ask: 'Of the workers that the framework knows, how many have a job?',
      good: 'Not all of them all the time.',
      next: 'Workers.',
      targets: [
        { expr: 'sum by (application, queue) (%s)' % max('redis_queue_workers'), legend: '{{application}} / {{queue}} known' },
        { expr: 'sum by (application, queue) (%s)' % max('redis_queue_workers_busy'), legend: '{{application}} / {{queue}} busy' },
      ],
      unit: 'short',
      decimals: 0,
      w: 12,
      h: 6,
    }),
  ], collapsed=true);

  local delayed = g.row('Delayed, overdue and lost', [
    g.timeseries({
      title: 'Delayed jobs',
      ask: 'How much work is scheduled for later?',
      good: 'The usual amount: a wall of them becomes a wave of ready ones.',
      next: 'Overdue jobs, beside.',
      targets: { expr: g.top(8, 'queue:redis_queue_delayed_jobs:max{%s}' % pick, g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'short',
    }),
    g.timeseries({
      title: 'Overdue jobs',
      ask: 'Which delayed jobs are due and nobody moves them?',
      good: '0, or a few for seconds.',
      next: 'Workers: only a polling worker moves them.',
      targets: { expr: g.top(8, max('redis_queue_delayed_overdue_jobs'), g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'short',
      decimals: 0,
    }),
    g.timeseries({
      title: 'Longest overdue',
      ask: 'For how long has the oldest of them been due?',
      good: 'Seconds.',
      next: 'Workers able to take the queue.',
      targets: { expr: g.top(8, max('redis_queue_oldest_overdue_job_age_seconds'), g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'dthms',
      thresholds: d.limit(t.overdueSeconds),
    }),
    g.timeseries({
      title: 'Reservations past their end',
      ask: 'How many jobs did a dead worker leave behind?',
      good: '0. They run again after retry_after, once a worker polls.',
      next: 'Workers: killed by memory or by timeout?',
      targets: { expr: g.top(8, max('redis_queue_reserved_expired_jobs'), g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'short',
      decimals: 0,
      w: 12,
    }),
    g.timeseries({
      title: 'Reservation ends after',
      ask: 'After what time is a job given to another worker?',
      good: 'Longer than any job may run, or it runs twice.',
      next: 'Queuefleet’s configuration: retry_after and timeout.',
      targets: { expr: g.top(8, max('redis_queue_retry_after_seconds'), g.by.queue), legend: '{{application}} / {{queue}}' },
      unit: 'dthms',
      w: 12,
    }),
  ], collapsed=true);

  local horizon = (import 'horizon.libsonnet')(config);

  local state = g.row('Late, paused, unreadable', [
    g.timeline({
      title: 'Late over time',
      ask: 'Since when, and how often, has which queue been late?',
      good: 'Green. A gap: not known.',
      next: 'SLO and error budget.',
      targets: { expr: g.topMean(15, 'max_over_time(queue:redis_queue_wait_breached:bool{%s}[$__rate_interval])' % pick, 'queue:redis_queue_wait_breached:bool{%s}' % pick, g.by.queue), legend: g.names.queue },
      maps: d.maps.late,
      thresholds: d.noneWanted(),
      h: 10,
    }),
    g.timeline({
      title: 'Paused over time',
      ask: 'When was which queue held back?',
      good: 'Green; orange while somebody meant it.',
      next: '`qftool pools list`, the audit log of the supervisor.',
      targets: { expr: g.topMean(15, 'max_over_time(queue:redis_queue_paused:max{%s}[$__rate_interval])' % pick, 'queue:redis_queue_paused:max{%s}' % pick, g.by.queue), legend: g.names.queue },
      maps: d.maps.paused,
      thresholds: d.noneWanted('orange'),
      h: 10,
    }),
    g.timeline({
      title: 'Readable over time',
      ask: 'When could which queue be read?',
      good: 'Green.',
      next: 'Connection.',
      targets: { expr: g.topMean(15, max('redis_queue_read_success'), '1 - ' + max('redis_queue_read_success'), g.by.queue), legend: g.names.queue },
      maps: d.maps.success,
      thresholds: d.anyWanted,
      w: 24,
      h: 10,
    }),
  ], collapsed=true);

  g.dashboard({
    uid: 'queuefleet-queues',
    title: 'Queuefleet / Queues',
    desc: 'Do jobs start in time, and if not, why?',
    variables: names,
    rows: [now, table, time, state, rates, delayed, horizon],
  })
