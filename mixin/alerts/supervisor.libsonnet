// Supervisors and their pools of workers.
function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local t = config.thresholds;
  local pool = s.by.pool;
  // Over all supervisors that run the pool.
  local increase(name, window, more='') = 'sum by (%s) (increase(queuefleet_supervisor_%s{%s%s}[%s]))' % [pool, name, s.supervisor, more, window];
  // One that only observes starts nothing and lacks no workers; a paused pool
  // may have fewer.
  local starts = |||
    sum by (%(pool)s) (queuefleet_supervisor_worker_starts_total{%(selector)s}) > 0
    unless on (%(pool)s)
    max by (%(pool)s) (max_over_time(queuefleet_supervisor_paused{%(selector)s}[5m])) == 1
  ||| % { pool: pool, selector: s.supervisor };
  local missing = {
    name: 'QueuefleetSupervisorWorkersMissing',
    'for': '10m',
    dashboard: 'workers',
    summary: 'A pool has fewer workers than it is to have.',
    description: 'Pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) lacks {{ $value | printf "%.0f" }} workers.',
  };
  local failing = {
    name: 'QueuefleetSupervisorFailureRatioHigh',
    dashboard: 'workers',
    ratio:: error 'missing',
    expr: |||
      avg_over_time(pool:queuefleet_supervisor_jobs_failed:ratio_rate5m[5m]) > %g
      and
      avg_over_time(pool:queuefleet_supervisor_jobs_processed:rate5m[5m]) >= %g
    ||| % [self.ratio, t.failureMinimumPerSecond],
    summary: 'Many jobs of a pool fail.',
    description: '{{ $value | humanizePercentage }} of the attempts of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) failed.',
  };

  local programs = [
    {
      name: 'QueuefleetSupervisorDown',
      severity: 'critical',
      'for': '1m',
      keep: '5m',
      dashboard: 'workers',
      expr: 'max by (%s) (max_over_time(up{%s}[2m])) == 0' % [s.by.supervisor, s.supervisor],
      summary: 'A supervisor does not answer.',
      description: 'Supervisor {{ $labels.instance }} has not been scraped for two minutes. If it is gone, its workers finish their jobs and leave, and nobody starts others.',
    },
  ] + (
    assert std.member(['seen', 'always', 'never'], config.supervisorAbsent) : '_config.supervisorAbsent: %s: use seen, always or never' % config.supervisorAbsent;
    if config.supervisorAbsent == 'never' then [] else [{
      name: 'QueuefleetSupervisorAbsent',
      severity: 'critical',
      'for': '10m',
      dashboard: 'workers',
      expr: 'absent(up{%s})' % s.supervisor + (if config.supervisorAbsent == 'always' then '' else '\nand on ()\nmax_over_time(queuefleet:supervisors:slice30m[1d]) > 0'),
      summary: 'Prometheus knows no supervisor any more.',
      description: 'There is no target of a supervisor%s. Either its job was removed from Prometheus, or service discovery finds none.' % (if config.supervisorAbsent == 'always' then '' else ', and there was one within the last day'),
    }]
  ) + [
    {
      name: 'QueuefleetSupervisorLoopStalled',
      severity: 'critical',
      'for': '2m',
      dashboard: 'workers',
      expr: 'time() - max by (%s) (max_over_time(queuefleet_supervisor_last_loop_timestamp_seconds{%s}[2m])) > %g' % [s.by.supervisor, s.supervisor, t.loopSeconds],
      summary: 'A supervisor has stopped deciding.',
      description: 'The loop of supervisor {{ $labels.instance }} was last done {{ $value | humanizeDuration }} ago: it neither scales nor replaces workers.',
    },
    {
      name: 'QueuefleetSupervisorScalerBlind',
      severity: 'warning',
      'for': '5m',
      dashboard: 'workers',
      expr: 'max by (%s, job, instance) (max_over_time(queuefleet_supervisor_queue_source_up{%s}[2m])) == 0' % [s.by.connection, s.supervisor],
      summary: 'A supervisor cannot read the queues it scales by.',
      description: 'Supervisor {{ $labels.instance }} gets no answer from {{ $labels.connection }}: counts of workers stay as they are, and workers that exit are not replaced.',
    },
    {
      name: 'QueuefleetSupervisorReloadFailed',
      severity: 'critical',
      'for': '10m',
      dashboard: 'workers',
      expr: 'max by (%s) (max_over_time(queuefleet_supervisor_config_last_reload_successful{%s}[5m])) == 0' % [s.by.supervisor, s.supervisor],
      summary: 'A supervisor has refused its configuration.',
      description: 'Supervisor {{ $labels.instance }} goes on with its last good configuration. After a restart it would not start.',
    },
    {
      name: 'QueuefleetSupervisorFragmentBroken',
      severity: 'warning',
      'for': '10m',
      dashboard: 'workers',
      expr: 'max by (%s, file) (max_over_time(queuefleet_supervisor_config_fragment_last_reload_successful{%s}[5m])) == 0' % [s.by.supervisor, s.supervisor],
      summary: 'A supervisor goes on with the last good version of an included file.',
      description: '{{ $labels.file }} is broken; supervisor {{ $labels.instance }} uses its last good version, if there was one.',
    },
  ];

  local pools = [
    {
      name: 'QueuefleetSupervisorCannotStart',
      severity: 'critical',
      'for': '5m',
      dashboard: 'workers',
      expr: 'max by (%s, reason, instance) (max_over_time(queuefleet_supervisor_cannot_start{%s}[2m])) == 1' % [pool, s.supervisor],
      summary: 'A pool cannot start workers as it is configured.',
      description: 'Supervisor {{ $labels.instance }} cannot start workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}): {{ $labels.reason }}.',
    },
    {
      name: 'QueuefleetSupervisorWorkersCrashLooping',
      severity: 'critical',
      'for': '5m',
      keep: '10m',
      dashboard: 'workers',
      // Back-off makes ends rare, so a throttled pool counts as well.
      expr: |||
        max_over_time(pool:queuefleet_supervisor_worker_bad_exits:rate5m[5m]) * 600 > %(exits)g
        or
        max by (%(pool)s) (max_over_time(queuefleet_supervisor_pool_throttled{%(supervisor)s}[2m])) == 1
      ||| % { exits: t.badExits, pool: pool, supervisor: s.supervisor },
      summary: 'Workers of a pool end soon after they start.',
      description: 'Workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) crash again and again, and are started at growing intervals.',
    },
    missing {
      severity: 'critical',
      expr: |||
        min_over_time(pool:queuefleet_supervisor_workers_desired:sum[5m]) > 0
        and
        max_over_time(pool:queuefleet_supervisor_workers_running:sum[5m]) == 0
        and
        (%s)
      ||| % std.rstripChars(starts, '\n'),
    },
    missing {
      severity: 'warning',
      expr: |||
        min_over_time(pool:queuefleet_supervisor_workers_desired:sum[5m])
        - max_over_time(pool:queuefleet_supervisor_workers_running:sum[5m])
        > 0
        and
        (%s)
      ||| % std.rstripChars(starts, '\n'),
    },
    {
      name: 'QueuefleetSupervisorAtMaxAndLate',
      severity: 'warning',
      'for': '10m',
      dashboard: 'workers',
      // To be at the maximum is healthy as long as nobody waits.
      expr: |||
        min by (%(pool)s) (min_over_time(queuefleet_supervisor_scale_limited{%(supervisor)s, reason="max"}[2m])) == 1
        and
        avg_over_time(pool:redis_queue_wait_breached:max[5m]) > 0.5
      ||| % { pool: pool, supervisor: s.supervisor },
      summary: 'A pool has its maximum of workers and jobs wait too long.',
      description: 'Pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) needs more workers than max_processes allows, and a queue of it has jobs that wait longer than allowed.',
    },
    failing { severity: 'warning', 'for': '15m', ratio:: t.failureRatioWarning },
    failing { severity: 'critical', 'for': '5m', ratio:: t.failureRatioCritical },
    {
      name: 'QueuefleetSupervisorMemoryKills',
      severity: 'warning',
      keep: '30m',
      dashboard: 'workers',
      expr: increase('worker_exits_total', '1h', ', reason="memory"') + ' > %g' % t.memoryExitsPerHour,
      summary: 'Workers of a pool keep reaching their memory limit.',
      description: '{{ $value | printf "%.0f" }} workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) ended by their memory limit within an hour.',
    },
    {
      name: 'QueuefleetSupervisorWorkerTimeouts',
      severity: 'warning',
      keep: '30m',
      dashboard: 'workers',
      expr: increase('worker_exits_total', '1h', ', reason="timeout"') + ' > %g' % t.timeoutExitsPerHour,
      summary: 'Jobs of a pool keep running into their time limit.',
      description: '{{ $value | printf "%.0f" }} workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) were ended with a job that ran too long, within an hour.',
    },
    {
      name: 'QueuefleetSupervisorBusyWorkersKilled',
      severity: 'warning',
      keep: '30m',
      dashboard: 'workers',
      expr: increase('busy_workers_killed_total', '15m') + ' > 0',
      summary: 'Workers were killed in the middle of a job.',
      description: '{{ $value | printf "%.0f" }} workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) did not leave in time and were killed. Their jobs run again after retry_after.',
    },
    {
      name: 'QueuefleetSupervisorLeakedProcesses',
      severity: 'warning',
      keep: '30m',
      dashboard: 'workers',
      expr: increase('leaked_processes_total', '1h') + ' > %g' % t.leakedProcessesPerHour,
      summary: 'Workers of a pool leave processes behind.',
      description: '{{ $value | printf "%.0f" }} processes outlived their workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) within an hour and were killed.',
    },
    {
      name: 'QueuefleetSupervisorOrphanWorkers',
      severity: 'warning',
      'for': '15m',
      dashboard: 'workers',
      expr: 'sum by (%s) (min_over_time(queuefleet_supervisor_orphan_workers{%s}[5m])) > 0' % [pool, s.supervisor],
      summary: 'Workers of an earlier Horizon run on without their master.',
      description: '{{ $value | printf "%.0f" }} processes of an earlier Horizon of {{ $labels.application }} (pool {{ $labels.pool }} on {{ $labels.connection }}) run on: nobody scales, ends or replaces them.',
    },
    {
      name: 'QueuefleetSupervisorWorkersOutdated',
      severity: 'warning',
      'for': '1h',
      dashboard: 'workers',
      expr: 'sum by (%s) (min_over_time(queuefleet_supervisor_workers_outdated{%s}[5m])) > 0' % [pool, s.supervisor],
      summary: 'Workers run on with what a deploy or a reload has replaced.',
      description: '{{ $value | printf "%.0f" }} workers of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) should have been replaced an hour ago: they run old code or an old configuration.',
    },
    {
      name: 'QueuefleetSupervisorScalingThrashes',
      severity: 'info',
      optional: true,
      keep: '30m',
      dashboard: 'workers',
      expr: |||
        %(up)s > %(limit)g
        and
        %(down)s > %(limit)g
      ||| % {
        up: increase('scale_events_total', '30m', ', direction="up"'),
        down: increase('scale_events_total', '30m', ', direction="down"'),
        limit: t.scaleChanges,
      },
      summary: 'A pool grows and shrinks all the time.',
      description: 'Pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) grew {{ $value | printf "%.0f" }} times within 30 minutes, and shrank as often.',
    },
    {
      name: 'QueuefleetSupervisorLogLinesDropped',
      severity: 'info',
      optional: true,
      keep: '30m',
      dashboard: 'workers',
      expr: increase('log_lines_dropped_total', '15m') + ' > 0',
      summary: 'Output of workers is not forwarded.',
      description: '{{ $value | printf "%.0f" }} lines of pool {{ $labels.pool }} ({{ $labels.application }} on {{ $labels.connection }}) were dropped in 15 minutes.',
    },
  ];

  { programs: programs, pools: pools }
