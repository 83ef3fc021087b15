local t = import 'lib.libsonnet';
local q(metric, name, more='') = t.queue(metric, name, more);
local jobs(name, state) = q('redis_queue_jobs', name, 'state="%s"' % state);
local fires(severity, description, name='default', labels={}) = { severity: severity, labels: t.queueLabels(name) + labels, description: description };

// A pool of a supervisor that has started workers, for one queue.
local pool(name, queue, serving, starts='9+0x100', paused='0+0x100') = {
  [t.pool('workers_max', name)]: '5+0x100',
  [t.pool('worker_starts_total', name)]: starts,
  [t.pool('cannot_start', name, 'reason="other"')]: '0+0x100',
  [t.pool('paused', name)]: paused,
  [t.served('pool_queue_info', queue, 'pool="%s"' % name)]: '1+0x100',
  [t.served('queue_serving_workers', queue)]: serving,
};

t.file([
  t.case('RedisQueueHasNoWorkers', {
                                     [jobs('default', 'ready')]: '7+0x100',
                                     // Nobody counts the workers of this one.
                                     [jobs('mail', 'ready')]: '7+0x100',
                                     // Counted by the framework.
                                     [jobs('sidekiq', 'ready')]: '3+0x100',
                                     [q('redis_queue_workers', 'sidekiq')]: '1+0x9 0+0x20 1+0x70',
                                     // Paused by the framework; by the pool.
                                     [jobs('held', 'ready')]: '7+0x100',
                                     [q('redis_queue_workers', 'held')]: '0+0x100',
                                     [q('redis_queue_paused', 'held')]: '1+0x100',
                                     [jobs('stopped', 'ready')]: '7+0x100',
                                     // Nothing waits.
                                     [jobs('idle', 'ready')]: '0+0x100',
                                     [q('redis_queue_workers', 'idle')]: '0+0x100',
                                     // The supervisor has none, but somebody else works it.
                                     [jobs('shared', 'ready')]: '7+0x100',
                                     [q('redis_queue_workers', 'shared')]: '2+0x100',
                                   } + pool('shop', 'default', '2+0x9 0+0x20 2+0x70')
                                   + pool('stopped', 'stopped', '0+0x100', paused='1+0x100')
                                   + pool('shared', 'shared', '0+0x100'), {
    '9m': [],
    '14m': [],
    '25m': [
      fires('critical', '7 jobs of default (shop on shop-eu) are ready and no worker runs that could take them.'),
      fires('critical', '3 jobs of sidekiq (shop on shop-eu) are ready and no worker runs that could take them.', 'sidekiq'),
    ],
    '45m': [],
  }),

  t.case('RedisQueueHasNoWorkers', {
    [jobs('default', 'ready')]: '7+0x100',
  } + pool('shop', 'default', '0+0x100', starts='0+0x100'), {
    '30m': [],
  }, 'a supervisor that only observes counts nothing'),

  t.case('RedisQueueNotDraining', {
    [jobs('default', 'ready')]: '7+0x100',
    [jobs('default', 'reserved')]: '1+0x9 0+0x30 1+0x70',
    [q('redis_queue_workers', 'default')]: '2+0x100',
    // One long job is being worked.
    [jobs('long', 'ready')]: '7+0x100',
    [jobs('long', 'reserved')]: '1+0x100',
    [q('redis_queue_workers', 'long')]: '1+0x100',
    // Emptied again and again.
    [jobs('quick', 'ready')]: '7+0x4 0+0x0 7+0x4 0+0x0 7+0x4 0+0x0 7+0x4 0+0x0 7+0x4 0+0x0 7+0x4 0+0x0 7+0x4 0+0x60',
    [jobs('quick', 'reserved')]: '0+0x100',
    [q('redis_queue_workers', 'quick')]: '2+0x100',
    // Without reservations, by the count of what was processed.
    [jobs('list', 'ready')]: '7+0x100',
    [q('redis_queue_workers', 'list')]: '2+0x100',
    [q('redis_queue_jobs_processed_total', 'list')]: '0+60x9 600+0x30 600+60x70',
    [q('redis_queue_oldest_job_age_lower_bound_seconds', 'default')]: '0+60x100',
    [q('redis_queue_oldest_job_age_seconds', 'long')]: '0+60x100',
    [q('redis_queue_oldest_job_age_seconds', 'quick')]: '0+60x100',
    [q('redis_queue_oldest_job_age_seconds', 'list')]: '0+60x100',
    // Never seen reserved, but never old either: short jobs.
    [jobs('short', 'ready')]: '1+0x100',
    [jobs('short', 'reserved')]: '0+0x100',
    [q('redis_queue_workers', 'short')]: '2+0x100',
    [q('redis_queue_oldest_job_age_seconds', 'short')]: '2+0x100',
    [q('redis_queue_oldest_job_age_seconds', 'paused')]: '0+60x100',
    [jobs('paused', 'ready')]: '7+0x100',
    [jobs('paused', 'reserved')]: '0+0x100',
    [q('redis_queue_workers', 'paused')]: '2+0x100',
    [q('redis_queue_paused', 'paused')]: '1+0x100',
  }, {
    '17m': [],
    '35m': [
      fires('critical', 'For ten minutes default (shop on shop-eu) has had ready jobs and workers, at least 7 jobs at any time, but none was taken.'),
      fires('critical', 'For ten minutes list (shop on shop-eu) has had ready jobs and workers, at least 7 jobs at any time, but none was taken.', 'list'),
    ],
    '60m': [],
  }),

  t.case('RedisQueueOldestJobTooOld', {
    [q('redis_queue_oldest_job_age_seconds', 'default')]: '60+60x30 0+0x60',
    [q('redis_queue_wait_objective_seconds', 'default')]: '30+0x100',
    // Only a lower bound is known.
    [q('redis_queue_oldest_job_age_lower_bound_seconds', 'old')]: '60+60x30 0+0x60',
    [q('redis_queue_wait_objective_seconds', 'old')]: '60+0x100',
    [q('redis_queue_oldest_job_age_seconds', 'patient')]: '60+60x30 0+0x60',
    [q('redis_queue_wait_objective_seconds', 'patient')]: '600+0x100',
    [q('redis_queue_oldest_job_age_seconds', 'paused')]: '60+60x100',
    [q('redis_queue_wait_objective_seconds', 'paused')]: '30+0x100',
    [q('redis_queue_paused', 'paused')]: '1+0x100',
  }, {
    '10m': [],
    '24m': [
      fires('warning', 'The oldest job of default (shop on shop-eu) has waited for 25m 0s, more than 10 times what the queue allows.'),
      fires('warning', 'The oldest job of old (shop on shop-eu) has waited for 25m 0s, more than 10 times what the queue allows.', 'old'),
    ],
    '50m': [],
  }),

  t.case('RedisQueueBacklogGrowing', {
    [jobs('default', 'ready')]: '100+0x60 110+10x60 0+0x60',
    [q('redis_queue_oldest_job_age_seconds', 'default')]: '20+0x120 0+0x60',
    [q('redis_queue_wait_objective_seconds', 'default')]: '30+0x180',
    // Grows as much, and nobody waits.
    [jobs('fast', 'ready')]: '100+0x60 110+10x120',
    [q('redis_queue_oldest_job_age_seconds', 'fast')]: '2+0x180',
    [q('redis_queue_wait_objective_seconds', 'fast')]: '30+0x180',
    // A tide: large, but as an hour ago.
    [jobs('tide', 'ready')]: '5000+0x180',
    [q('redis_queue_oldest_job_age_seconds', 'tide')]: '20+0x180',
    [q('redis_queue_wait_objective_seconds', 'tide')]: '30+0x180',
  }, {
    '80m': [],
    '110m': [fires('warning', 'default (shop on shop-eu) has 600 ready jobs, more than twice as many as an hour ago.')],
    '140m': [],
  }),

  t.case('RedisQueueJobsStalled', {
    [q('redis_queue_reserved_expired_jobs', 'default')]: '0+0x4 3+0x40 0+0x40',
    // Taken up again each time.
    [q('redis_queue_reserved_expired_jobs', 'mail')]: '3 0 0 3 0 0 3 0 0 3 0 0 3 0 0 3 0 0 3 0 0 3 0 0 3 0 0 3 0 0',
  }, {
    '12m': [],
    '28m': [fires('warning', '3 jobs of default (shop on shop-eu) are reserved past their expiry.')],
    '60m': [],
  }),

  t.case('RedisQueueDelayedOverdue', {
    [q('redis_queue_oldest_overdue_job_age_seconds', 'default')]: '0+0x4 60+60x30 0+0x40',
    [q('redis_queue_oldest_overdue_job_age_seconds', 'mail')]: '90+0x80',
    [q('redis_queue_oldest_overdue_job_age_seconds', 'paused')]: '60+60x80',
    [q('redis_queue_paused', 'paused')]: '1+0x80',
  }, {
    '8m': [],
    '20m': [fires('warning', 'A delayed job of default (shop on shop-eu) has been due for 16m 0s.')],
    '50m': [],
  }),

  t.case('RedisQueueFailureRatioHigh', {
    [q('redis_queue_jobs_processed_total', 'default')]: '0+60x100',
    [q('redis_queue_jobs_failed_total', 'default')]: '0+6x40 240+0x60',
    [q('redis_queue_jobs_processed_total', 'broken')]: '0+60x100',
    [q('redis_queue_jobs_failed_total', 'broken')]: '0+45x40 1800+0x60',
    [q('redis_queue_jobs_processed_total', 'mail')]: '0+60x100',
    [q('redis_queue_jobs_failed_total', 'mail')]: '0+2x100',
    // Hardly anything happens.
    [q('redis_queue_jobs_processed_total', 'rare')]: '0+1x100',
    [q('redis_queue_jobs_failed_total', 'rare')]: '0+1x100',
  }, {
    '4m': [],
    '12m': [fires('critical', '75% of the attempts at jobs of broken (shop on shop-eu) failed.', 'broken')],
    '30m': [
      fires('warning', '10% of the attempts at jobs of default (shop on shop-eu) failed.'),
      fires('warning', '75% of the attempts at jobs of broken (shop on shop-eu) failed.', 'broken'),
      fires('critical', '75% of the attempts at jobs of broken (shop on shop-eu) failed.', 'broken'),
    ],
    '70m': [],
  }),

  t.case('RedisQueuePausedTooLong', {
    [jobs('default', 'ready')]: '5+0x200',
    [q('redis_queue_paused', 'default')]: '0+0x4 1+0x100 0+0x80',
    [jobs('idle', 'ready')]: '0+0x200',
    [q('redis_queue_paused', 'idle')]: '1+0x200',
    [jobs('brief', 'ready')]: '5+0x200',
    [q('redis_queue_paused', 'brief')]: '0+0x4 1+0x40 0+0x160',
  }, {
    '60m': [],
    '80m': [fires('warning', 'default (shop on shop-eu) is paused; 5 jobs wait.')],
    '130m': [],
  }),

  t.case('RedisQueueUnreadable', {
    [t.connection('redis_up', 'shop-eu')]: '1+0x80',
    [q('redis_queue_read_success', 'default')]: '1+0x4 0+0x40 1+0x40',
    [q('redis_queue_read_success', 'mail')]: '1+0x4 0 1+0x80',
    // Its connection is down, and that has an alert.
    [t.connection('redis_up', 'shop-us')]: '0+0x80',
    ['redis_queue_read_success{%s, %s, application="shop", connection="shop-us", queue="default"}' % [t.exporter, t.place]]: '0+0x80',
  }, {
    '12m': [],
    '30m': [fires('warning', 'A key of default (shop on shop-eu) is of another type or may not be read. Nothing is known of this queue.')],
    '60m': [],
  }),

  t.case('RedisHorizonInactive', {
    [t.connection('redis_horizon_status', 'shop-eu', 'application="shop", status="inactive"')]: '0+0x4 1+0x20 0+0x40',
    [t.connection('redis_horizon_status', 'shop-eu', 'application="shop", status="running"')]: '1+0x4 0+0x20 1+0x40',
    [t.connection('redis_horizon_status', 'shop-eu', 'application="crm", status="inactive"')]: '0+0x80',
    [t.connection('redis_horizon_status', 'shop-eu', 'application="crm", status="paused"')]: '1+0x80',
  }, {
    '8m': [],
    '20m': [{ severity: 'critical', labels: t.connectionLabels('shop-eu') { application: 'shop' }, description: 'No Horizon master of shop has a fresh record on shop-eu.' }],
    '40m': [],
  }),

  t.case('RedisHorizonSnapshotStale', {
    [t.connection('redis_horizon_last_snapshot_timestamp_seconds', 'shop-eu', 'application="shop"')]: '0+0x60 3660+60x60',
    [t.connection('redis_horizon_last_snapshot_timestamp_seconds', 'shop-eu', 'application="crm"')]: '0+60x120',
  }, {
    '33m': [],
    '50m': [{ severity: 'warning', labels: t.connectionLabels('shop-eu') { application: 'shop' }, description: 'The last snapshot of shop on shop-eu is 50m 0s old; its rates and run times tell nothing.' }],
    '80m': [],
  }),
], needs=['queuefleet-connection.rules', 'queuefleet-queue.rules', 'queuefleet-queue'])
