// Is anything wrong, where, and whose is it?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local pick = g.pick();
  local queueNext = '[Queues](/d/queuefleet-queues)';

  local now = g.row('Now', [
    g.stat({
      title: 'Connections down',
      ask: 'How many Redis connections do not answer?',
      good: '0. One that is down takes its queues with it.',
      next: 'The table of all connections below, then Connection.',
      targets: 'sum(connection:redis_up:max{%s} == bool 0)' % pick,
      unit: 'short',
      thresholds: d.noneWanted(),
      w: 4,
    }),
    g.stat({
      title: 'Queues late',
      ask: 'In how many queues has a job waited longer than the queue allows?',
      good: '0.',
      next: 'The worst waits below, then Queues.',
      targets: 'sum(%s)' % g.late(pick),
      unit: 'short',
      thresholds: d.noneWanted(),
      w: 3,
    }),
    g.stat({
      title: 'Longest wait',
      ask: 'How long has the job that waits longest been waiting, and where?',
      good: 'Below the objective of its queue; the bars below compare the two.',
      next: 'Queues, with that queue chosen.',
      targets: { expr: 'topk(1, queue:redis_queue_waiting_seconds:max{%s})' % pick, legend: '{{application}} / {{queue}}' },
      unit: 's',
      decimals: 0,
      textMode: 'value_and_name',
      colorMode: 'value',
      w: 4,
    }),
    g.stat({
      title: 'Jobs waiting',
      ask: 'How many jobs could be worked on at once?',
      good: 'Nothing by itself: a long queue that drains in time is fine.',
      next: 'Queues, for which of them grows.',
      targets: 'sum(queue:redis_queue_ready_jobs:max{%s})' % pick,
      unit: 'short',
      colorMode: 'value',
      w: 3,
    }),
    g.stat({
      title: 'Failed share',
      ask: 'Of the attempts that ended in the last five minutes, how many failed?',
      good: 'Below %d %%; where nothing ended there is no share.' % (t.failureRatioWarning * 100),
      next: 'The failing pools below, then Application.',
      targets: 'sum(%s) / (sum(%s) > 0)' % [g.failed(pick), g.ended(pick)],
      unit: 'percentunit',
      decimals: 1,
      thresholds: d.highBad(t.failureRatioWarning, t.failureRatioCritical),
      w: 3,
    }),
    g.stat({
      title: 'Workers of max',
      ask: 'How much of the allowed number of workers runs?',
      good: 'Below 100 %. All of them is fine too while no queue is late.',
      next: 'Workers, for the pool that has no more to give.',
      targets: 'sum(pool:queuefleet_supervisor_workers_running:sum{%s}) / (sum(pool:queuefleet_supervisor_workers_max:sum{%s}) > 0)' % [pick, pick],
      unit: 'percentunit',
      decimals: 0,
      colorMode: 'value',
      w: 3,
    }),
    g.stat({
      title: 'Alerts firing',
      ask: 'Does anybody have to act?',
      good: '0 and 0. Without rules in Prometheus there is no number at all.',
      next: 'The table of alerts below; each has its runbook.',
      targets: {
        // The watchdog always fires: without it nobody evaluates the rules,
        // and then nothing is known.
        expr: |||
          count by (severity) (max by (severity, alertname, application, connection, queue, pool, instance) (ALERTS{%(alerts)s}))
          or
          label_replace(0 * count(ALERTS{alertname="QueuefleetWatchdog"}), "severity", "critical", "", "")
          or
          label_replace(0 * count(ALERTS{alertname="QueuefleetWatchdog"}), "severity", "warning", "", "")
        ||| % { alerts: g.alerts('alertstate="firing", severity=~"critical|warning", ' + pick) },
        legend: '{{severity}}',
      },
      unit: 'short',
      textMode: 'value_and_name',
      orientation: 'vertical',
      thresholds: d.noneWanted('orange'),
      overrides: [g.override('critical', { thresholds: d.noneWanted() })],
      w: 4,
    }),
  ]);

  local worst = g.row('The worst first', [
    g.table({
      title: 'Alerts',
      ask: 'Which alerts fire, and for how long?',
      good: 'An empty table.',
      next: 'Follow the connection, queue or pool; the runbook of an alert is its link in Alertmanager.',
      noValue: 'Nothing fires, or nobody evaluates the rules: see Alerts firing',
      by: 'severity, alertname, application, connection, queue',
      columns: [
        { label: 'severity', name: 'Severity', maps: d.maps.severity, cell: 'background', width: 90 },
        { label: 'alertname', name: 'Alert', minWidth: 260 },
        { label: 'application', name: 'Application', width: 115, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'connection', name: 'Connection', width: 105, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'queue', name: 'Queue', width: 110, links: [g.rowLink('Queues', 'queuefleet-queues', ['application', 'connection', 'queue'])] },
        {
          expr: |||
            (time() - ALERTS_FOR_STATE{%(all)s})
            and ignoring (alertstate)
            ALERTS{%(firing)s}
          ||| % { all: g.alerts('severity=~"critical|warning", ' + pick), firing: g.alerts('alertstate="firing", severity=~"critical|warning", ' + pick) },
          name: 'For',
          unit: 's',
          decimals: 0,
          width: 80,
        },
      ],
      sort: 'Severity',
      asc: true,
      w: 12,
      h: 9,
    }),
    g.bargauge({
      title: 'Longest waits against their objectives',
      ask: 'Which queues are late, and by how much?',
      good: 'All bars below 100 %: no job waits longer than its queue allows.',
      next: queueNext + '; a queue without workers is a matter for Workers.',
      targets: {
        expr: 'topk(10, queue:redis_queue_waiting_seconds:max{%s} / (queue:redis_queue_wait_objective_seconds:max{%s} > 0))' % [pick, pick],
        legend: g.names.queue,
      },
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 2,
      thresholds: d.highBad(0.8, 1),
      links: [g.seriesLink('Queues', 'queuefleet-queues', ['application', 'connection', 'queue'])],
      w: 12,
      h: 9,
    }),
    g.timeline({
      title: 'Connections that were down most',
      ask: 'When did which connection answer?',
      good: 'Green lines. A gap means that nobody looked: see Internals.',
      next: 'Connection.',
      targets: { expr: g.topMean(12, 'min_over_time(connection:redis_up:max{%s}[$__rate_interval])' % pick, '1 - connection:redis_up:max{%s}' % pick, g.by.connection), legend: g.names.connection },
      maps: d.maps.up,
      thresholds: d.anyWanted,
      links: [g.seriesLink('Connection', 'queuefleet-connection', ['connection'])],
    }),
    g.timeline({
      title: 'Queues that were late most',
      ask: 'Since when, and how often, has which queue been late?',
      good: 'Green lines. A gap means that it could not be known, as while the connection is down.',
      next: 'SLO and error budget, for what it has cost.',
      targets: {
        expr: g.topMean(12, 'max_over_time(queue:redis_queue_wait_breached:bool{%s}[$__rate_interval])' % pick, 'queue:redis_queue_wait_breached:bool{%s}' % pick, g.by.queue),
        legend: g.names.queue,
      },
      maps: d.maps.late,
      thresholds: d.noneWanted(),
      links: [g.seriesLink('Queues', 'queuefleet-queues', ['application', 'connection', 'queue'])],
    }),
    g.bargauge({
      title: 'Pools that fail most',
      ask: 'Whose attempts fail?',
      good: 'All below %d %%.' % (t.failureRatioWarning * 100),
      next: 'Application; the failures themselves are in its logs.',
      targets: {
        expr: |||
          topk(
            8,
            pool:queuefleet_supervisor_jobs_failed:ratio_rate5m{%(pick)s}
            or on (application, connection)
            label_replace(queue:redis_queue_jobs_failed:ratio_rate5m{%(pick)s}, "pool", "$1", "queue", "(.+)")
          )
        ||| % { pick: pick },
        legend: g.names.pool,
      },
      unit: 'percentunit',
      decimals: 1,
      min: 0,
      max: 1,
      thresholds: d.highBad(t.failureRatioWarning, t.failureRatioCritical),
      links: [g.seriesLink('Application', 'queuefleet-application', ['application'])],
      w: 12,
      h: 6,
    }),
    g.bargauge({
      title: 'Fullest connections',
      ask: 'Which Redis runs out of memory first?',
      good: 'All below %d %% of maxmemory. Without a limit there is no share.' % (t.memoryRatio * 100),
      next: 'Connection, then Capacity for when it will be full.',
      targets: { expr: 'topk(8, connection:redis_memory_used:ratio{%s})' % pick, legend: g.names.connection },
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: d.highBad(t.memoryRatio, t.memoryFullRatio),
      links: [g.seriesLink('Connection', 'queuefleet-connection', ['connection'])],
      w: 12,
      h: 6,
    }),
  ]);

  local applications = g.row('Applications', [
    g.table({
      title: 'All applications',
      ask: 'How is the background work of each product?',
      good: 'Budget left, few failures, waits of seconds.',
      next: 'Application, by its name.',
      by: 'application, team',
      columns: [
        { label: 'badge', name: ' ', cell: 'image', width: 44 },
        { label: 'icon', name: '  ', maps: d.icons, cell: 'text', width: 48, align: 'center' },
        { label: 'name', name: 'Name', minWidth: 130, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'application', name: 'Application', minWidth: 120, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'team', name: 'Team', width: 110, filter: true },
        { expr: g.applications(g.fleet), raw: true, name: 'Info', unit: 'none', hide: true },
        { expr: 'application:redis_queue_waiting_seconds:max{%s}' % pick, name: 'Longest wait', unit: 's', decimals: 0, width: 110 },
        { expr: 'sum by (application, team) (application:redis_queue_ready_jobs:sum{%s})' % pick, name: 'Ready', unit: 'short', width: 80 },
        { expr: 'sum by (application, team) (%s)' % g.ended(pick), name: 'Ended/s', unit: 'short', decimals: 1, width: 90, unknown: 'not counted' },
        { expr: 'application:queuefleet_supervisor_jobs_failed:ratio_rate5m{%s}' % pick, name: 'Failed', unit: 'percentunit', decimals: 1, width: 100, thresholds: d.highBad(t.failureRatioWarning, t.failureRatioCritical), unknown: 'not counted' },
        { expr: 'min by (application, team) (application:redis_queue_wait_budget_remaining:min30d{%s})' % pick, name: 'Budget left', unit: 'percentunit', decimals: 0, width: 110, maps: d.maps.budget, thresholds: d.lowBad(0.25, 0) },
        { label: 'description', name: 'Description', minWidth: 240 },
      ],
      sort: 'Budget left',
      asc: true,
      h: 8,
    }),
  ]);

  local connections = g.row('Connections', [
    g.table({
      title: 'All connections',
      ask: 'Which connections are there, and which is sick?',
      good: 'Up, answers within milliseconds, memory and clients below their limits.',
      next: 'Connection, by its name.',
      by: g.by.connection,
      columns: [{ label: label, name: std.asciiUpper(label[0]) + label[1:], width: 110 } for label in config.scopeLabels] + [
        { label: 'connection', name: 'Connection', minWidth: 140, filter: true, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'team', name: 'Team', width: 110, filter: true },
        { expr: 'connection:redis_up:max{%s}' % pick, name: 'State', unit: 'none', maps: d.maps.up, thresholds: d.anyWanted, cell: 'background', width: 80, align: 'center' },
        { label: 'reason', name: 'Why', width: 110 },
        { expr: 'topk by (%s) (1, sum by (%s, reason) (increase(redis_probe_failures_total{%s}[5m])) > 0)' % [g.by.connection, g.by.connection, g.redis()], keep: 'reason', name: 'Failures', unit: 'none', hide: true },
        { expr: 'connection:redis_ping_duration_seconds:max{%s}' % pick, name: 'Ping', unit: 's', decimals: 1, thresholds: d.highBad(t.pingSeconds, t.pingSeconds * 10), width: 100 },
        { expr: 'connection:redis_memory_used:ratio{%s} or (connection:redis_memory_max_bytes:max{%s} == 0) - 1' % [pick, pick], name: 'Memory', unit: 'percentunit', decimals: 0, maps: d.maps.noLimit, thresholds: d.highBad(t.memoryRatio, t.memoryFullRatio), width: 110 },
        { expr: 'connection:redis_clients:ratio{%s}' % pick, name: 'Clients', unit: 'percentunit', decimals: 1, thresholds: d.highBad(t.clientsRatio, 0.95), width: 100 },
        { label: 'role', name: 'Role', maps: d.maps.role, width: 90 },
        { label: 'redis_version', name: 'Version', width: 90 },
        { expr: 'topk by (%s) (1, count by (%s, role, redis_version) (redis_instance_info{%s}))' % [g.by.connection, g.by.connection, g.redis()], keep: 'role, redis_version', name: 'Instance', unit: 'none', hide: true },
      ],
      sort: 'State',
      asc: true,
      h: 9,
    }),
  ]);

  local trends = g.row('Over time', [
    g.timeseries({
      title: 'Jobs ready by application',
      ask: 'Does the backlog grow, and whose?',
      good: 'It comes back down after each wave.',
      next: 'Application.',
      targets: { expr: g.top(8, 'sum by (application) (application:redis_queue_ready_jobs:sum{%s})' % pick, 'application'), legend: '{{application}}' },
      unit: 'short',
      stack: true,
      w: 8,
    }),
    g.timeseries({
      title: 'Ended attempts by application',
      ask: 'Is work being done?',
      good: 'About as many as are pushed; never 0 while jobs wait.',
      next: 'Workers.',
      targets: { expr: g.top(8, 'sum by (application) (%s)' % g.ended(pick), 'application'), legend: '{{application}}' },
      unit: 'ops',
      stack: true,
      w: 8,
    }),
    g.timeseries({
      title: 'Busiest connections',
      ask: 'Which Redis has the most to do?',
      good: 'The usual shape of the day.',
      next: 'Connection.',
      targets: { expr: g.top(8, 'connection:redis_commands_processed:rate5m{%s}' % pick, g.by.connection), legend: g.names.connection },
      unit: 'ops',
      w: 8,
    }),
  ], collapsed=true);

  g.dashboard({
    uid: 'queuefleet-overview',
    title: 'Queuefleet / Overview',
    desc: 'Is anything wrong, where, and whose is it? Everything links further down.',
    rows: [now, worst, applications, connections, trends],
  })
