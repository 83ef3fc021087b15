// How much budget is left, and what spent it?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local factors = config.burnFactors;
  local names = ['application', 'connection', 'queue'];
  local pick = g.pick(names);
  local late = 'queue:redis_queue_wait_breached:';
  local objective = 'queue:redis_queue_wait_objective_ratio:max{%s}' % pick;
  local budget = 'queue:redis_queue_wait_budget_remaining:ratio30d{%s}' % pick;
  // How many times faster than allowed the budget is spent.
  local burn(window) = '%savg%s{%s} / (1 - (%s < 1))' % [late, window, pick, objective];
  local stat(o) = g.stat({ w: 4, h: 4 } + o);
  local open = [g.seriesLink('Queues', 'queuefleet-queues', names)];
  local dash = { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } };

  local now = g.row('30 days', [
    stat({
      title: 'Queues within budget',
      ask: 'How many of the queues keep their promise over 30 days?',
      good: '100 %: none has spent more than its objective allows.',
      next: 'The table of all objectives.',
      targets: 'sum(%s >= bool 0) / count(%s)' % [budget, budget],
      unit: 'percentunit',
      decimals: 0,
      thresholds: d.lowBad(1, 0.9),
    }),
    stat({
      title: 'Least budget left',
      ask: 'Which queue is worst off?',
      good: 'More than a quarter.',
      next: 'Burn rate: is it still being spent?',
      targets: { expr: 'bottomk(1, %s)' % budget, legend: '{{application}} / {{queue}}' },
      unit: 'percentunit',
      decimals: 0,
      maps: d.maps.budget,
      textMode: 'value_and_name',
      thresholds: d.lowBad(0.25, 0),
      w: 5,
    }),
    stat({
      title: 'Burning now',
      ask: 'How many queues spend their budget so fast that somebody is paged?',
      good: '0. The rate that pages is %g times the allowed one, over an hour; less where the objective leaves no room for it.' % factors.hour,
      next: 'Burn rate over an hour, below.',
      targets: 'sum(%s > bool %g)' % [burn('1h'), factors.hour],
      unit: 'short',
      thresholds: d.noneWanted(),
      w: 3,
    }),
    stat({
      title: 'Time in time',
      ask: 'For how much of the 30 days did all jobs start in time, on average over the queues?',
      good: 'At least the objective.',
      next: 'Minutes late, by queue.',
      targets: '1 - avg(%savg30d{%s})' % [late, pick],
      unit: 'percentunit',
      decimals: 2,
      colorMode: 'value',
    }),
    stat({
      title: 'Not known',
      ask: 'For how many queues is there no figure, since they cannot be read?',
      good: '0. Time that could not be seen spends no budget and earns none.',
      next: 'Queues: not readable.',
      targets: 'count(%s) - (count(queue:redis_queue_waiting_seconds:max{%s}) or vector(0))' % [objective, pick],
      unit: 'short',
      thresholds: d.noneWanted('purple'),
      w: 3,
    }),
    stat({
      title: 'Monitoring’s own budget',
      ask: 'How much of its own %g %% does the monitoring have left?' % (config.monitoringObjective * 100),
      good: 'More than a quarter: scrapes come, probes decide, rules are evaluated.',
      next: 'Internals.',
      targets: 'max(queuefleet:monitoring_budget_remaining:ratio30d)',
      unit: 'percentunit',
      decimals: 0,
      maps: d.maps.budget,
      thresholds: d.lowBad(0.25, 0),
      w: 5,
    }),
  ]);

  local worst = g.row('The worst first', [
    g.bargauge({
      title: 'Budget left by queue',
      ask: 'Which queues have spent most of what they may?',
      good: 'Long bars. None: overspent, however far.',
      next: 'Burn rate, for whether it goes on.',
      targets: { expr: 'bottomk(10, clamp_min(%s, 0))' % budget, legend: g.names.queue },
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: d.lowBad(0.25, 0.005),
      links: open,
      w: 12,
      h: 9,
    }),
    g.bargauge({
      title: 'Time late in 30 days',
      ask: 'For how long was each queue late, in all?',
      good: 'Short: 99 % allows 7 hours and 12 minutes.',
      next: 'Late over time, for when it was.',
      targets: { expr: 'topk(10, %savg30d{%s} * 30 * 86400)' % [late, pick], legend: g.names.queue },
      unit: 's',
      decimals: 0,
      min: 0,
      thresholds: d.neutral,
      links: open,
      w: 12,
      h: 9,
    }),
    g.table({
      title: 'All objectives',
      ask: 'What is promised for each queue, and is it kept?',
      good: 'Budget left, and burn rates below 1.',
      next: 'Queues, by the name.',
      by: g.by.queue,
      columns: [{ label: label, name: std.asciiUpper(label[0]) + label[1:], width: 105 } for label in config.scopeLabels] + [
        { label: 'application', name: 'Application', minWidth: 120, filter: true, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'queue', name: 'Queue', minWidth: 140, filter: true, links: [g.rowLink('Queues', 'queuefleet-queues', names)] },
        { label: 'connection', name: 'Connection', minWidth: 100, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'team', name: 'Team', width: 100, filter: true },
        { expr: 'queue:redis_queue_wait_objective_seconds:max{%s}' % pick, name: 'May wait', unit: 's', decimals: 0, width: 90 },
        { expr: objective, name: 'Objective', unit: 'percentunit', decimals: 2, width: 95 },
        { expr: '1 - %savg30d{%s}' % [late, pick], name: 'In time', unit: 'percentunit', decimals: 2, width: 95 },
        { expr: budget, name: 'Budget left', unit: 'percentunit', decimals: 0, maps: d.maps.budget, thresholds: d.lowBad(0.25, 0), cell: 'background', width: 120 },
        { expr: burn('1h'), name: 'Burn 1 h', unit: 'short', decimals: 1, thresholds: d.highBad(1, factors.hour), width: 95 },
        { expr: burn('6h'), name: 'Burn 6 h', unit: 'short', decimals: 1, thresholds: d.highBad(1, factors.sixHours), width: 95 },
        { expr: burn('3d'), name: 'Burn 3 d', unit: 'short', decimals: 1, thresholds: d.highBad(0.5, factors.threeDays), width: 95 },
      ],
      sort: 'Budget left',
      asc: true,
      h: 10,
    }),
  ]);

  local time = g.row('When it was spent', [
    g.timeseries({
      title: 'Budget left over time',
      ask: 'When did the budget go?',
      good: 'A slow slope, and steps back up as bad days pass out of the 30. Cut off at −100 %.',
      next: 'What happened at the steep places: annotations, alerts.',
      targets: { expr: 'clamp_min(%s, -1)\nand on (%s)\nbottomk(8, min_over_time((%s)[$__range:$__interval] @ end()))' % [budget, g.by.queue, budget], legend: g.names.queue },
      unit: 'percentunit',
      max: 1,
      thresholds: d.limit(0, 'red'),
      links: open,
      w: 12,
      h: 9,
    }),
    g.timeseries({
      title: 'Burn rate over six hours',
      ask: 'How many times too fast was the budget spent?',
      good: 'Below 1. From %g on it is a page, over an hour from %g on.' % [factors.sixHours, factors.hour],
      next: 'Queues.',
      targets: { expr: g.top(8, burn('6h'), g.by.queue), legend: g.names.queue },
      unit: 'short',
      thresholds: { mode: 'absolute', steps: [{ color: 'transparent', value: null }, { color: 'orange', value: 1 }, { color: 'red', value: factors.sixHours }] },
      links: open,
      w: 12,
      h: 9,
    }),
    g.timeline({
      title: 'Late over time',
      ask: 'When was which queue late?',
      good: 'Green. Over more than a day each piece is the worst of its time.',
      next: 'Queues.',
      targets: {
        expr: 'max_over_time(%sbool{%s}[$__rate_interval])\nand on (%s)\ntopk(12, avg_over_time((%savg1h{%s})[$__range:$__interval] @ end()))' % [late, pick, g.by.queue, late, pick],
        legend: g.names.queue,
      },
      maps: d.maps.late,
      thresholds: d.noneWanted(),
      links: open,
      w: 24,
      h: 9,
    }),
  ]);

  local detail = g.row('Days, alerts, monitoring', [
    g.timeseries({
      title: 'Time late, the last 24 hours at each time',
      ask: 'Which days were bad, and whose?',
      good: 'Low and rare.',
      next: 'Late over time.',
      targets: { expr: g.top(8, '%savg1d{%s} * 24' % [late, pick], g.by.queue), legend: g.names.queue },
      unit: 'h',
      stack: true,
      w: 12,
    }),
    g.timeseries({
      title: 'Burn rate over an hour',
      ask: 'What pages would there have been?',
      good: 'Below %g.' % factors.hour,
      next: 'Alerts over time.',
      targets: { expr: g.top(8, burn('1h'), g.by.queue), legend: g.names.queue },
      unit: 'short',
      thresholds: d.limit(factors.hour, 'red'),
      w: 12,
    }),
    g.timeline({
      title: 'Alerts over time',
      ask: 'Which alerts fired, and when?',
      good: 'Little.',
      next: 'Overview, for those that fire now.',
      targets: { expr: 'max by (alertname) (max_over_time(ALERTS{%s}[$__rate_interval]))' % g.alerts('alertstate="firing", severity=~"critical|warning", ' + pick), legend: '{{alertname}}' },
      maps: [d.maps.values({ '1': ['Firing', 'red'] })],
      thresholds: d.noneWanted(),
    }),
    g.bargauge({
      title: 'Monitoring over 30 days',
      ask: 'Which part of the monitoring failed most?',
      good: 'All at %g %% or more.' % (config.monitoringObjective * 100),
      next: 'Internals.',
      targets: {
        expr: std.join(' or ', [
          'label_replace(queuefleet:%s:avg30d, "part", "%s", "", "")' % part
          for part in [['scrapes_delivered', 'scrapes delivered'], ['probes_decided', 'probes decided'], ['rules_evaluated', 'rules evaluated']]
        ]),
        legend: '{{part}}',
      },
      unit: 'percentunit',
      decimals: 2,
      min: 0,
      max: 1,
      thresholds: d.lowBad(config.monitoringObjective, 0.99),
      w: 12,
      h: 4,
    }),
    g.timeseries({
      title: 'Monitoring’s own availability',
      ask: 'How much of its work did the monitoring do?',
      good: '100 %. Scrapes that came, probes that decided, rules that were evaluated.',
      next: 'Internals.',
      targets: [
        { expr: 'queuefleet:scrapes_delivered:ratio_avg5m', legend: 'scrapes delivered' },
        { expr: 'queuefleet:probes_decided:ratio_avg5m', legend: 'probes decided' },
        { expr: 'queuefleet:rules_evaluated:ratio_avg5m', legend: 'rules evaluated' },
        { expr: 'queuefleet:monitoring_availability:avg30d', legend: 'all, 30 days' },
      ],
      unit: 'percentunit',
      max: 1,
      overrides: [g.overrideQuery('D', dash)],
      w: 12,
      h: 6,
    }),
  ], collapsed=true);

  g.dashboard({
    uid: 'queuefleet-slo',
    title: 'Queuefleet / SLO and error budget',
    desc: 'How much budget is left, and what spent it?',
    from: config.dashboardLongFrom,
    variables: names,
    rows: [now, worst, time, detail],
  })
