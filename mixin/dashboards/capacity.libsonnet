// When do we run out? Weeks, from recordings alone.
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local pick = g.pick(['connection']);
  local pools = g.pick(['application', 'connection']);
  local used = 'connection:redis_memory_used_bytes:max{%s}' % pick;
  local limit = '(connection:redis_memory_max_bytes:max{%s} > 0)' % pick;
  // Bytes a second at the pace of a week; hourly samples are enough for it.
  local growth = 'deriv(%s[7d:1h])' % used;
  local left = '((%s - %s) / (%s > 0))' % [limit, used, growth];
  local week(f, expr, more='') = '%s_over_time((%s)[7d:1h]%s)' % [f, expr, more];
  local running = 'pool:queuefleet_supervisor_workers_running:sum{%s}' % pools;
  local most = 'pool:queuefleet_supervisor_workers_max:sum{%s}' % pools;
  local use = '%s / (%s > 0)' % [running, most];
  local ended = 'pool:queuefleet_supervisor_jobs_processed:rate5m{%s}' % pools;
  local atMax = week('avg', '%s >= bool (%s > 0)' % [running, most]);
  local ready = 'application:redis_queue_ready_jobs:sum{%s}' % g.pick(['application']);
  local commands = 'connection:redis_commands_processed:rate5m{%s}' % pick;
  local stat(o) = g.stat({ w: 6, h: 4, textMode: 'value_and_name' } + o);
  local pool = [g.rowLink('Workers', 'queuefleet-workers', ['application', 'connection', 'pool'])];
  local dash = { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } };
  local scopes = [{ label: label, name: std.asciiUpper(label[0]) + label[1:], width: 105 } for label in config.scopeLabels];

  local now = g.row('What runs out first', [
    stat({
      title: 'Memory full in',
      ask: 'Which connection fills up first, at the pace of the last week?',
      good: 'Months. Nothing that grows: then there is no date.',
      next: 'Memory by connection, below.',
      targets: { expr: 'bottomk(1, %s)' % left, legend: g.names.connection },
      unit: 's',
      decimals: 0,
      thresholds: d.lowBad(30 * 86400, 7 * 86400),
      unknown: 'Nothing grows',
      unknownColor: 'text',
      noValue: 'Nothing grows',
    }),
    stat({
      title: 'Memory, peak of the week',
      ask: 'How full was the fullest connection at its worst?',
      good: 'Below %d %%.' % (t.memoryRatio * 100),
      next: 'Memory by connection, below.',
      targets: { expr: 'topk(1, %s)' % week('max', 'connection:redis_memory_used:ratio{%s}' % pick), legend: g.names.connection },
      unit: 'percentunit',
      decimals: 0,
      thresholds: d.highBad(t.memoryRatio, t.memoryFullRatio),
      noValue: 'No limit',
    }),
    stat({
      title: 'Clients, peak of the week',
      ask: 'Which connection came nearest to refusing clients?',
      good: 'Below %d %%.' % (t.clientsRatio * 100),
      next: 'Connection.',
      targets: { expr: 'topk(1, %s)' % week('max', 'connection:redis_clients:ratio{%s}' % pick), legend: g.names.connection },
      unit: 'percentunit',
      decimals: 1,
      thresholds: d.highBad(t.clientsRatio, 0.95),
    }),
    stat({
      title: 'Longest at max',
      ask: 'Which pool had all its workers running for most of the week?',
      good: 'Below half of the time.',
      next: 'Pools, below; raise max_processes if its queues are late.',
      targets: { expr: 'topk(1, %s)' % atMax, legend: g.names.pool },
      unit: 'percentunit',
      decimals: 0,
      thresholds: d.highBad(0.5, 0.9),
    }),
  ]);

  local tables = g.row('By connection, by pool', [
    g.table({
      title: 'Memory by connection',
      ask: 'How fast does each connection fill up, and when is it full?',
      good: 'No date, or one far away.',
      next: 'Connection, by its name.',
      by: g.by.connection,
      columns: scopes + [
        { label: 'connection', name: 'Connection', minWidth: 120, filter: true, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'team', name: 'Team', width: 100, filter: true },
        { expr: used, name: 'Used', unit: 'bytes', decimals: 1, width: 110 },
        { expr: 'connection:redis_memory_max_bytes:max{%s}' % pick, name: 'Limit', unit: 'bytes', decimals: 1, maps: [d.maps.values({ '0': ['No limit', 'text'] })], width: 110 },
        { expr: '%s * 86400' % growth, name: 'A day', unit: 'bytes', decimals: 1, width: 110 },
        { expr: '%s * 86400 / %s' % [growth, limit], name: 'Of limit, a day', unit: 'percentunit', decimals: 2, unknown: 'no limit', width: 130 },
        { expr: left, name: 'Full in', unit: 's', decimals: 0, thresholds: d.lowBad(30 * 86400, 7 * 86400), unknown: 'no date', width: 110 },
        { expr: week('max', 'connection:redis_clients:ratio{%s}' % pick), name: 'Clients, peak', unit: 'percentunit', decimals: 1, thresholds: d.highBad(t.clientsRatio, 0.95), width: 120 },
      ],
      sort: 'Of limit, a day',
      h: 8,
    }),
    g.table({
      title: 'Workers by pool, the last week',
      ask: 'Are there enough workers, and are there too many?',
      good: 'Seldom at max, and a mean use that is worth its memory.',
      next: 'Workers, by the pool.',
      by: g.by.pool,
      columns: scopes + [
        { label: 'application', name: 'Application', minWidth: 110, filter: true },
        { label: 'pool', name: 'Pool', minWidth: 110, links: pool },
        { label: 'connection', name: 'Connection', minWidth: 110 },
        { label: 'team', name: 'Team', width: 100 },
        { expr: atMax, name: 'At max', unit: 'percentunit', decimals: 0, thresholds: d.highBad(0.5, 0.9), width: 90 },
        { expr: week('avg', use), name: 'Mean use', unit: 'percentunit', decimals: 0, width: 95 },
        { expr: week('max', ended), name: 'Peak/s', unit: 'short', decimals: 1, unknown: 'not told', width: 95 },
        { expr: '%s / (%s > 0)' % [week('max', ended), week('avg', ended)], name: 'Peak to mean', unit: 'short', decimals: 1, unknown: 'not told', width: 115 },
        { expr: '%s / (%s > 0)' % [week('avg', ended), week('avg', running)], name: 'Per worker/s', unit: 'short', decimals: 2, unknown: 'not told', width: 115 },
      ],
      sort: 'At max',
      h: 6,
    }),
  ]);

  local time = g.row('Over time', [
    g.timeseries({
      title: 'Memory of maxmemory',
      ask: 'Which connections fill up?',
      good: 'Level, or with a rhythm.',
      next: 'Connection.',
      targets: { expr: g.top(8, 'connection:redis_memory_used:ratio{%s}' % pick, g.by.connection), legend: g.names.connection },
      unit: 'percentunit',
      max: 1,
      thresholds: d.limit(t.memoryRatio, 'orange'),
      links: [g.seriesLink('Connection', 'queuefleet-connection', ['connection'])],
      w: 12,
    }),
    g.timeseries({
      title: 'Workers of max',
      ask: 'When is there no room left?',
      good: 'Peaks below 100 %.',
      next: 'Workers.',
      targets: { expr: g.top(8, use, g.by.pool), legend: g.names.pool },
      unit: 'percentunit',
      thresholds: d.limit(1, 'orange'),
      links: [g.seriesLink('Workers', 'queuefleet-workers', ['application', 'connection', 'pool'])],
      w: 12,
    }),
    g.timeseries({
      title: 'Jobs ready, and a week before',
      ask: 'Do backlogs grow from week to week?',
      good: 'The two lines alike.',
      next: 'Growth by application, below.',
      targets: [
        { expr: 'sum(%s)' % ready, legend: 'now' },
        { expr: 'sum(%s offset 7d)' % ready, legend: 'a week before' },
      ],
      unit: 'short',
      overrides: [g.overrideQuery('B', dash { color: { mode: 'fixed', fixedColor: 'text' } })],
    }),
    g.timeseries({
      title: 'Ended attempts, and a week before',
      ask: 'Is there more work than last week?',
      good: 'Growth that you know of.',
      next: 'Workers by pool.',
      targets: [
        { expr: 'sum(%s)' % g.ended(pools), legend: 'now' },
        { expr: 'sum(%s offset 7d)' % ended, legend: 'a week before' },
      ],
      unit: 'ops',
      overrides: [g.overrideQuery('B', dash { color: { mode: 'fixed', fixedColor: 'text' } })],
    }),
    g.timeseries({
      title: 'Commands, and a week before',
      ask: 'Is Redis asked more than last week?',
      good: 'Growth that you know of.',
      next: 'Connection.',
      targets: [
        { expr: 'sum(%s)' % commands, legend: 'now' },
        { expr: 'sum(%s offset 7d)' % commands, legend: 'a week before' },
      ],
      unit: 'ops',
      overrides: [g.overrideQuery('B', dash { color: { mode: 'fixed', fixedColor: 'text' } })],
    }),
  ]);

  local growthRow = g.row('Growth and peaks', [
    g.bargauge({
      title: 'Backlog beside the week before',
      ask: 'Whose mean backlog has grown most?',
      good: 'About 100 %.',
      next: 'Application.',
      targets: { expr: 'topk(10, %s / (%s > 0))' % [week('avg', ready), week('avg', ready, ' offset 7d')], legend: '{{application}}' },
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 3,
      thresholds: d.highBad(1.5, 2),
      links: [g.seriesLink('Application', 'queuefleet-application', ['application'])],
    }),
    g.bargauge({
      title: 'Commands beside the week before',
      ask: 'Which connection has more to do than a week ago?',
      good: 'About 100 %.',
      next: 'Connection.',
      targets: { expr: 'topk(10, %s / (%s > 0))' % [week('avg', commands), week('avg', commands, ' offset 7d')], legend: g.names.connection },
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 3,
      thresholds: d.highBad(1.5, 2),
      links: [g.seriesLink('Connection', 'queuefleet-connection', ['connection'])],
    }),
    g.bargauge({
      title: 'Peak to mean of commands',
      ask: 'How much room does each connection need above its mean?',
      good: 'Small: the load is even.',
      next: 'Commands, for when the peak is.',
      targets: { expr: 'topk(10, %s / (%s > 0))' % [week('max', commands), week('avg', commands)], legend: g.names.connection },
      unit: 'short',
      decimals: 1,
      min: 0,
      thresholds: d.neutral,
      links: [g.seriesLink('Connection', 'queuefleet-connection', ['connection'])],
    }),
  ], collapsed=true);

  g.dashboard({
    uid: 'queuefleet-capacity',
    title: 'Queuefleet / Capacity',
    desc: 'When do we run out?',
    from: config.dashboardLongFrom,
    variables: ['application', 'connection'],
    rows: [now, tables, time, growthRow],
  })
