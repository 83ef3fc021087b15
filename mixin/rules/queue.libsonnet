// Queues: depth, waiting, who works them.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local gauge(name, more='') = r.max(s.by.queue, '%s{%s%s}' % [name, s.redis, more]);
  local jobs(state) = gauge('redis_queue_jobs', ', state="%s"' % state);
  local rate(name) = r.max(s.by.queue, 'rate(%s{%s}[5m])' % [name, s.redis]);

  // The supervisor tells queues by application and connection alone; the rest
  // of their identity comes from the pools of the same supervisor.
  local pools = 'max by (job, instance, application, connection, %s) (queuefleet_supervisor_workers_max{%s} * 0 + 1)' % [s.by.owner, s.supervisor];
  // A supervisor that only observes starts nothing; its zeros are no count.
  local works = |||
    (
      sum by (job, instance) (queuefleet_supervisor_worker_starts_total{%(supervisor)s}) > 0
      or
      max by (job, instance) (queuefleet_supervisor_cannot_start{%(supervisor)s}) > 0
    )
  ||| % s;
  local serving = |||
    sum by (%(queue)s) (
      (queuefleet_supervisor_queue_serving_workers{%(supervisor)s} and on (job, instance) %(works)s)
      * on (job, instance, application, connection) group_left (%(owner)s)
      %(pools)s
    )
  ||| % (s.by { supervisor: s.supervisor, works: std.rstripChars(works, '\n'), pools: pools });

  // Which pool works which queue, and whether it is paused.
  local poolQueue = |||
    max by (%(owner)s, application, connection, pool, queue) (
      queuefleet_supervisor_pool_queue_info{%(supervisor)s}
      * on (job, instance, application, connection, pool) group_left (%(owner)s)
      max by (job, instance, application, connection, pool, %(owner)s) (queuefleet_supervisor_paused{%(supervisor)s})
    )
  ||| % (s.by { supervisor: s.supervisor });
  // The higher of two, or the one there is. Cheaper by far than one max over
  // both, which needs a label to tell them apart.
  local higher(a, b) = '(%s >= %s)\nor\n%s\nor\n%s' % [a, b, b, a];

  {
    name: 'queuefleet-queue.rules',
    rules: [
      r.record('queue:redis_queue_ready_jobs:max', jobs('ready')),
      r.record('queue:redis_queue_delayed_jobs:max', jobs('delayed')),
      r.record('queue:redis_queue_reserved_jobs:max', jobs('reserved')),
      r.record('queue:redis_queue_failed_jobs:max', jobs('failed')),
      // The exact age where payloads tell it, else how long the head has been
      // seen waiting.
      r.record('queue:redis_queue_waiting_seconds:max', '%s\nor\n%s' % [gauge('redis_queue_oldest_job_age_seconds'), gauge('redis_queue_oldest_job_age_lower_bound_seconds')]),
      r.record('queue:redis_queue_wait_objective_seconds:max', gauge('redis_queue_wait_objective_seconds')),
      r.record('queue:redis_queue_wait_objective_ratio:max', gauge('redis_queue_wait_objective_ratio')),
      // Running workers that can take its jobs. Both who may count them count
      // some of the same, so the higher one; absent where nobody counts.
      r.record('queue:queuefleet_supervisor_serving_workers:sum', std.rstripChars(serving, '\n')),
      r.record('queue:redis_queue_workers:max', higher('queue:queuefleet_supervisor_serving_workers:sum', gauge('redis_queue_workers'))),
      // Of a queue that a pool works: 1 while the pool is paused.
      r.record('pool:queuefleet_supervisor_queue_paused:max', std.rstripChars(poolQueue, '\n')),
      // 1 while the framework, or every pool that works it, is paused.
      r.record('queue:queuefleet_supervisor_paused:min', 'min by (%s) (pool:queuefleet_supervisor_queue_paused:max)' % s.by.queue),
      r.record('queue:redis_queue_paused:max', higher('queue:queuefleet_supervisor_paused:min', gauge('redis_queue_paused'))),
      // Finished attempts a second, failed ones included, where the framework counts.
      r.record('queue:redis_queue_jobs_processed:rate5m', rate('redis_queue_jobs_processed_total')),
      r.record('queue:redis_queue_jobs_failed:rate5m', rate('redis_queue_jobs_failed_total')),
      r.record('queue:redis_queue_jobs_failed:ratio_rate5m', 'queue:redis_queue_jobs_failed:rate5m / (queue:redis_queue_jobs_processed:rate5m > 0)'),
    ],
  }
