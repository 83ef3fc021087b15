local t = import 'lib.libsonnet';
local p(metric, name, more='') = t.pool(metric, name, more);
local program(severity, description, labels={}) = { severity: severity, labels: { job: 'queuefleet-supervisor', instance: 'host-1:10380' } + labels, description: description };
local pool(severity, description, name='shop', labels={}) = { severity: severity, labels: t.poolLabels(name) + labels, description: description };
local own(metric, more='') = 'queuefleet_supervisor_%s{%s%s}' % [metric, t.supervisor, t.comma(more)];
local other(metric, more='') = 'queuefleet_supervisor_%s{%s%s}' % [metric, t.supervisor2, t.comma(more)];

t.file([
  t.case('QueuefleetSupervisorDown', {
    ['up{%s}' % t.supervisor]: '1+0x4 0+0x15 1+0x40',
    ['up{%s}' % t.supervisor2]: '1+0x4 0 1+0x60',
    ['up{%s}' % t.exporter]: '0+0x60',
  }, {
    '5m': [],
    '10m': [program('critical', 'Supervisor host-1:10380 has not been scraped for two minutes. If it is gone, its workers finish their jobs and leave, and nobody starts others.')],
    '32m': [],
  }),

  t.case('QueuefleetSupervisorLoopStalled', {
    [own('last_loop_timestamp_seconds')]: '0+60x10 600+0x15 1560+60x30',
    [other('last_loop_timestamp_seconds')]: '0+60x60',
  }, {
    '10m': [],
    '15m': [program('critical', 'The loop of supervisor host-1:10380 was last done 5m 0s ago: it neither scales nor replaces workers.')],
    '35m': [],
  }),

  t.case('QueuefleetSupervisorScalerBlind', {
    [own('queue_source_up', t.place + ', connection="shop-eu"')]: '1+0x4 0+0x20 1+0x40',
    [own('queue_source_up', t.place + ', connection="shop-us"')]: '1+0x4 0 1+0x60',
    [other('queue_source_up', t.place + ', connection="shop-eu"')]: '1+0x60',
  }, {
    '9m': [],
    '20m': [program('warning', 'Supervisor host-1:10380 gets no answer from shop-eu: counts of workers stay as they are, and workers that exit are not replaced.', t.connectionLabels('shop-eu'))],
    '40m': [],
  }),

  t.case('QueuefleetSupervisorReloadFailed', {
    [own('config_last_reload_successful')]: '1+0x4 0+0x30 1+0x40',
    [other('config_last_reload_successful')]: '1+0x4 0+0x3 1+0x70',
  }, {
    '12m': [],
    '25m': [program('critical', 'Supervisor host-1:10380 goes on with its last good configuration. After a restart it would not start.')],
    '50m': [],
  }),

  t.case('QueuefleetSupervisorFragmentBroken', {
    [own('config_fragment_last_reload_successful', 'file="conf.d/shop.yml"')]: '1+0x4 0+0x30 1+0x40',
    [own('config_fragment_last_reload_successful', 'file="conf.d/crm.yml"')]: '1+0x80',
  }, {
    '12m': [],
    '25m': [program('warning', 'conf.d/shop.yml is broken; supervisor host-1:10380 uses its last good version, if there was one.', { file: 'conf.d/shop.yml' })],
    '50m': [],
  }),

  t.case('QueuefleetSupervisorCannotStart', {
    [p('cannot_start', 'shop', 'reason="missing_command"')]: '0+0x4 1+0x20 0+0x40',
    [p('cannot_start', 'shop', 'reason="bad_user"')]: '0+0x80',
    [p('cannot_start', 'crm', 'reason="no_resources"')]: '0+0x4 1 0+0x80',
  }, {
    '9m': [],
    '20m': [pool('critical', 'Supervisor host-1:10380 cannot start workers of pool shop (shop on shop-eu): missing_command.', labels={ reason: 'missing_command', instance: 'host-1:10380' })],
    '40m': [],
  }),

  t.case('QueuefleetSupervisorWorkersCrashLooping', {
    [p('worker_exits_total', 'shop', 'reason="error"')]: '0+0x5 1+1x20 21+0x70',
    [p('worker_exits_total', 'shop', 'reason="max_jobs"')]: '0+0x100',
    [p('pool_throttled', 'shop')]: '0+0x100',
    // Ends that belong to the day's work.
    [p('worker_exits_total', 'calm', 'reason="max_jobs"')]: '0+5x100',
    [p('worker_exits_total', 'calm', 'reason="scale_down"')]: '0+5x100',
    // Two in five minutes.
    [p('worker_exits_total', 'rare', 'reason="signal"')]: '0+0.4x100',
    // So bad that they are hardly started any more.
    [p('worker_exits_total', 'backoff', 'reason="error"')]: '0+0.1x100',
    [p('pool_throttled', 'backoff')]: '0+0x4 1+0x20 0+0x70',
  }, {
    '6m': [],
    '20m': [
      pool('critical', 'Workers of pool backoff (shop on shop-eu) crash again and again, and are started at growing intervals.', 'backoff'),
      pool('critical', 'Workers of pool shop (shop on shop-eu) crash again and again, and are started at growing intervals.'),
    ],
    '60m': [],
  }),

  t.case('QueuefleetSupervisorWorkersMissing', {
    [p('workers_desired', 'shop')]: '5+0x100',
    [p('workers', 'shop', 'state="running"')]: '5+0x4 3+0x40 5+0x60',
    [p('worker_starts_total', 'shop')]: '9+0x100',
    [p('workers_desired', 'none')]: '5+0x100',
    [p('workers', 'none', 'state="running"')]: '5+0x4 0+0x40 5+0x60',
    [p('worker_starts_total', 'none')]: '9+0x100',
    // Only observes.
    [p('workers_desired', 'observed')]: '5+0x100',
    [p('workers', 'observed', 'state="running"')]: '0+0x100',
    [p('worker_starts_total', 'observed')]: '0+0x100',
    [p('workers_desired', 'paused')]: '5+0x100',
    [p('workers', 'paused', 'state="running"')]: '0+0x100',
    [p('worker_starts_total', 'paused')]: '9+0x100',
    [p('paused', 'paused')]: '1+0x100',
    // Follows a moment later, again and again.
    [p('workers_desired', 'wave')]: '2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5 2 5',
    [p('workers', 'wave', 'state="running"')]: '2+0x40',
    [p('worker_starts_total', 'wave')]: '9+0x40',
  }, {
    '12m': [],
    '35m': [
      pool('warning', 'Pool none (shop on shop-eu) lacks 5 workers.', 'none'),
      pool('critical', 'Pool none (shop on shop-eu) lacks 5 workers.', 'none'),
      pool('warning', 'Pool shop (shop on shop-eu) lacks 2 workers.'),
    ],
    '60m': [],
  }),

  // Two supervisors run the pool; one has none of the five.
  t.case('QueuefleetSupervisorWorkersMissing', {
    [p('workers_desired', 'shop')]: '5+0x40',
    [p('workers', 'shop', 'state="running"')]: '5+0x40',
    [p('worker_starts_total', 'shop')]: '9+0x40',
    [std.strReplace(p('workers_desired', 'shop'), t.supervisor, t.supervisor2)]: '5+0x40',
    [std.strReplace(p('workers', 'shop', 'state="running"'), t.supervisor, t.supervisor2)]: '0+0x40',
    [std.strReplace(p('worker_starts_total', 'shop'), t.supervisor, t.supervisor2)]: '9+0x40',
  }, {
    '35m': [pool('warning', 'Pool shop (shop on shop-eu) lacks 5 workers.')],
  }, 'over all supervisors'),

  t.case('QueuefleetSupervisorAtMaxAndLate',
         {
           [p('scale_limited', 'shop', 'reason="max"')]: '1+0x40 0+0x40',
           [p('scale_limited', 'shop', 'reason="shift"')]: '1+0x80',
           [t.served('pool_queue_info', 'default', 'pool="shop"')]: '1+0x80',
           [t.served('pool_queue_info', 'mail', 'pool="shop"')]: '1+0x80',
           [p('paused', 'shop')]: '0+0x80',
           [t.queue('redis_queue_oldest_job_age_seconds', 'default')]: '60+0x80',
           [t.queue('redis_queue_wait_objective_seconds', 'default')]: '30+0x80',
           [t.queue('redis_queue_oldest_job_age_seconds', 'mail')]: '1+0x80',
           [t.queue('redis_queue_wait_objective_seconds', 'mail')]: '30+0x80',
           // At the maximum, and nobody waits too long.
           [p('scale_limited', 'busy', 'reason="max"')]: '1+0x80',
           [t.served('pool_queue_info', 'busy', 'pool="busy"')]: '1+0x80',
           [p('paused', 'busy')]: '0+0x80',
           [t.queue('redis_queue_oldest_job_age_seconds', 'busy')]: '20+0x80',
           [t.queue('redis_queue_wait_objective_seconds', 'busy')]: '30+0x80',
         },
         {
           '8m': [],
           '25m': [pool('warning', 'Pool shop (shop on shop-eu) needs more workers than max_processes allows, and a queue of it has jobs that wait longer than allowed.')],
           '60m': [],
         }),

  t.case('QueuefleetSupervisorFailureRatioHigh', {
    [p('jobs_processed_total', 'shop', 'result="processed"')]: '0+54x40 2160+60x60',
    [p('jobs_processed_total', 'shop', 'result="failed"')]: '0+6x40 240+0x60',
    // Given back is not failed.
    [p('jobs_processed_total', 'crm', 'result="processed"')]: '0+59x100',
    [p('jobs_processed_total', 'crm', 'result="failed"')]: '0+1x100',
    [p('jobs_processed_total', 'crm', 'result="released"')]: '0+60x100',
    [p('jobs_processed_total', 'broken', 'result="processed"')]: '0+15x40 600+60x60',
    [p('jobs_processed_total', 'broken', 'result="failed"')]: '0+45x40 1800+0x60',
    // One job an hour, and it failed.
    [p('jobs_processed_total', 'rare', 'result="processed"')]: '0+0x100',
    [p('jobs_processed_total', 'rare', 'result="failed"')]: '0+0.1x100',
  }, {
    '4m': [],
    '12m': [pool('critical', '75% of the attempts of pool broken (shop on shop-eu) failed.', 'broken')],
    '30m': [
      pool('warning', '75% of the attempts of pool broken (shop on shop-eu) failed.', 'broken'),
      pool('critical', '75% of the attempts of pool broken (shop on shop-eu) failed.', 'broken'),
      pool('warning', '10% of the attempts of pool shop (shop on shop-eu) failed.'),
    ],
    '70m': [],
  }),

  t.case('QueuefleetSupervisorMemoryKills', {
    [p('worker_exits_total', 'shop', 'reason="memory"')]: '0+0x60 1+1x11 12+0x150',
    [p('worker_exits_total', 'crm', 'reason="memory"')]: '0+0x60 1+1x7 8+0x150',
  }, {
    '60m': [],
    '80m': [pool('warning', '12 workers of pool shop (shop on shop-eu) ended by their memory limit within an hour.')],
    '180m': [],
  }),

  t.case('QueuefleetSupervisorWorkerTimeouts', {
    [p('worker_exits_total', 'shop', 'reason="timeout"')]: '0+0x60 1+1x5 6+0x150',
    [p('worker_exits_total', 'crm', 'reason="timeout"')]: '0+0x60 1+1x3 4+0x150',
  }, {
    '60m': [],
    '80m': [pool('warning', '6 workers of pool shop (shop on shop-eu) were ended with a job that ran too long, within an hour.')],
    '180m': [],
  }),

  t.case('QueuefleetSupervisorBusyWorkersKilled', {
    [p('busy_workers_killed_total', 'shop')]: '0+0x20 2+0x90',
    [p('busy_workers_killed_total', 'crm')]: '5+0x110',
  }, {
    '20m': [],
    '30m': [pool('warning', '2 workers of pool shop (shop on shop-eu) did not leave in time and were killed. Their jobs run again after retry_after.')],
    '80m': [],
  }),

  t.case('QueuefleetSupervisorLeakedProcesses', {
    [p('leaked_processes_total', 'shop')]: '0+0x60 4+0x150',
    [p('leaked_processes_total', 'crm')]: '0+0x60 3+0x150',
  }, {
    '60m': [],
    '80m': [pool('warning', '4 processes outlived their workers of pool shop (shop on shop-eu) within an hour and were killed.')],
    '180m': [],
  }),

  t.case('QueuefleetSupervisorOrphanWorkers', {
    [p('orphan_workers', 'shop')]: '0+0x4 3+0x60 0+0x40',
    // They finish their jobs and leave.
    [p('orphan_workers', 'crm')]: '0+0x4 3+0x10 0+0x90',
  }, {
    '20m': [],
    '40m': [pool('warning', '3 processes of an earlier Horizon of shop (pool shop on shop-eu) run on: nobody scales, ends or replaces them.')],
    '80m': [],
  }),

  t.case('QueuefleetSupervisorWorkersOutdated', {
    [p('workers_outdated', 'shop')]: '0+0x4 2+0x100 0+0x40',
    // Replaced within the hour.
    [p('workers_outdated', 'crm')]: '0+0x4 2+0x40 0+0x100',
  }, {
    '60m': [],
    '90m': [pool('warning', '2 workers of pool shop (shop on shop-eu) should have been replaced an hour ago: they run old code or an old configuration.')],
    '120m': [],
  }),

  t.case('QueuefleetSupervisorScalingThrashes', {
    [p('scale_events_total', 'shop', 'direction="up", reason="demand"')]: '0+0x30 1+1x7 8+0x110',
    [p('scale_events_total', 'shop', 'direction="down", reason="idle"')]: '0+0x30 1+1x7 8+0x110',
    // Grows only.
    [p('scale_events_total', 'crm', 'direction="up", reason="demand"')]: '0+1x150',
    [p('scale_events_total', 'crm', 'direction="down", reason="idle"')]: '0+0x150',
  }, {
    '30m': [],
    '50m': [pool('info', 'Pool shop (shop on shop-eu) grew 8 times within 30 minutes, and shrank as often.')],
    '120m': [],
  }),

  t.case('QueuefleetSupervisorLogLinesDropped', {
    [p('log_lines_dropped_total', 'shop')]: '0+0x20 30+0x90',
    [p('log_lines_dropped_total', 'crm')]: '30+0x110',
  }, {
    '20m': [],
    '30m': [pool('info', '30 lines of pool shop (shop on shop-eu) were dropped in 15 minutes.')],
    '80m': [],
  }),
], needs=['queuefleet-queue.rules', 'queuefleet-pool.rules', 'queuefleet-supervisor', 'queuefleet-pool'])
