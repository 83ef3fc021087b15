local t = import 'lib.libsonnet';
local q(metric, name) = t.queue(metric, name);
local fires(name, severity, long, short, share) = {
  severity: severity,
  labels: t.queueLabels(name) { long: long, short: short },
  description: 'In %s of the last %s the oldest job of %s (shop on shop-eu) had waited longer than allowed: its budget of 30 days is spent too fast.' % [share, long, name],
};
local monitoring(severity, long, short, share) = {
  severity: severity,
  labels: { long: long, short: short },
  description: 'For %s of the last %s scrapes did not come, figures of connections were not read or rules were not evaluated.' % [share, long],
};
// Late for 21 minutes from the start, with 30 s allowed.
local late(name, objective, ages='60+0x20 5+0x60') = {
  [q('redis_queue_oldest_job_age_seconds', name)]: ages,
  [q('redis_queue_wait_objective_seconds', name)]: '30+0x100',
  [q('redis_queue_wait_objective_ratio', name)]: objective + '+0x100',
};

t.file([
  t.case('RedisQueueWaitBudgetBurn',
         late('default', '0.99') +
         // 14.4 times 10 % could never be exceeded, nor 6 times 50 %.
         late('relaxed', '0.9') +
         late('loose', '0.5') +
         late('strict', '0.9999') +
         // Six bad minutes of an hour are 10 %, below 14.4 %.
         late('brief', '0.99', '5+0x49 60+0x5 5+0x60') +
         // Exactly as old as it may be.
         late('punctual', '0.99', '30+0x100') +
         late('paused', '0.99') { [q('redis_queue_paused', 'paused')]: '1+0x100' } +
         // Late by the lower bound.
         late('bound', '0.99', '_x100') { [q('redis_queue_oldest_job_age_lower_bound_seconds', 'bound')]: '60+0x20 5+0x60' },
         {
           '1m': [],
           '10m': [
             fires('bound', 'critical', '1h', '5m', '100%'),
             fires('default', 'critical', '1h', '5m', '100%'),
             fires('strict', 'critical', '1h', '5m', '100%'),
           ],
           '18m': [
             fires('bound', 'critical', '1h', '5m', '100%'),
             fires('default', 'critical', '1h', '5m', '100%'),
             fires('strict', 'critical', '1h', '5m', '100%'),
             fires('bound', 'critical', '6h', '30m', '100%'),
             fires('default', 'critical', '6h', '30m', '100%'),
             fires('loose', 'critical', '6h', '30m', '100%'),
             fires('relaxed', 'critical', '6h', '30m', '100%'),
             fires('strict', 'critical', '6h', '30m', '100%'),
           ],
           '40m': [
             fires('bound', 'critical', '6h', '30m', '51.22%'),
             fires('default', 'critical', '6h', '30m', '51.22%'),
             fires('strict', 'critical', '6h', '30m', '51.22%'),
           ],
           '56m': [],
         }),

  t.case('QueuefleetMonitoringBudgetBurn', {
    ['up{%s}' % t.exporter]: '0+0x20 1+0x60',
  }, {
    '1m': [],
    '8m': [monitoring('critical', '1h', '5m', '100%')],
    '18m': [monitoring('critical', '1h', '5m', '100%'), monitoring('critical', '6h', '30m', '100%')],
    '58m': [],
  }, 'scrapes that do not come'),

  t.case('QueuefleetMonitoringBudgetBurn', {
    ['up{%s}' % t.exporter]: '1+0x60',
    [t.connection('redis_up', 'shop-eu')]: '1+0x60',
    [t.connection('queuefleet_exporter_collector_success', 'shop-eu', 'collector="info"')]: '1+0x60',
    [t.connection('queuefleet_exporter_collector_success', 'shop-eu', 'collector="queues"')]: '0+0x9 1+0x60',
    // Half of the connections: down is a verdict as well.
    [t.connection('redis_up', 'shop-us')]: '0+0x60',
    [t.connection('queuefleet_exporter_collector_success', 'shop-us', 'collector="info"')]: '0+0x60',
  }, {
    '1m': [],
    '8m': [monitoring('critical', '1h', '5m', '50%')],
    '50m': [],
  }, 'figures that are not read'),

  t.case('QueuefleetMonitoringBudgetBurn', {
    ['up{%s}' % t.exporter]: '1+0x60',
    [t.connection('redis_up', 'shop-us')]: '0+0x60',
    [t.connection('queuefleet_exporter_collector_success', 'shop-us', 'collector="info"')]: '0+0x60',
  }, {
    '10m': [],
    '30m': [],
  }, 'a server that is down is none of it'),
], needs=['queuefleet-connection.rules', 'queuefleet-queue.rules', 'queuefleet-queue-slo.rules', 'queuefleet-queue-slo-30m.rules', 'queuefleet-queue-slo-long.rules', 'queuefleet-queue-slo', 'queuefleet-monitoring.rules', 'queuefleet-monitoring-30m.rules', 'queuefleet-monitoring-long.rules', 'queuefleet-monitoring'])
