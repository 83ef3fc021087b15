// What looks back a day or more, evaluated every half hour.
local t = import 'lib.libsonnet';
local c(metric, name='shop-eu', more='') = t.connection(metric, name, more);
local q(metric, name, more='') = t.queue(metric, name, more);
local onConnection(severity, description) = { severity: severity, labels: t.connectionLabels('shop-eu'), description: description };
local onQueue(severity, description, labels={}) = { severity: severity, labels: t.queueLabels('default') + labels, description: description };
local burn(long, short, share) = onQueue('warning', 'In %s of the last %s the oldest job of default (shop on shop-eu) had waited longer than allowed: its budget of 30 days is spent too fast.' % [share, long], { long: long, short: short });
local monitoring(long, short, share) = {
  severity: 'warning',
  labels: { long: long, short: short },
  description: 'For %s of the last %s scrapes did not come, figures of connections were not read or rules were not evaluated.' % [share, long],
};

t.file([
  // Two bad half-hours, ten hours after the start.
  t.case('RedisQueueWaitBudgetBurn', {
    [q('redis_queue_oldest_job_age_seconds', 'default')]: '5+0x19 60+0x1 5+0x60',
    [q('redis_queue_wait_objective_seconds', 'default')]: '30+0x90',
    [q('redis_queue_wait_objective_ratio', 'default')]: '0.99+0x90',
    // A tenth may be bad.
    [q('redis_queue_oldest_job_age_seconds', 'relaxed')]: '5+0x19 60+0x1 5+0x60',
    [q('redis_queue_wait_objective_seconds', 'relaxed')]: '30+0x90',
    [q('redis_queue_wait_objective_ratio', 'relaxed')]: '0.9+0x90',
  }, {
    '9h': [],
    '12h': [burn('1d', '2h', '8%')],
    '14h': [burn('3d', '6h', '6.897%')],
    '20h': [],
  }),

  t.case('QueuefleetMonitoringBudgetBurn', {
    ['up{%s}' % t.exporter]: '1+0x19 0+0x1 1+0x60',
  }, {
    '9h': [],
    '12h': [monitoring('1d', '2h', '8%')],
    '14h': [monitoring('3d', '6h', '6.897%')],
    '20h': [],
  }),

  t.case('RedisLatencyAbnormal', {
    [c('redis_ping_duration_seconds')]: '0.002+0x29 0.05+0x4 0.002+0x60',
    // Twice as slow, and still fast.
    [c('redis_ping_duration_seconds', 'shop-us')]: '0.001+0x29 0.004+0x70',
    // Slow, and always was.
    [c('redis_ping_duration_seconds', 'shop-ap')]: '0.05+0x100',
  }, {
    '14h': [],
    '16h': [onConnection('info', 'A round trip to shop-eu takes 50ms on average of half an hour, far above its day.')],
    '20h': [],
  }),

  t.case('RedisBlockedClientsHigh', {
    [c('redis_blocked_clients')]: '30+0x59 100+0x9 30+0x60',
    [c('redis_blocked_clients', 'shop-us')]: '30+0x59 50+0x80',
    [c('redis_blocked_clients', 'shop-ap')]: '2+0x59 10+0x80',
  }, {
    '29h': [],
    '33h': [onConnection('info', '100 clients of shop-eu wait in blocking commands, on average of half an hour.')],
    '40h': [],
  }),

  t.case('RedisReplicaMissing', {
    [c('redis_connected_slaves')]: '2+0x9 1+0x9 2+0x60',
    // One more than before; never had any.
    [c('redis_connected_slaves', 'shop-us')]: '1+0x9 2+0x70',
    [c('redis_connected_slaves', 'shop-ap')]: '0+0x80',
  }, {
    '4h': [],
    '7h': [onConnection('warning', 'shop-eu has 1 replicas and had more within the last day.')],
    '12h': [],
  }),

  t.case('RedisReplicaMissing', {
    [c('redis_connected_slaves')]: '2+0x9 1+0x90',
  }, {
    '20h': [onConnection('warning', 'shop-eu has 1 replicas and had more within the last day.')],
    '40h': [],
  }, 'a replica that was removed is forgotten after a day'),

  t.case('RedisQueueFailedJobsPilingUp', {
    [q('redis_queue_jobs', 'default', 'state="failed"')]: '10+0x9 200+0x9 0+0x60',
    [q('redis_queue_jobs', 'mail', 'state="failed"')]: '10+0x9 105+0x60',
  }, {
    '4h': [],
    '7h': [onQueue('warning', 'default (shop on shop-eu) has gathered 190 failed jobs within the last day.')],
    '12h': [],
  }),

  t.case('QueuefleetSupervisorAbsent', {
    ['up{%s}' % t.supervisor]: '1+0x7 stale',
  }, {
    '3h': [],
    '6h': [{ severity: 'critical', labels: {}, description: 'There is no target of a supervisor, and there was one within the last day. Either its job was removed from Prometheus, or service discovery finds none.' }],
    '32h': [],
  }),

  t.case('QueuefleetSupervisorAbsent', {
    ['up{%s}' % t.exporter]: '1+0x60',
  }, {
    '20h': [],
  }, 'who runs none is not told'),
], needs=['queuefleet-connection.rules', 'queuefleet-queue.rules', 'queuefleet-queue-slo.rules', 'queuefleet-queue-slo-30m.rules', 'queuefleet-queue-slo-long.rules', 'queuefleet-slices-30m.rules', 'queuefleet-monitoring.rules', 'queuefleet-monitoring-30m.rules', 'queuefleet-monitoring-long.rules', 'queuefleet-connection', 'queuefleet-server', 'queuefleet-queue', 'queuefleet-queue-slo', 'queuefleet-supervisor', 'queuefleet-monitoring'], every='30m')
