// Pools of workers, over all supervisors that run them, and applications.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local pool = 'pool:queuefleet_supervisor_';
  local sum(name, more='') = 'sum by (%s) (queuefleet_supervisor_%s{%s%s})' % [s.by.pool, name, s.supervisor, more];
  local rate(name, more='') = 'sum by (%s) (rate(queuefleet_supervisor_%s{%s%s}[5m]))' % [s.by.pool, name, s.supervisor, more];
  local appSum(series) = 'sum by (%s) (%s)' % [s.by.application, series];
  [
    {
      name: 'queuefleet-pool.rules',
      rules: [
        r.record(pool + 'workers_running:sum', sum('workers', ', state="running"')),
        r.record(pool + 'workers_backoff:sum', sum('workers', ', state="backoff"')),
        r.record(pool + 'workers_desired:sum', sum('workers_desired')),
        r.record(pool + 'workers_max:sum', sum('workers_max')),
        r.record(pool + 'workers_min:sum', sum('workers_min')),
        r.record(pool + 'workers_busy:sum', sum('workers_busy')),
        // Ended attempts a second; those given back or lost are not ended.
        r.record(pool + 'jobs_processed:rate5m', rate('jobs_processed_total', ', result=~"processed|failed"')),
        r.record(pool + 'jobs_failed:rate5m', rate('jobs_processed_total', ', result="failed"')),
        r.record(pool + 'jobs_failed:ratio_rate5m', '%sjobs_failed:rate5m / (%sjobs_processed:rate5m > 0)' % [pool, pool]),
        // 1 while a queue that the pool works has a job that waited too long.
        r.record('pool:redis_queue_wait_breached:max', 'max by (%s) (\n  (pool:queuefleet_supervisor_queue_paused:max >= bool 0)\n  * on (%s) group_left ()\n  (queue:redis_queue_waiting_seconds:max > bool queue:redis_queue_wait_objective_seconds:max)\n)' % [s.by.pool, s.by.queue]),
        // Ends that nobody wanted: neither limits nor orders.
        r.record(pool + 'worker_bad_exits:rate5m', rate('worker_exits_total', ', reason=~"error|signal|cannot_start"')),
      ],
    },
    {
      name: 'queuefleet-application.rules',
      rules: [
        r.record('application:redis_queue_ready_jobs:sum', appSum('queue:redis_queue_ready_jobs:max')),
        r.record('application:redis_queue_waiting_seconds:max', 'max by (%s) (queue:redis_queue_waiting_seconds:max)' % s.by.application),
        r.record('application:queuefleet_supervisor_jobs_processed:rate5m', appSum(pool + 'jobs_processed:rate5m')),
        r.record('application:queuefleet_supervisor_jobs_failed:ratio_rate5m', '%s\n/\n(application:queuefleet_supervisor_jobs_processed:rate5m > 0)' % appSum(pool + 'jobs_failed:rate5m')),
      ],
    },
  ]
