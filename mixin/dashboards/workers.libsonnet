// Does the supervisor do the right thing?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local names = ['application', 'connection', 'pool'];
  local pick = g.pick(names);
  local raw = g.supervisor(names);
  local pool = 'pool:queuefleet_supervisor_';
  local sum(metric, more='', by='') = 'sum by (%s%s) (queuefleet_supervisor_%s{%s%s})' % [g.by.pool, by, metric, raw, more];
  local rate(metric, more='', by='') = 'sum by (%s%s) (rate(queuefleet_supervisor_%s{%s%s}[$__rate_interval]))' % [g.by.pool, by, metric, raw, more];
  local this = [g.seriesLink('This pool alone', 'queuefleet-workers', names)];
  local stat(o) = g.stat({ w: 3, unit: 'short' } + o);

  local now = g.row('Now', [
    stat({
      title: 'Running',
      ask: 'How many workers can take jobs now?',
      good: 'As many as desired, but for seconds.',
      next: 'Running and desired, below.',
      targets: 'sum(%sworkers_running:sum{%s})' % [pool, pick],
      colorMode: 'value',
    }),
    stat({
      title: 'Missing',
      ask: 'How many workers should run and do not, for five minutes already?',
      good: '0.',
      next: 'Cannot start; waiting after bad ends.',
      targets: 'sum(clamp_min(min_over_time((%(p)sworkers_desired:sum{%(s)s} - %(p)sworkers_running:sum{%(s)s})[5m:1m]), 0))' % { p: pool, s: pick },
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Pools at max',
      ask: 'How many pools have no more to give?',
      good: 'Any number while no queue is late.',
      next: 'Queues: is one of theirs late? Then raise max_processes.',
      targets: 'sum(%(p)sworkers_desired:sum{%(s)s} >= bool (%(p)sworkers_max:sum{%(s)s} > 0))' % { p: pool, s: pick },
      colorMode: 'value',
    }),
    stat({
      title: 'Cannot start',
      ask: 'How many pools cannot start workers as they are configured?',
      good: '0.',
      next: 'Why pools cannot start, below; `qftool pools why`.',
      targets: 'sum(max by (%s) (queuefleet_supervisor_cannot_start{%s}))' % [g.by.pool, raw],
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Waiting after bad ends',
      ask: 'How many places wait before the next try, since their worker ended badly?',
      good: '0.',
      next: 'Ends by reason; the workers’ output in the supervisor’s log.',
      targets: 'sum(%sworkers_backoff:sum{%s})' % [pool, pick],
      thresholds: d.noneWanted('orange'),
      w: 4,
    }),
    stat({
      title: 'Paused pools',
      ask: 'How many pools does somebody hold back?',
      good: '0, but for maintenance.',
      next: '`qftool pools continue`.',
      targets: 'sum(max by (%s) (queuefleet_supervisor_paused{%s}))' % [g.by.pool, raw],
      thresholds: d.noneWanted('orange'),
    }),
    stat({
      title: 'Blind pools',
      ask: 'For how many connections does the supervisor scale blindly, since it cannot read the queues?',
      good: '0. Until it can, the numbers of workers stay as they are.',
      next: 'Connection.',
      targets: 'sum(min by (%s) (queuefleet_supervisor_queue_source_up{%s}) == bool 0)' % [g.by.connection, g.supervisor(['connection'])],
      thresholds: d.noneWanted('purple'),
      w: 5,
    }),
  ]);

  local table = g.row('All pools', [
    g.table({
      title: 'All pools',
      ask: 'Which pools are there, and which is in trouble?',
      good: 'Running as desired, few failures, no bad ends in the last ten minutes.',
      next: 'A pool by its name.',
      by: g.by.pool,
      columns: [{ label: label, name: std.asciiUpper(label[0]) + label[1:], width: 105 } for label in config.scopeLabels] + [
        { label: 'application', name: 'Application', minWidth: 120, filter: true, links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'pool', name: 'Pool', minWidth: 130, filter: true, links: [g.rowLink('This pool alone', 'queuefleet-workers', names)] },
        { label: 'connection', name: 'Connection', minWidth: 110, links: [g.rowLink('Connection', 'queuefleet-connection', ['connection'])] },
        { label: 'team', name: 'Team', width: 100, filter: true },
        { expr: '%sworkers_running:sum{%s}' % [pool, pick], name: 'Running', unit: 'short', thresholds: d.anyWanted, width: 85 },
        { expr: '%sworkers_desired:sum{%s}' % [pool, pick], name: 'Desired', unit: 'short', width: 85 },
        { expr: '%sworkers_min:sum{%s}' % [pool, pick], name: 'Min', unit: 'short', width: 65 },
        { expr: '%sworkers_max:sum{%s}' % [pool, pick], name: 'Max', unit: 'short', width: 65 },
        { expr: '%(p)sworkers_busy:sum{%(s)s} / (%(p)sworkers_running:sum{%(s)s} > 0)' % { p: pool, s: pick }, name: 'Busy', unit: 'percentunit', decimals: 0, width: 100, unknown: 'not told' },
        { expr: '%sjobs_processed:rate5m{%s}' % [pool, pick], name: 'Ended/s', unit: 'short', decimals: 2, width: 100, unknown: 'not told' },
        { expr: '%sjobs_failed:ratio_rate5m{%s}' % [pool, pick], name: 'Failed', unit: 'percentunit', decimals: 1, width: 100, thresholds: d.highBad(t.failureRatioWarning, t.failureRatioCritical), unknown: 'not told' },
        { expr: '%sworker_bad_exits:rate5m{%s} * 600' % [pool, pick], name: 'Bad ends', unit: 'short', decimals: 0, width: 115, thresholds: d.highBad(1, t.badExits) },
      ],
      sort: ['Bad ends', 'Failed'],
      h: 8,
    }),
  ]);

  local scaling = g.row('Scaling', [
    g.timeseries({
      title: 'Running and desired',
      ask: 'Are there as many workers as the supervisor wants?',
      good: 'The two lines together.',
      next: 'What holds pools back.',
      targets: [
        { expr: g.top(5, '%sworkers_running:sum{%s}' % [pool, pick], g.by.pool), legend: '{{application}} / {{pool}} running' },
        { expr: g.top(5, '%sworkers_desired:sum{%s}' % [pool, pick], g.by.pool), legend: '{{application}} / {{pool}} desired' },
      ],
      unit: 'short',
      decimals: 0,
      steps: true,
      overrides: [g.overrideQuery('B', { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [6, 6] } })],
      links: this,
      w: 12,
    }),
    g.timeseries({
      title: 'Use of what is allowed',
      ask: 'How much room is left before max_processes?',
      good: 'Below 100 % most of the time.',
      next: 'Capacity: for how much of the time it is at its end.',
      targets: { expr: g.top(8, '%(p)sworkers_running:sum{%(s)s} / (%(p)sworkers_max:sum{%(s)s} > 0)' % { p: pool, s: pick }, g.by.pool), legend: '{{application}} / {{pool}}' },
      unit: 'percentunit',
      thresholds: d.limit(1, 'orange'),
      links: this,
      w: 12,
    }),
    g.timeseries({
      title: 'What the decision sees',
      ask: 'How much work and how much waiting do the pools answer for?',
      good: 'Workers rise with it, and it falls again.',
      next: 'Queues.',
      targets: [
        { expr: 'sum(queue:redis_queue_ready_jobs:max{%s})' % g.pick(['application', 'connection']), legend: 'jobs ready' },
        { expr: 'max(queue:redis_queue_waiting_seconds:max{%s})' % g.pick(['application', 'connection']), legend: 'longest wait' },
      ],
      unit: 'short',
      overrides: [g.overrideQuery('B', { unit: 's', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0 })],
    }),
    g.timeseries({
      title: 'Scale events',
      ask: 'How often do pools change size, and why?',
      good: 'Demand up, idle down. Manual: somebody did it.',
      next: 'The annotation Scale events, at the top, shows them in every panel.',
      targets: { expr: '60 * sum by (direction, reason) (rate(queuefleet_supervisor_scale_events_total{%s}[$__rate_interval])) > 0' % raw, legend: '{{direction}}: {{reason}}' },
      unit: 'short',
      axisLabel: 'a minute',
      bars: true,
      stack: true,
    }),
    g.timeseries({
      title: 'What holds pools back',
      ask: 'Which limit keeps pools from the workers they need?',
      good: 'cooldown and shift for moments. max for long: raise it. source: it cannot read the queue.',
      next: '`qftool pools why`.',
      targets: { expr: 'sum by (reason) (max by (%s, reason) (queuefleet_supervisor_scale_limited{%s})) > 0' % [g.by.pool, raw], legend: '{{reason}}' },
      unit: 'short',
      decimals: 0,
      axisLabel: 'pools',
      bars: true,
      stack: true,
    }),
  ]);

  local row(title, list) = g.row(title, list, collapsed=true);
  local panel(o) = g.timeseries({ h: 7 } + o);
  local top(expr, by=g.by.pool) = g.top(8, expr, by);
  local named(expr) = { expr: top(expr), legend: '{{application}} / {{pool}}' };
  local quantile(q, metric) = 'histogram_quantile(%g, sum by (%s, le) (rate(queuefleet_supervisor_%s_bucket{%s}[$__rate_interval])))' % [q, g.by.pool, metric, raw];

  local jobs = row('Jobs, as the workers tell', [
    panel({
      title: 'Ended attempts by result',
      ask: 'What becomes of the jobs?',
      good: 'processed. released: given back for later; lost: the worker died with it.',
      next: 'Application.',
      targets: { expr: 'sum by (result) (rate(queuefleet_supervisor_jobs_processed_total{%s}[$__rate_interval]))' % raw, legend: '{{result}}' },
      unit: 'ops',
      stack: true,
      overrides: [g.override('processed', g.fixed('green')), g.override('failed', g.fixed('red')), g.override('lost', g.fixed('purple')), g.override('released', g.fixed('blue'))],
      w: 6,
    }),
    panel({
      title: 'Busy share',
      ask: 'How much of their time do workers have a job?',
      good: 'Well below 100 % on average; at 100 % a wave must wait.',
      next: 'Use of what is allowed.',
      targets: named('%(p)sworkers_busy:sum{%(s)s} / (%(p)sworkers_running:sum{%(s)s} > 0)' % { p: pool, s: pick }),
      unit: 'percentunit',
      w: 6,
    }),
    panel({
      title: 'Run time, 95th percentile',
      ask: 'How long do jobs take?',
      good: 'Far below the pool’s timeout.',
      next: 'Run time of jobs, below, for all of them.',
      targets: named(quantile(0.95, 'job_duration_seconds')),
      unit: 's',
      w: 6,
    }),
    panel({
      title: 'Wait, 95th percentile',
      ask: 'How long did the jobs wait that were started?',
      good: 'Below the objective. Only started jobs count: when nothing starts, nothing is seen here.',
      next: 'Queues: Wait of the oldest job, which needs no worker.',
      targets: named(quantile(0.95, 'job_wait_seconds')),
      unit: 's',
      w: 6,
    }),
    g.heatmap({
      title: 'Run time of jobs',
      ask: 'How are run times spread?',
      good: 'Steady bands. A new band high up: a new kind of job, or a slow one.',
      next: 'Run time, 95th percentile, for which pool.',
      targets: 'sum by (le) (increase(queuefleet_supervisor_job_duration_seconds_bucket{%s}[$__rate_interval]))' % raw,
      unit: 's',
      h: 7,
    }),
    g.heatmap({
      title: 'Waits of started jobs',
      ask: 'How are waits spread?',
      good: 'Dark at the bottom.',
      next: 'Queues.',
      targets: 'sum by (le) (increase(queuefleet_supervisor_job_wait_seconds_bucket{%s}[$__rate_interval]))' % raw,
      unit: 's',
      scheme: 'Blues',
      h: 7,
    }),
  ]);

  local ends = row('Starts and ends', [
    panel({
      title: 'Ends by reason',
      ask: 'Why do workers end?',
      good: 'max_jobs, max_time, scale_down, reload, clean. Bad: error, signal, memory, timeout, cannot_start.',
      next: 'The supervisor’s log has each worker’s last words.',
      targets: { expr: '60 * sum by (reason) (rate(queuefleet_supervisor_worker_exits_total{%s}[$__rate_interval])) > 0' % raw, legend: '{{reason}}' },
      unit: 'short',
      axisLabel: 'a minute',
      bars: true,
      stack: true,
      overrides: [g.override(name, g.fixed('red')) for name in ['error', 'signal', 'cannot_start']] + [g.override(name, g.fixed('orange')) for name in ['memory', 'timeout']],
    }),
    panel({
      title: 'Starts',
      ask: 'How many workers are started?',
      good: 'About as many as end.',
      next: 'Time to start.',
      targets: named('60 * ' + rate('worker_starts_total')),
      unit: 'short',
      axisLabel: 'a minute',
      stack: true,
    }),
    panel({
      title: 'Time to start, 95th percentile',
      ask: 'How long does it take until a new worker can take jobs?',
      good: 'A second or so. Longer: the application boots slowly, or the host is full.',
      next: 'The host’s CPU.',
      targets: named(quantile(0.95, 'worker_start_duration_seconds')),
      unit: 's',
    }),
    panel({
      title: 'Places by state',
      ask: 'What are the places for workers doing?',
      good: 'running. backoff: it waits after a bad end; stopping for long: a job does not end.',
      next: 'Ends by reason.',
      targets: { expr: 'sum by (state) (%s)' % sum('workers', by=', state'), legend: '{{state}}' },
      unit: 'short',
      decimals: 0,
      stack: true,
      overrides: [g.override('running', g.fixed('green')), g.override('starting', g.fixed('blue')), g.override('stopping', g.fixed('orange')), g.override('backoff', g.fixed('red'))],
    }),
    panel({
      title: 'Killed while busy, left behind',
      ask: 'Was work cut off, or did processes outlive their worker?',
      good: '0. Killed while busy: stop_timeout is shorter than its job.',
      next: 'timeout and stop_timeout of the pool.',
      targets: [
        { expr: '60 * sum(rate(queuefleet_supervisor_busy_workers_killed_total{%s}[$__rate_interval]))' % raw, legend: 'killed while busy' },
        { expr: '60 * sum(rate(queuefleet_supervisor_leaked_processes_total{%s}[$__rate_interval]))' % raw, legend: 'left behind' },
      ],
      unit: 'short',
      axisLabel: 'a minute',
      bars: true,
    }),
    panel({
      title: 'To be replaced',
      ask: 'Is a deploy or a reload still on its way?',
      good: '0 soon after each.',
      next: '`qftool pools list`.',
      targets: named(sum('workers_outdated')),
      unit: 'short',
      decimals: 0,
      steps: true,
    }),
    g.timeline({
      title: 'Throttled pools',
      ask: 'Which pools end so fast that one worker is tried at a time?',
      good: 'Free.',
      next: 'Ends by reason.',
      targets: { expr: g.topMean(10, 'max by (%s) (queuefleet_supervisor_pool_throttled{%s})' % [g.by.pool, raw], 'max by (%s) (queuefleet_supervisor_pool_throttled{%s})' % [g.by.pool, raw], g.by.pool), legend: '{{application}} / {{pool}}' },
      maps: d.maps.limited,
      thresholds: d.noneWanted('orange'),
      h: 7,
    }),
    panel({
      title: 'Why pools cannot start',
      ask: 'What keeps pools from starting workers at all?',
      good: 'No bars. wrong_connection: the application talks to another Redis; bad_user, missing_command …: the configuration.',
      next: '`qftool pools why`.',
      targets: { expr: 'sum by (reason) (max by (%s, reason) (queuefleet_supervisor_cannot_start{%s}))' % [g.by.pool, raw], legend: '{{reason}}' },
      unit: 'short',
      decimals: 0,
      axisLabel: 'pools',
      legend: 'table',
      calcs: ['max'],
      legendWidth: 220,
      bars: true,
      stack: true,
      w: 12,
    }),
  ]);

  local resources = row('Memory and CPU of workers', [
    panel({
      title: 'Memory of workers',
      ask: 'How much memory do the pools hold?',
      good: 'Flat. Growth that a restart ends: a leak in the application; max_jobs bounds it.',
      next: 'Ends by reason: memory.',
      targets: named(sum('workers_memory_bytes')),
      unit: 'bytes',
    }),
    panel({
      title: 'Memory per worker and its ceiling',
      ask: 'How near are workers to being killed?',
      good: 'Well below the dashed ceiling, where there is one.',
      next: 'memory and memory_max of the pool.',
      targets: [
        { expr: top('%s / (%sworkers_running:sum{%s} > 0)' % [sum('workers_memory_bytes'), pool, pick]), legend: '{{application}} / {{pool}}' },
        { expr: top('max by (%s) (queuefleet_supervisor_worker_memory_max_bytes{%s})' % [g.by.pool, raw]), legend: '{{application}} / {{pool}} ceiling' },
      ],
      unit: 'bytes',
      overrides: [g.overrideQuery('B', { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } })],
    }),
    panel({
      title: 'CPU of workers',
      ask: 'How many cores do the pools use?',
      good: 'Below what the host has.',
      next: 'The host.',
      targets: named(rate('workers_cpu_seconds_total')),
      unit: 'short',
      axisLabel: 'cores',
    }),
  ]);

  g.dashboard({
    uid: 'queuefleet-workers',
    title: 'Queuefleet / Workers',
    desc: 'Does the supervisor do the right thing?',
    variables: names,
    rows: [now, table, scaling, jobs, ends, resources],
  })
