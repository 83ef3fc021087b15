// Can I trust the data?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local e = g.ownExporter;
  local s = g.ownSupervisor;
  local by = 'job, instance';
  local one = '{{job}} {{instance}}';
  local stat(o) = g.stat({ w: 4, h: 4 } + o);
  local panel(o) = g.timeseries({ h: 7 } + o);
  // Of both programs.
  local both(metric) = 'max by (%s) (%s{%s} or %s{%s})' % [by, metric, e, metric, s];
  local reload(suffix) = 'max by (%(by)s) (queuefleet_exporter_config_%(x)s{%(e)s} or queuefleet_supervisor_config_%(x)s{%(s)s})' % { by: by, x: suffix, e: e, s: s };
  local collectors = 'min by (%s, collector) (max by (%s, collector, instance) (queuefleet_exporter_collector_success{%s}))' % [g.by.connection, g.by.connection, g.redis()];

  local now = g.row('Now', [
    stat({
      title: 'Programs not scraped',
      ask: 'How many exporters and supervisors does Prometheus not get?',
      good: '0. What they watch is unknown meanwhile.',
      next: 'All programs, below; Prometheus’ targets.',
      targets: 'sum(up{%s} == bool 0 or up{%s} == bool 0)' % [e, s],
      unit: 'short',
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Configurations not in force',
      ask: 'How many programs refused the last configuration they were given?',
      good: '0. They go on with the one before.',
      next: 'Their log says which file, line and key; `qftool check`.',
      targets: 'sum(%s == bool 0)' % reload('last_reload_successful'),
      unit: 'short',
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Collectors failing',
      ask: 'How many of the readings of connections that are up fail?',
      good: '0. Where one fails its figures are absent, as by a missing right.',
      next: 'Collectors, below; the user’s access rules.',
      targets: 'sum(%s == bool 0 and on (%s) connection:redis_up:max{%s} == 1) or 0 * sum(%s)' % [collectors, g.by.connection, g.pick(), collectors],
      unit: 'short',
      thresholds: d.noneWanted('orange'),
    }),
    stat({
      title: 'Series dropped today',
      ask: 'How many series were left out because of a limit?',
      good: '0. Else queues exist that nobody sees here.',
      next: 'max_discovered of the queue configuration.',
      targets: 'sum(increase(queuefleet_exporter_series_dropped_total{%s}[1d]))' % e,
      unit: 'short',
      decimals: 0,
      thresholds: d.noneWanted('orange'),
    }),
    stat({
      title: 'Rules failing',
      ask: 'How many of our rule evaluations failed in the last hour?',
      good: '0. Without Prometheus’ own metrics there is no number.',
      next: 'Prometheus’ log and its page of rules.',
      targets: 'sum(increase(prometheus_rule_evaluation_failures_total{%s, rule_group=~".*;queuefleet-.*"}[1h]))' % g.prometheus,
      unit: 'short',
      decimals: 0,
      thresholds: d.noneWanted(),
    }),
    stat({
      title: 'Watchdog',
      ask: 'Does the alert fire that always fires?',
      good: 'Firing: rules are evaluated. Its arrival at the far end is watched there.',
      next: 'Prometheus: are the alert rules loaded?',
      targets: 'max(ALERTS{alertname="QueuefleetWatchdog", alertstate="firing"})',
      unit: 'none',
      maps: [d.maps.values({ '1': ['Firing', 'green'] })],
      unknown: 'Silent',
      unknownColor: 'red',
      noValue: 'Silent',
    }),
  ]);

  local build = 'label_replace(queuefleet_exporter_build_info{%s} or queuefleet_supervisor_build_info{%s}, "revision", "$1", "revision", "(.{10}).*")' % [e, s];
  local programs = g.row('Programs', [
    g.table({
      title: 'All programs',
      ask: 'Which exporters and supervisors run, in which version, with which configuration?',
      good: 'All up, one version, one configuration hash for each kind.',
      next: 'The one that differs: was it reloaded, was it deployed?',
      by: by,
      columns: [
        { label: 'job', name: 'Job', minWidth: 190 },
        { label: 'instance', name: 'Instance', minWidth: 170 },
        { expr: 'up{%s} or up{%s}' % [e, s], name: 'State', unit: 'none', maps: d.maps.up, thresholds: d.anyWanted, cell: 'background', width: 80, align: 'center' },
        { label: 'version', name: 'Version', width: 110 },
        { label: 'revision', name: 'Revision', width: 130 },
        { expr: build, keep: 'version, revision', name: 'Build', unit: 'none', hide: true },
        { expr: reload('last_reload_successful'), name: 'Configuration', unit: 'none', maps: d.maps.reload, thresholds: d.anyWanted, width: 130 },
        { expr: 'time() - ' + reload('last_reload_success_timestamp_seconds'), name: 'Loaded ago', unit: 's', decimals: 0, width: 120 },
        { expr: reload('hash'), name: 'Hash', unit: 'none', decimals: 0, width: 170 },
        { expr: 'time() - ' + both('process_start_time_seconds'), name: 'Uptime', unit: 's', decimals: 0, width: 110 },
      ],
      sort: 'State',
      asc: true,
      h: 7,
    }),
    g.timeseries({
      title: 'Scrape of the fleet',
      ask: 'Does the exporter finish before Prometheus gives up?',
      good: 'Well below the dashed time allowed.',
      next: 'Probes, below: which connections are slow?',
      targets: [
        { expr: 'max by (%s) (queuefleet_exporter_scrape_duration_seconds{%s})' % [by, e], legend: '{{instance}}' },
        { expr: 'max by (%s) (queuefleet_exporter_scrape_timeout_seconds{%s})' % [by, e], legend: '{{instance}} allowed' },
      ],
      unit: 's',
      overrides: [g.overrideQuery('B', { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } })],
    }),
    g.heatmap({
      title: 'Probes',
      ask: 'How long do probes take, over all connections?',
      good: 'Dark at the bottom: milliseconds. A band at the top: connections that hang.',
      next: 'Overview: All connections, by Ping.',
      targets: 'sum by (le) (increase(queuefleet_exporter_probe_duration_seconds_bucket{%s}[$__rate_interval]))' % e,
      unit: 's',
      w: 8,
    }),
    g.timeseries({
      title: 'Failed probes by reason',
      ask: 'Why do probes fail, over all connections?',
      good: 'Nothing but what is known to be down.',
      next: 'Connection.',
      targets: { expr: '60 * sum by (reason) (max by (%s, reason) (rate(redis_probe_failures_total{%s}[$__rate_interval]))) > 0' % [g.by.connection, g.redis()], legend: '{{reason}}' },
      unit: 'short',
      axisLabel: 'a minute',
      stack: true,
    }),
    g.timeseries({
      title: 'Supervisor’s loop',
      ask: 'Does the loop that decides keep up?',
      good: 'A pass takes milliseconds; the last one is no older than a scrape interval.',
      next: 'The supervisor’s log; its host’s CPU.',
      targets: [
        { expr: 'histogram_quantile(0.99, sum by (%s, le) (rate(queuefleet_supervisor_loop_duration_seconds_bucket{%s}[$__rate_interval])))' % [by, s], legend: '{{instance}} a pass, 99th percentile' },
        { expr: 'clamp_min(time() - max by (%s) (queuefleet_supervisor_last_loop_timestamp_seconds{%s}), 0)' % [by, s], legend: '{{instance}} since the last' },
      ],
      unit: 's',
    }),
    g.timeline({
      title: 'Sources of the supervisors',
      ask: 'Can the supervisors read the queues that they scale?',
      good: 'Up.',
      next: 'Connection; the supervisor’s user.',
      targets: {
        expr: g.topMean(10, 'min by (%s) (queuefleet_supervisor_queue_source_up{%s})' % [g.by.connection, g.supervisor()], '1 - min by (%s) (queuefleet_supervisor_queue_source_up{%s})' % [g.by.connection, g.supervisor()], g.by.connection),
        legend: '{{connection}}',
      },
      maps: d.maps.up,
      thresholds: d.anyWanted,
      w: 8,
    }),
    g.timeline({
      title: 'Programs scraped',
      ask: 'When was there no data, and whose?',
      good: 'Up.',
      next: 'The program’s log.',
      targets: { expr: 'max by (%s) (up{%s} or up{%s})' % [by, e, s], legend: '{{instance}}' },
      maps: d.maps.up,
      thresholds: d.anyWanted,
      w: 8,
    }),
  ]);

  local reading = g.row('Reading', [
    g.timeline({
      title: 'Collectors',
      ask: 'Which part of which connection could not be read?',
      good: 'Fine. Those that failed most come first; down connections read nothing.',
      next: 'The user’s access rules: `qftool connections test`.',
      targets: { expr: g.topMean(16, collectors, '1 - ' + collectors, g.by.connection + ', collector'), legend: '{{connection}} {{collector}}' },
      maps: d.maps.success,
      thresholds: d.anyWanted,
      h: 10,
    }),
    panel({
      title: 'Age of readings',
      ask: 'How old is the latest reading of each connection, by its worst collector?',
      good: 'About a scrape interval.',
      next: 'Collectors, beside.',
      targets: {
        expr: g.top(8, 'time() - min by (%s) (max by (%s, collector) (queuefleet_exporter_collector_last_success_timestamp_seconds{%s}))' % [g.by.connection, g.by.connection, g.redis()], g.by.connection),
        legend: '{{connection}}',
      },
      unit: 's',
      w: 12,
      h: 10,
    }),
    panel({
      title: 'Scrapes and samples',
      ask: 'How long does Prometheus wait for each page, and how much does it get?',
      good: 'Steady. Samples grow with the fleet.',
      next: 'Scrape of the fleet.',
      targets: [
        { expr: 'scrape_duration_seconds{%s} or scrape_duration_seconds{%s}' % [e, s], legend: '{{instance}} time' },
        { expr: 'scrape_samples_scraped{%s} or scrape_samples_scraped{%s}' % [e, s], legend: '{{instance}} samples' },
      ],
      unit: 's',
      overrides: [g.overrideQuery('B', { unit: 'short', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0 })],
    }),
    panel({
      title: 'Shared scrapes and dropped series',
      ask: 'Do several Prometheus share one collection? Is anything left out?',
      good: 'Shared as you like; dropped 0.',
      next: 'max_discovered.',
      targets: [
        { expr: 'sum by (%s) (rate(queuefleet_exporter_scrapes_coalesced_total{%s}[$__rate_interval]))' % [by, e], legend: '{{instance}} shared' },
        { expr: 'sum by (%s) (rate(queuefleet_exporter_series_dropped_total{%s}[$__rate_interval]))' % [by, e], legend: '{{instance}} dropped' },
      ],
      unit: 'ops',
    }),
    panel({
      title: 'Lines of workers dropped',
      ask: 'Is output of workers lost on its way to the log?',
      good: '0. Else workers print faster than the supervisor may forward.',
      next: 'The pool that prints so much.',
      targets: { expr: g.top(8, 'sum by (%s) (rate(queuefleet_supervisor_log_lines_dropped_total{%s}[$__rate_interval]))' % [g.by.pool, g.supervisor()], g.by.pool), legend: g.names.pool },
      unit: 'ops',
    }),
    g.table({
      title: 'Fragments of the configuration',
      ask: 'Is every included file in force as it is?',
      good: 'All in force. A failed one: its last good version is, so that one team’s mistake blocks nobody else.',
      next: 'The program’s log says file, line and key.',
      by: by + ', file',
      noValue: 'No file is included',
      columns: [
        { label: 'job', name: 'Job' },
        { label: 'instance', name: 'Instance' },
        { label: 'file', name: 'File' },
        { expr: 'queuefleet_exporter_config_fragment_last_reload_successful{%s} or queuefleet_supervisor_config_fragment_last_reload_successful{%s}' % [e, s], name: 'State', unit: 'none', maps: d.maps.reload, thresholds: d.anyWanted },
      ],
      sort: 'State',
      asc: true,
      h: 6,
    }),
  ], collapsed=true);

  local process = g.row('Processes', [
    panel({
      title: 'CPU',
      ask: 'How much of a core do the programs use?',
      good: 'A few per cent for thousands of queues.',
      next: 'Scrapes and samples.',
      targets: { expr: 'max by (%s) (rate(process_cpu_seconds_total{%s}[$__rate_interval]) or rate(process_cpu_seconds_total{%s}[$__rate_interval]))' % [by, e, s], legend: one },
      unit: 'percentunit',
      w: 6,
    }),
    panel({
      title: 'Resident memory',
      ask: 'Do the programs grow?',
      good: 'Flat after the first hour.',
      next: 'Goroutines.',
      targets: { expr: both('process_resident_memory_bytes'), legend: one },
      unit: 'bytes',
      w: 6,
    }),
    panel({
      title: 'Goroutines',
      ask: 'Does anything pile up inside?',
      good: 'Flat; it moves with the number of connections.',
      next: 'A profile: --web.enable-pprof.',
      targets: { expr: both('go_goroutines'), legend: one },
      unit: 'short',
      w: 6,
    }),
    panel({
      title: 'Open files of those allowed',
      ask: 'Do the programs run out of file descriptors?',
      good: 'Below 50 %: a connection and a worker take a few each.',
      next: 'LimitNOFILE.',
      targets: { expr: 'max by (%s) (process_open_fds{%s} / process_max_fds{%s} or process_open_fds{%s} / process_max_fds{%s})' % [by, e, e, s, s], legend: one },
      unit: 'percentunit',
      thresholds: d.limit(0.8, 'orange'),
      w: 6,
    }),
  ], collapsed=true);

  local pipeline = g.row('Prometheus and Alertmanager', [
    panel({
      title: 'Time of our rules',
      ask: 'How long do our groups of rules take?',
      good: 'Far below their interval.',
      next: 'Prometheus’ page of rules.',
      targets: { expr: g.top(8, 'max by (rule_group) (label_replace(prometheus_rule_group_last_duration_seconds{%s, rule_group=~".*;queuefleet-.*"}, "rule_group", "$1", "rule_group", ".*;(.*)"))' % g.prometheus, 'rule_group'), legend: '{{rule_group}}' },
      unit: 's',
      w: 12,
    }),
    panel({
      title: 'Missed and failed evaluations',
      ask: 'Were rules skipped or did they fail?',
      good: '0.',
      next: 'Prometheus’ log.',
      targets: [
        { expr: 'sum(rate(prometheus_rule_evaluation_failures_total{%s, rule_group=~".*;queuefleet-.*"}[$__rate_interval]))' % g.prometheus, legend: 'failed' },
        { expr: 'sum(rate(prometheus_rule_group_iterations_missed_total{%s, rule_group=~".*;queuefleet-.*"}[$__rate_interval]))' % g.prometheus, legend: 'missed' },
      ],
      unit: 'ops',
      w: 6,
    }),
    panel({
      title: 'Alerts not passed on',
      ask: 'Do alerts get from Prometheus to Alertmanager, and from there to people?',
      good: '0.',
      next: 'Alertmanager’s log: which receiver refuses?',
      targets: [
        { expr: 'sum(rate(prometheus_notifications_dropped_total{%s}[$__rate_interval])) + sum(rate(prometheus_notifications_errors_total{%s}[$__rate_interval]))' % [g.prometheus, g.prometheus], legend: 'to Alertmanager' },
        { expr: 'sum by (integration) (rate(alertmanager_notifications_failed_total{%s}[$__rate_interval])) > 0' % g.alertmanager, legend: 'by {{integration}}' },
      ],
      unit: 'ops',
      w: 6,
    }),
  ], collapsed=true);

  g.dashboard({
    uid: 'queuefleet-internals',
    title: 'Queuefleet / Internals',
    desc: 'Can I trust the data?',
    rows: [now, programs, reading, process, pipeline],
  })
