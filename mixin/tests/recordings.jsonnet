// Recordings: what they keep, what they collapse, what stays absent.
local t = import 'lib.libsonnet';
local c(metric, name='shop-eu', more='') = t.connection(metric, name, more);
local second(series) = std.strReplace(series, t.exporter, t.exporter2);
local q(metric, name, more='') = t.queue(metric, name, more);
local p(metric, name, more='') = t.pool(metric, name, more);
local host2(series) = std.strReplace(series, t.supervisor, t.supervisor2);
local of(name, labels, value) = { labels: name + '{' + labels + '}', value: value };
local eu = t.place + ', connection="shop-eu"';
local queue(name) = t.place + ', application="shop", connection="shop-eu", queue="%s"' % name;
local pool(name) = t.place + ', application="shop", connection="shop-eu", pool="%s"' % name;
local application = t.place + ', application="shop"';

t.file([
  t.expressions('two exporters and the nodes of a Cluster are one connection', {
    [c('redis_up')]: '0+0x20',
    [second(c('redis_up'))]: '1+0x20',
    [c('redis_commands_processed_total', more='node="a"')]: '0+600x20',
    [second(c('redis_commands_processed_total', more='node="a"'))]: '0+600x20',
    [c('redis_commands_processed_total', more='node="b"')]: '0+1200x20',
    [c('redis_memory_used_bytes', more='node="a"')]: '100+0x20',
    [c('redis_memory_max_bytes', more='node="a"')]: '1000+0x20',
    [c('redis_memory_used_bytes', more='node="b"')]: '300+0x20',
    [c('redis_memory_max_bytes', more='node="b"')]: '400+0x20',
    [c('redis_memory_used_bytes', 'unlimited')]: '300+0x20',
    [c('redis_memory_max_bytes', 'unlimited')]: '0+0x20',
    [c('redis_connected_clients', more='node="a"')]: '20+0x20',
    [c('redis_config_maxclients', more='node="a"')]: '100+0x20',
    [c('redis_probes_total')]: '0+4x20',
    [second(c('redis_probes_total'))]: '0+4x20',
    [c('redis_probe_failures_total', more='reason="timeout"')]: '0+4x20',
    [second(c('redis_probe_failures_total', more='reason="timeout"'))]: '0+0x20',
  }, [
    { expr: 'connection:redis_up:max', at: '10m', samples: [of('connection:redis_up:max', eu, 1)] },
    { expr: 'connection:redis_commands_processed:rate5m', at: '10m', samples: [of('connection:redis_commands_processed:rate5m', eu, 30)] },
    { expr: 'connection:redis_memory_used:ratio', at: '10m', samples: [of('connection:redis_memory_used:ratio', eu, 0.75)] },
    { expr: 'connection:redis_clients:ratio', at: '10m', samples: [of('connection:redis_clients:ratio', eu, 0.2)] },
    { expr: 'connection:redis_probe_failures:ratio_rate5m', at: '10m', samples: [of('connection:redis_probe_failures:ratio_rate5m', eu, 0.5)] },
  ]),

  t.expressions('waiting is exact where that is known, and absent where nothing is', {
    [q('redis_queue_oldest_job_age_seconds', 'exact')]: '40+0x20',
    [q('redis_queue_oldest_job_age_lower_bound_seconds', 'exact')]: '15+0x20',
    [q('redis_queue_wait_objective_seconds', 'exact')]: '30+0x20',
    [q('redis_queue_oldest_job_age_lower_bound_seconds', 'bound')]: '15+0x20',
    [q('redis_queue_wait_objective_seconds', 'bound')]: '30+0x20',
    [q('redis_queue_wait_objective_seconds', 'unknown')]: '30+0x20',
  }, [
    { expr: 'queue:redis_queue_waiting_seconds:max', at: '10m', samples: [
      of('queue:redis_queue_waiting_seconds:max', queue('exact'), 40),
      of('queue:redis_queue_waiting_seconds:max', queue('bound'), 15),
    ] },
    { expr: 'queue:redis_queue_wait_breached:bool', at: '10m', samples: [
      of('queue:redis_queue_wait_breached:bool', queue('exact'), 1),
      of('queue:redis_queue_wait_breached:bool', queue('bound'), 0),
    ] },
    { expr: 'application:redis_queue_waiting_seconds:max', at: '10m', samples: [of('application:redis_queue_waiting_seconds:max', application, 40)] },
  ]),

  t.expressions('workers are counted by supervisors and by registries, and not twice', {
    // Two supervisors, 3 + 2.
    [t.served('queue_serving_workers', 'default')]: '3+0x20',
    [host2(t.served('queue_serving_workers', 'default'))]: '2+0x20',
    [p('workers_max', 'shop')]: '5+0x20',
    [host2(p('workers_max', 'shop'))]: '5+0x20',
    [p('worker_starts_total', 'shop')]: '9+0x20',
    [host2(p('worker_starts_total', 'shop'))]: '9+0x20',
    // The registry sees those of the supervisor and one more.
    [q('redis_queue_workers', 'default')]: '6+0x20',
    [q('redis_queue_workers', 'registry')]: '4+0x20',
    [second(q('redis_queue_workers', 'registry'))]: '4+0x20',
    [q('redis_queue_jobs', 'uncounted', 'state="ready"')]: '4+0x20',
  }, [
    { expr: 'queue:redis_queue_workers:max', at: '10m', samples: [
      of('queue:redis_queue_workers:max', queue('default'), 6),
      of('queue:redis_queue_workers:max', queue('registry'), 4),
    ] },
  ]),

  t.expressions('a pool that cannot start counts its workers, one that observes does not', {
    [t.served('queue_serving_workers', 'default')]: '0+0x20',
    [p('workers_max', 'shop')]: '5+0x20',
    [p('worker_starts_total', 'shop')]: '0+0x20',
    [p('cannot_start', 'shop', 'reason="bad_user"')]: '1+0x20',
    [host2(t.served('queue_serving_workers', 'observed'))]: '0+0x20',
    [host2(p('workers_max', 'observed'))]: '5+0x20',
    [host2(p('worker_starts_total', 'observed'))]: '0+0x20',
    [host2(p('cannot_start', 'observed', 'reason="bad_user"'))]: '0+0x20',
  }, [
    { expr: 'queue:redis_queue_workers:max', at: '10m', samples: [of('queue:redis_queue_workers:max', queue('default'), 0)] },
  ]),

  t.expressions('a queue is paused when all of its pools are, or the framework is', {
    [t.served('pool_queue_info', 'default', 'pool="a"')]: '1+0x20',
    [t.served('pool_queue_info', 'default', 'pool="b"')]: '1+0x20',
    [t.served('pool_queue_info', 'mail', 'pool="a"')]: '1+0x20',
    [p('paused', 'a')]: '1+0x20',
    [p('paused', 'b')]: '0+0x20',
    [q('redis_queue_paused', 'reports')]: '1+0x20',
  }, [
    { expr: 'queue:redis_queue_paused:max', at: '10m', samples: [
      of('queue:redis_queue_paused:max', queue('default'), 0),
      of('queue:redis_queue_paused:max', queue('mail'), 1),
      of('queue:redis_queue_paused:max', queue('reports'), 1),
    ] },
  ]),

  // An hour, of which 30 minutes were bad.
  t.expressions('budgets', {
    [q('redis_queue_oldest_job_age_seconds', 'half')]: '60+0x29 5+0x29',
    [q('redis_queue_wait_objective_seconds', 'half')]: '30+0x60',
    [q('redis_queue_wait_objective_ratio', 'half')]: '0.75+0x60',
    [q('redis_queue_oldest_job_age_seconds', 'good')]: '5+0x60',
    [q('redis_queue_wait_objective_seconds', 'good')]: '30+0x60',
    [q('redis_queue_wait_objective_ratio', 'good')]: '0.75+0x60',
  }, [
    { expr: 'queue:redis_queue_wait_breached:avg2h', at: '59m', samples: [
      of('queue:redis_queue_wait_breached:avg2h', queue('half'), 0.5),
      of('queue:redis_queue_wait_breached:avg2h', queue('good'), 0),
    ] },
    { expr: 'queue:redis_queue_wait_budget_remaining:ratio30d', at: '10m', samples: [
      of('queue:redis_queue_wait_budget_remaining:ratio30d', queue('half'), -3),
      of('queue:redis_queue_wait_budget_remaining:ratio30d', queue('good'), 1),
    ] },
    { expr: 'application:redis_queue_wait_budget_remaining:min30d', at: '10m', samples: [of('application:redis_queue_wait_budget_remaining:min30d', application, -3)] },
  ]),

  t.expressions('pools over all supervisors', {
    [p('workers', 'shop', 'state="running"')]: '3+0x20',
    [host2(p('workers', 'shop', 'state="running"'))]: '2+0x20',
    [p('workers_busy', 'shop')]: '1+0x20',
    [p('jobs_processed_total', 'shop', 'result="processed"')]: '0+90x20',
    [p('jobs_processed_total', 'shop', 'result="failed"')]: '0+30x20',
    [p('jobs_processed_total', 'shop', 'result="released"')]: '0+600x20',
    [p('jobs_processed_total', 'idle', 'result="processed"')]: '0+0x20',
    [p('jobs_processed_total', 'idle', 'result="failed"')]: '0+0x20',
    [p('worker_exits_total', 'shop', 'reason="error"')]: '0+6x20',
    [p('worker_exits_total', 'shop', 'reason="max_jobs"')]: '0+60x20',
  }, [
    { expr: 'pool:queuefleet_supervisor_workers_running:sum', at: '10m', samples: [of('pool:queuefleet_supervisor_workers_running:sum', pool('shop'), 5)] },
    { expr: 'pool:queuefleet_supervisor_workers_busy:sum', at: '10m', samples: [of('pool:queuefleet_supervisor_workers_busy:sum', pool('shop'), 1)] },
    { expr: 'pool:queuefleet_supervisor_jobs_processed:rate5m', at: '10m', samples: [
      of('pool:queuefleet_supervisor_jobs_processed:rate5m', pool('shop'), 2),
      of('pool:queuefleet_supervisor_jobs_processed:rate5m', pool('idle'), 0),
    ] },
    // Of nothing there is no ratio.
    { expr: 'pool:queuefleet_supervisor_jobs_failed:ratio_rate5m', at: '10m', samples: [of('pool:queuefleet_supervisor_jobs_failed:ratio_rate5m', pool('shop'), 0.25)] },
    { expr: 'application:queuefleet_supervisor_jobs_failed:ratio_rate5m', at: '10m', samples: [of('application:queuefleet_supervisor_jobs_failed:ratio_rate5m', application, 0.25)] },
    { expr: 'pool:queuefleet_supervisor_worker_bad_exits:rate5m', at: '10m', samples: [of('pool:queuefleet_supervisor_worker_bad_exits:rate5m', pool('shop'), 0.1)] },
  ]),

  t.expressions('the monitoring is as good as its weakest part, of those that are measured', {
    ['up{%s}' % t.exporter]: '1+0x20',
    ['up{%s}' % t.supervisor]: '0+0x20',
    [c('redis_up')]: '1+0x20',
    [c('queuefleet_exporter_collector_success', more='collector="info"')]: '1+0x20',
  }, [
    { expr: 'queuefleet:scrapes_delivered:ratio_avg5m', at: '10m', samples: [of('queuefleet:scrapes_delivered:ratio_avg5m', '', 0.5)] },
    { expr: 'queuefleet:probes_decided:ratio_avg5m', at: '10m', samples: [of('queuefleet:probes_decided:ratio_avg5m', '', 1)] },
    { expr: 'queuefleet:rules_evaluated:ratio_avg5m', at: '10m', samples: [] },
    { expr: 'queuefleet:monitoring_availability:ratio_avg5m', at: '10m', samples: [of('queuefleet:monitoring_availability:ratio_avg5m', '', 0.5)] },
  ]),

  // Down for two minutes: that is known. Afterwards half of what it tells is not.
  t.expressions('a connection that is down is a verdict, figures that were refused are none', {
    [c('redis_up')]: '1+0x5 0+0x2 1+0x30',
    [c('queuefleet_exporter_collector_success', more='collector="info"')]: '1+0x5 0+0x2 1+0x30',
    [c('queuefleet_exporter_collector_success', more='collector="slowlog"')]: '1+0x5 0+0x2 1+0x5 0+0x30',
  }, [
    { expr: 'queuefleet:probes_decided:ratio_avg5m', at: '11m', samples: [of('queuefleet:probes_decided:ratio_avg5m', '', 1)] },
    { expr: 'queuefleet:probes_decided:ratio_avg5m', at: '30m', samples: [of('queuefleet:probes_decided:ratio_avg5m', '', 0)] },
  ]),
], needs=['queuefleet-connection.rules', 'queuefleet-queue.rules', 'queuefleet-queue-slo.rules', 'queuefleet-queue-slo-30m.rules', 'queuefleet-queue-slo-long.rules', 'queuefleet-pool.rules', 'queuefleet-application.rules', 'queuefleet-monitoring.rules'])
