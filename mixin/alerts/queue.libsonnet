// Queues: do jobs start in time, and if not, why. Alerts are on waiting and on
// progress, never on length alone.
function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local t = config.thresholds;
  local by = s.by.queue;
  // A pause is somebody's decision; RedisQueuePausedTooLong recalls it.
  local unpaused = 'unless on (%s)\nqueue:redis_queue_paused:max == 1' % by;
  local failing = {
    name: 'RedisQueueFailureRatioHigh',
    dashboard: 'queues',
    ratio:: error 'missing',
    expr: |||
      avg_over_time(queue:redis_queue_jobs_failed:ratio_rate5m[5m]) > %g
      and
      avg_over_time(queue:redis_queue_jobs_processed:rate5m[5m]) >= %g
    ||| % [self.ratio, t.failureMinimumPerSecond],
    summary: 'Many jobs of a queue fail.',
    description: '{{ $value | humanizePercentage }} of the attempts at jobs of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) failed.',
  };
  [
    {
      name: 'RedisQueueHasNoWorkers',
      severity: 'critical',
      'for': '5m',
      dashboard: 'queues',
      // Only where somebody counts workers and counts none: no count is no zero.
      expr: |||
        max_over_time(queue:redis_queue_ready_jobs:max[2m]) > 0
        and on (%(by)s)
        max_over_time(queue:redis_queue_workers:max[2m]) == 0
        %(unpaused)s
      ||| % { by: by, unpaused: unpaused },
      summary: 'Jobs wait and no worker takes them.',
      description: '{{ $value | printf "%.0f" }} jobs of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) are ready and no worker runs that could take them.',
    },
    {
      name: 'RedisQueueNotDraining',
      severity: 'critical',
      'for': '5m',
      dashboard: 'queues',
      // Workers run, jobs wait, and none is being worked: by the reservations
      // where the framework keeps them, else by its count of ended attempts.
      // Short jobs are hardly ever seen reserved, and between two polls there
      // may always be one that waits: unless the oldest is old, all is well.
      expr: |||
        min_over_time(queue:redis_queue_ready_jobs:max[10m]) > 0
        and on (%(by)s)
        queue:redis_queue_workers:max > 0
        and on (%(by)s)
        (
          max_over_time(queue:redis_queue_reserved_jobs:max[10m]) == 0
          or on (%(by)s)
          (
            queue:redis_queue_jobs_processed:rate5m == 0
            unless on (%(by)s)
            queue:redis_queue_reserved_jobs:max
          )
        )
        and on (%(by)s)
        max_over_time(queue:redis_queue_waiting_seconds:max[5m]) >= %(age)g
        %(unpaused)s
      ||| % { by: by, unpaused: unpaused, age: t.notDrainingSeconds },
      summary: 'Workers run, yet they take no jobs of a queue.',
      description: 'For ten minutes {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) has had ready jobs and workers, at least {{ $value | printf "%.0f" }} jobs at any time, but none was taken.',
    },
    {
      name: 'RedisQueueOldestJobTooOld',
      severity: 'warning',
      'for': '10m',
      dashboard: 'queues',
      expr: |||
        max_over_time(queue:redis_queue_waiting_seconds:max[5m])
        > on (%(by)s)
        %(factor)g * queue:redis_queue_wait_objective_seconds:max
        %(unpaused)s
      ||| % { by: by, factor: t.waitFactor, unpaused: unpaused },
      summary: 'A job has waited many times longer than its queue allows.',
      description: 'The oldest job of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) has waited for {{ $value | humanizeDuration }}, more than %g times what the queue allows.' % t.waitFactor,
    },
    {
      name: 'RedisQueueBacklogGrowing',
      severity: 'warning',
      'for': '15m',
      dashboard: 'queues',
      // Twice as many as an hour ago, still growing, and half of the allowed
      // wait is gone: what comes in is more than is worked.
      expr: |||
        queue:redis_queue_ready_jobs:max > %(floor)g
        and
        queue:redis_queue_ready_jobs:max > 2 * (queue:redis_queue_ready_jobs:max offset 1h)
        and
        queue:redis_queue_ready_jobs:max > (queue:redis_queue_ready_jobs:max offset 15m)
        and
        queue:redis_queue_waiting_seconds:max > queue:redis_queue_wait_objective_seconds:max / 2
        %(unpaused)s
      ||| % { floor: t.backlogJobs, unpaused: unpaused },
      summary: 'A queue grows faster than it is worked.',
      description: '{{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) has {{ $value | printf "%.0f" }} ready jobs, more than twice as many as an hour ago.',
    },
    {
      name: 'RedisQueueJobsStalled',
      severity: 'warning',
      'for': '10m',
      dashboard: 'queues',
      expr: 'max by (%s) (min_over_time(redis_queue_reserved_expired_jobs{%s}[5m])) > 0' % [by, s.redis],
      summary: 'Jobs were reserved, their workers died, and nobody takes them up again.',
      description: '{{ $value | printf "%.0f" }} jobs of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) are reserved past their expiry.',
    },
    {
      name: 'RedisQueueDelayedOverdue',
      severity: 'warning',
      'for': '5m',
      dashboard: 'queues',
      expr: 'max by (%s) (max_over_time(redis_queue_oldest_overdue_job_age_seconds{%s}[2m])) > %g\n%s' % [by, s.redis, t.overdueSeconds, unpaused],
      summary: 'Delayed jobs are due and nobody moves them.',
      description: 'A delayed job of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) has been due for {{ $value | humanizeDuration }}.',
    },
    failing { severity: 'warning', 'for': '15m', ratio:: t.failureRatioWarning },
    failing { severity: 'critical', 'for': '5m', ratio:: t.failureRatioCritical },
    {
      name: 'RedisQueueFailedJobsPilingUp',
      severity: 'warning',
      'for': '5m',
      dashboard: 'queues',
      // More than at the lowest of the last day's half-hours, so that clearing
      // the list starts the count anew.
      expr: |||
        queue:redis_queue_failed_jobs:max
        - min_over_time(queue:redis_queue_failed_jobs:slice30m[1d])
        > %g
      ||| % t.failedJobsPerDay,
      summary: 'Failed jobs pile up.',
      description: '{{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) has gathered {{ $value | printf "%.0f" }} failed jobs within the last day.',
    },
    {
      name: 'RedisQueuePausedTooLong',
      severity: 'warning',
      'for': '1h',
      dashboard: 'queues',
      expr: |||
        max_over_time(queue:redis_queue_ready_jobs:max[5m]) > 0
        and on (%(by)s)
        max_over_time(queue:redis_queue_paused:max[5m]) == 1
      ||| % { by: by },
      summary: 'A queue has been paused for an hour while jobs wait.',
      description: '{{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) is paused; {{ $value | printf "%.0f" }} jobs wait.',
    },
    {
      name: 'RedisQueueUnreadable',
      severity: 'warning',
      'for': '10m',
      dashboard: 'queues',
      expr: |||
        max by (%(by)s) (max_over_time(redis_queue_read_success{%(redis)s}[5m])) == 0
        and on (%(store)s)
        max_over_time(connection:redis_up:max[5m]) == 1
      ||| % { by: by, redis: s.redis, store: s.by.store },
      summary: 'A queue cannot be read although its connection answers.',
      description: 'A key of {{ $labels.queue }} ({{ $labels.application }} on {{ $labels.connection }}) is of another type or may not be read. Nothing is known of this queue.',
    },
    {
      name: 'RedisHorizonInactive',
      severity: 'critical',
      'for': '5m',
      dashboard: 'application',
      expr: 'min by (%s, connection) (min_over_time(redis_horizon_status{%s, status="inactive"}[2m])) == 1' % [s.by.application, s.redis],
      summary: 'Laravel Horizon does not run.',
      description: 'No Horizon master of {{ $labels.application }} has a fresh record on {{ $labels.connection }}.',
    },
    {
      name: 'RedisHorizonSnapshotStale',
      severity: 'warning',
      'for': '5m',
      dashboard: 'application',
      expr: 'time() - max by (%s, connection) (max_over_time(redis_horizon_last_snapshot_timestamp_seconds{%s}[5m])) > %g * 60' % [s.by.application, s.redis, t.horizonSnapshotMinutes],
      summary: 'Laravel Horizon takes no snapshots.',
      description: 'The last snapshot of {{ $labels.application }} on {{ $labels.connection }} is {{ $value | humanizeDuration }} old; its rates and run times tell nothing.',
    },
  ]
