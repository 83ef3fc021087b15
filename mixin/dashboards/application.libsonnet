// How is the background work of my product? For product teams.
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local app = 'application="$application"';
  local pick = g.pick() + ', ' + app;
  local supervisor = g.supervisor() + ', ' + app;
  local raw = g.redis() + ', ' + app;
  local one = pick + ', queue="$queue"';
  local oneRaw = raw + ', queue="$queue"';
  local stat(o) = g.stat({ w: 4, h: 4 } + o);
  local queueLink(title) = g.drilldown(title, 'queuefleet-queues', {
    application: '${application:percentencode}',
    connection: '${__data.fields.connection:percentencode}',
    queue: '${__data.fields.queue:percentencode}',
  });

  local head = g.row('$application', [
    g.table({
      title: 'Application',
      ask: 'What is this application?',
      good: 'What it says is what you expect: it comes from Queuefleet’s configuration.',
      next: 'The queues and connections below.',
      by: 'application',
      columns: [
        { label: 'badge', name: ' ', cell: 'image', width: 44 },
        { label: 'icon', name: '  ', maps: d.icons, cell: 'text', width: 48, align: 'center' },
        { label: 'name', name: 'Name', width: 240 },
        { label: 'description', name: 'Description' },
        { expr: g.applications(g.fleet + ', ' + app), raw: true, name: 'Info', unit: 'none', hide: true },
      ],
      hide: ['application'],
      header: false,
      sort: 'Name',
      h: 3,
    }),
    stat({
      title: 'Queues late',
      ask: 'In how many of its queues has a job waited longer than allowed?',
      good: '0.',
      next: 'Its queues, below.',
      targets: 'sum(%s)' % g.late(pick),
      unit: 'short',
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Least budget left',
      ask: 'How much of 30 days’ allowance of lateness is left, in its worst queue?',
      good: 'More than a quarter.',
      next: 'SLO and error budget.',
      targets: 'min(application:redis_queue_wait_budget_remaining:min30d{%s})' % pick,
      unit: 'percentunit',
      decimals: 0,
      maps: d.maps.budget,
      thresholds: d.lowBad(0.25, 0),
    }),
    stat({
      title: 'Longest wait',
      ask: 'How long has its longest waiting job been waiting, and in which queue?',
      good: 'Below the objective of that queue.',
      next: 'Wait of the oldest job, below.',
      targets: { expr: 'topk(1, queue:redis_queue_waiting_seconds:max{%s})' % pick, legend: '{{queue}}' },
      unit: 's',
      decimals: 0,
      textMode: 'value_and_name',
      colorMode: 'value',
    }),
    stat({
      title: 'Jobs ready',
      ask: 'How many of its jobs could be worked on at once?',
      good: 'Nothing by itself: what counts is how long they wait.',
      next: 'Jobs ready by queue.',
      targets: 'sum(application:redis_queue_ready_jobs:sum{%s})' % pick,
      unit: 'short',
      colorMode: 'value',
    }),
    stat({
      title: 'Ended a minute',
      ask: 'How many attempts end in a minute?',
      good: 'The usual number for this time of the day.',
      next: 'Attempts by result.',
      targets: '60 * sum(%s)' % g.ended(pick),
      unit: 'short',
      decimals: 0,
      colorMode: 'value',
      unknown: 'Not counted',
    }),
    stat({
      title: 'Failed share',
      ask: 'Of the attempts that ended in the last five minutes, how many failed?',
      good: 'Below %d %%.' % (t.failureRatioWarning * 100),
      next: 'The application’s own log; failed attempts in 24 hours.',
      targets: 'sum(%s) / (sum(%s) > 0)' % [g.failed(pick), g.ended(pick)],
      unit: 'percentunit',
      decimals: 1,
      unknown: 'Not counted',
      thresholds: d.highBad(t.failureRatioWarning, t.failureRatioCritical),
    }),
  ]);

  local parts = g.row('Queues and connections', [
    g.table({
      title: 'Its queues',
      ask: 'Which of its queues is in trouble?',
      good: 'In time, with workers.',
      next: 'Queues, by the name.',
      by: 'queue, connection',
      columns: [
        { label: 'queue', name: 'Queue', minWidth: 140, links: [queueLink('This queue alone')] },
        { label: 'connection', name: 'Connection', minWidth: 110, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { expr: g.late(pick), name: 'State', unit: 'none', maps: d.maps.late, thresholds: d.noneWanted(), cell: 'background', width: 90, align: 'center' },
        { expr: 'queue:redis_queue_waiting_seconds:max{%s}' % pick, name: 'Longest wait', unit: 's', decimals: 0, width: 125 },
        { expr: 'queue:redis_queue_wait_objective_seconds:max{%s}' % pick, name: 'Allowed', unit: 's', decimals: 0, width: 90 },
        { expr: 'queue:redis_queue_ready_jobs:max{%s}' % pick, name: 'Ready', unit: 'short', width: 80 },
        { expr: 'queue:redis_queue_workers:max{%s}' % pick, name: 'Workers', unit: 'short', thresholds: d.anyWanted, unknown: 'not counted', width: 110 },
        { expr: 'queue:redis_queue_wait_budget_remaining:ratio30d{%s}' % pick, name: 'Budget left', unit: 'percentunit', decimals: 0, maps: d.maps.budget, thresholds: d.lowBad(0.25, 0), width: 110 },
      ],
      sort: ['State', 'Longest wait'],
      w: 16,
      h: 7,
    }),
    g.table({
      title: 'Its connections',
      ask: 'Which Redis servers does it use, and do they answer?',
      good: 'Up, and the primary one used.',
      next: 'Connection, by the name.',
      by: 'connection',
      columns: [
        { label: 'connection', name: 'Connection', minWidth: 110, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'primary', name: 'Use', maps: d.maps.primary, width: 100 },
        { expr: 'queuefleet_application_connection_info{%s, %s}' % [g.fleet, app], keep: 'primary', name: 'Info', unit: 'none', hide: true },
        { expr: 'connection:redis_up:max{%s} and on (connection) queuefleet_application_connection_info{%s, %s}' % [g.pick(), g.fleet, app], name: 'State', unit: 'none', maps: d.maps.up, thresholds: d.anyWanted, cell: 'background', width: 80, align: 'center' },
        { expr: 'connection:redis_ping_duration_seconds:max{%s} and on (connection) queuefleet_application_connection_info{%s, %s}' % [g.pick(), g.fleet, app], name: 'Ping', unit: 's', decimals: 1, thresholds: d.highBad(t.pingSeconds, t.pingSeconds * 10), width: 95 },
      ],
      sort: 'State',
      asc: true,
      w: 8,
      h: 7,
    }),
  ]);

  local time = g.row('Over time', [
    g.timeseries({
      title: 'Wait of the oldest job',
      ask: 'How long do its jobs wait before a worker takes them?',
      good: 'Below what each queue allows.',
      next: 'Queues.',
      targets: { expr: g.top(8, 'queue:redis_queue_waiting_seconds:max{%s}' % pick, g.by.queue), legend: '{{queue}} · {{connection}}' },
      unit: 'dthms',
      links: [g.seriesLink('Queues', 'queuefleet-queues', ['application', 'connection', 'queue'])],
    }),
    g.timeseries({
      title: 'Jobs ready by queue',
      ask: 'Where does work pile up?',
      good: 'Waves that go down again.',
      next: 'Workers.',
      targets: { expr: g.top(8, 'queue:redis_queue_ready_jobs:max{%s}' % pick, g.by.queue), legend: '{{queue}} · {{connection}}' },
      unit: 'short',
      stack: true,
    }),
    g.timeseries({
      title: 'Attempts by result',
      ask: 'What becomes of its jobs?',
      good: 'processed, and next to no failed.',
      next: 'Failed attempts in 24 hours; Workers.',
      targets: { expr: 'sum by (result) (rate(queuefleet_supervisor_jobs_processed_total{%s}[$__rate_interval]))' % supervisor, legend: '{{result}}' },
      unit: 'ops',
      stack: true,
      overrides: [g.override('processed', g.fixed('green')), g.override('failed', g.fixed('red')), g.override('lost', g.fixed('purple')), g.override('released', g.fixed('blue'))],
    }),
  ]);

  local days = g.row('Failures, run times, workers', [
    g.timeseries({
      title: 'Failed attempts in 24 hours, over a week',
      ask: 'Do failures become more?',
      good: 'Level, or falling.',
      next: 'What was released on the day it rose.',
      targets: { expr: 'sum by (pool) (increase(queuefleet_supervisor_jobs_processed_total{%s, result="failed"}[1d]))' % supervisor, legend: '{{pool}}' },
      unit: 'short',
      decimals: 0,
      stack: true,
      interval: '10m',
      timeFrom: '7d',
      h: 7,
    }),
    g.timeseries({
      title: 'Failed share by pool',
      ask: 'How large a part of the attempts fails, by pool?',
      good: 'Below the line.',
      next: 'The application’s log.',
      targets: { expr: 'pool:queuefleet_supervisor_jobs_failed:ratio_rate5m{%s} or on (application, connection) queue:redis_queue_jobs_failed:ratio_rate5m{%s}' % [pick, pick], legend: '{{pool}}{{queue}}' },
      unit: 'percentunit',
      thresholds: d.limit(t.failureRatioWarning, 'orange'),
      h: 7,
    }),
    g.timeseries({
      title: 'Run time',
      ask: 'How long do its jobs take?',
      good: 'Steady. When it doubles, the same workers do half.',
      next: 'Workers: run time of jobs.',
      targets: [
        { expr: 'histogram_quantile(0.5, sum by (pool, le) (rate(queuefleet_supervisor_job_duration_seconds_bucket{%s}[$__rate_interval])))' % supervisor, legend: '{{pool}} median' },
        { expr: 'histogram_quantile(0.95, sum by (pool, le) (rate(queuefleet_supervisor_job_duration_seconds_bucket{%s}[$__rate_interval])))' % supervisor, legend: '{{pool}} 95th percentile' },
      ],
      unit: 's',
      h: 7,
    }),
    g.timeseries({
      title: 'Workers',
      ask: 'How many workers run for it?',
      good: 'More when more waits; below the maximum.',
      next: 'Workers.',
      targets: [
        { expr: 'pool:queuefleet_supervisor_workers_running:sum{%s}' % pick, legend: '{{pool}} running' },
        { expr: 'pool:queuefleet_supervisor_workers_max:sum{%s}' % pick, legend: '{{pool}} most' },
      ],
      unit: 'short',
      decimals: 0,
      steps: true,
      overrides: [g.overrideQuery('B', { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [6, 6] } })],
      links: [g.seriesLink('Workers', 'queuefleet-workers', ['application', 'connection', 'pool'])],
      w: 12,
      h: 7,
    }),
    g.timeline({
      title: 'Late over time',
      ask: 'Since when, and how often, has which of its queues been late?',
      good: 'Green.',
      next: 'SLO and error budget.',
      targets: { expr: g.topMean(12, 'max_over_time(queue:redis_queue_wait_breached:bool{%s}[$__rate_interval])' % pick, 'queue:redis_queue_wait_breached:bool{%s}' % pick, g.by.queue), legend: '{{queue}} · {{connection}}' },
      maps: d.maps.late,
      thresholds: d.noneWanted(),
      h: 7,
    }),
  ], collapsed=true);

  local each = g.row('Queue $queue', [
    g.timeseries({
      title: 'Wait and what is allowed',
      ask: 'How long do jobs wait here, against the objective?',
      good: 'Below the dashed line.',
      next: 'Queues.',
      targets: [
        { expr: 'queue:redis_queue_waiting_seconds:max{%s}' % one, legend: 'wait · {{connection}}' },
        { expr: 'queue:redis_queue_wait_objective_seconds:max{%s}' % one, legend: 'allowed · {{connection}}' },
      ],
      unit: 'dthms',
      overrides: [g.overrideQuery('B', g.fixed('red') { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } })],
      h: 6,
    }),
    g.timeseries({
      title: 'Jobs by state',
      ask: 'What lies in it?',
      good: 'Ready goes down again.',
      next: 'Queues.',
      targets: { expr: 'sum by (state) (max by (%s, state) (redis_queue_jobs{%s}))' % [g.by.queue, oneRaw], legend: '{{state}}' },
      unit: 'short',
      stack: true,
      overrides: [g.override('ready', g.fixed('orange')), g.override('reserved', g.fixed('blue')), g.override('delayed', g.fixed('purple'))],
      h: 6,
    }),
    g.timeseries({
      title: 'Workers able to take it',
      ask: 'Does anybody work it?',
      good: 'At least 1. No line: nobody counts them.',
      next: 'Workers.',
      targets: { expr: 'queue:redis_queue_workers:max{%s}' % one, legend: 'workers · {{connection}}' },
      unit: 'short',
      decimals: 0,
      steps: true,
      h: 6,
    }),
  ], collapsed=true, repeat='queue');

  g.dashboard({
    uid: 'queuefleet-application',
    title: 'Queuefleet / Application',
    desc: 'How is the background work of my product?',
    variables: ['application', 'queue'],
    single: ['application'],
    rows: [head, parts, time, days, each],
  })
