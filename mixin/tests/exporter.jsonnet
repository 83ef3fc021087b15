local t = import 'lib.libsonnet';
local program(severity, description, labels={}) = { severity: severity, labels: { job: 'queuefleet', instance: 'exporter-1:10379' } + labels, description: description };
local own(metric, more='') = 'queuefleet_exporter_%s{%s%s}' % [metric, t.exporter, t.comma(more)];
local other(metric, more='') = 'queuefleet_exporter_%s{%s%s}' % [metric, t.exporter2, t.comma(more)];
local prometheus = 'job="prometheus", instance="prometheus:9090"';
local group(metric, name) = '%s{%s, rule_group="/etc/prometheus/queuefleet.yaml;%s"}' % [metric, prometheus, name];
local onPrometheus(severity, description, labels={}) = { severity: severity, labels: { job: 'prometheus', instance: 'prometheus:9090' } + labels, description: description };
local alertmanager(metric, integration) = '%s{job="alertmanager", instance="alertmanager:9093", integration="%s", receiver="team"}' % [metric, integration];

t.file([
  t.case('QueuefleetExporterDown', {
    ['up{%s}' % t.exporter]: '1+0x4 0+0x20 1+0x40',
    // Probed connection by connection: one probe that fails is not the exporter.
    ['up{%s, connection="a"}' % t.exporter2]: '0+0x60',
    ['up{%s, connection="b"}' % t.exporter2]: '1+0x60',
    ['up{%s}' % t.supervisor]: '0+0x60',
  }, {
    '8m': [],
    '15m': [program('critical', 'Exporter exporter-1:10379 has not been scraped for two minutes. Unless another one probes the same connections, nothing is known of them.')],
    '35m': [],
  }),

  t.case('QueuefleetExporterAbsent', {
    ['up{%s}' % t.exporter]: '1+0x4 stale _x30 1+0x40',
    // No substitute.
    ['up{%s}' % t.supervisor]: '1+0x80',
  }, {
    '12m': [],
    '25m': [{ severity: 'critical', labels: {}, description: 'There is no target of an exporter. Either its job was removed from Prometheus, or service discovery finds none.' }],
    '50m': [],
  }),

  t.case('QueuefleetExporterCollectErrors', {
    [t.connection('redis_up', 'shop-eu')]: '1+0x90',
    [t.connection('queuefleet_exporter_collector_success', 'shop-eu', 'collector="slowlog"')]: '1+0x4 0+0x40 1+0x40',
    [t.connection('queuefleet_exporter_collector_success', 'shop-eu', 'collector="info"')]: '1+0x90',
    [t.connection('redis_up', 'shop-us')]: '0+0x90',
    [t.connection('queuefleet_exporter_collector_success', 'shop-us', 'collector="info"')]: '0+0x90',
  }, {
    '18m': [],
    '35m': [{ severity: 'warning', labels: t.connectionLabels('shop-eu') { collector: 'slowlog' }, description: 'The collector slowlog has failed on shop-eu for five minutes, although the server answers.' }],
    '60m': [],
  }),

  t.case('QueuefleetExporterReloadFailed', {
    [own('config_last_reload_successful')]: '1+0x4 0+0x30 1+0x40',
    [other('config_last_reload_successful')]: '1+0x4 0+0x3 1+0x70',
  }, {
    '12m': [],
    '25m': [program('critical', 'Exporter exporter-1:10379 goes on with its last good configuration. After a restart it would not start.')],
    '50m': [],
  }),

  t.case('QueuefleetExporterFragmentBroken', {
    [own('config_fragment_last_reload_successful', 'file="conf.d/shop.yml"')]: '1+0x4 0+0x30 1+0x40',
    [own('config_fragment_last_reload_successful', 'file="conf.d/crm.yml"')]: '1+0x80',
  }, {
    '12m': [],
    '25m': [program('warning', 'conf.d/shop.yml is broken; exporter exporter-1:10379 uses its last good version, if there was one.', { file: 'conf.d/shop.yml' })],
    '50m': [],
  }),

  t.case('QueuefleetExporterScrapeSlow', {
    [own('scrape_duration_seconds')]: '9+0x40 2+0x40',
    [own('scrape_timeout_seconds')]: '9.5+0x80',
    [other('scrape_duration_seconds')]: '7+0x80',
    [other('scrape_timeout_seconds')]: '9.5+0x80',
  }, {
    '12m': [],
    '25m': [program('warning', 'A scrape of exporter exporter-1:10379 takes 9s; connections that are not done at the timeout count as down.')],
    '60m': [],
  }),

  t.case('QueuefleetExporterSeriesDropped', {
    [own('series_dropped_total')]: '0+0x20 3+0x90',
    [other('series_dropped_total')]: '3+0x110',
  }, {
    '20m': [],
    '30m': [program('warning', 'Exporter exporter-1:10379 left out 3 series in 15 minutes; nothing watches these queues.')],
    '80m': [],
  }),

  t.case('QueuefleetMonitoringRulesFailing', {
    [group('prometheus_rule_evaluation_failures_total', 'queuefleet-queue.rules')]: '0+0x4 1+1x15 16+0x40',
    // Somebody else's.
    [group('prometheus_rule_evaluation_failures_total', 'node')]: '0+1x60',
  }, {
    '6m': [],
    '18m': [onPrometheus('critical', 'Prometheus prometheus:9090 failed 5 times within five minutes to evaluate rules of /etc/prometheus/queuefleet.yaml;queuefleet-queue.rules: alerts of this group may be missing.', { rule_group: '/etc/prometheus/queuefleet.yaml;queuefleet-queue.rules' })],
    '40m': [],
  }),

  t.case('QueuefleetMonitoringRulesSlow', {
    [group('prometheus_rule_group_last_duration_seconds', 'queuefleet-queue.rules')]: '70+0x40 2+0x40',
    [group('prometheus_rule_group_interval_seconds', 'queuefleet-queue.rules')]: '60+0x80',
    [group('prometheus_rule_group_last_duration_seconds', 'queuefleet-pool.rules')]: '50+0x80',
    [group('prometheus_rule_group_interval_seconds', 'queuefleet-pool.rules')]: '60+0x80',
  }, {
    '12m': [],
    '30m': [onPrometheus('warning', 'Prometheus prometheus:9090 needs 1m 10s for /etc/prometheus/queuefleet.yaml;queuefleet-queue.rules and skips evaluations: alerts come late.', { rule_group: '/etc/prometheus/queuefleet.yaml;queuefleet-queue.rules' })],
    '60m': [],
  }),

  t.case('QueuefleetMonitoringNotifyFailing', {
    [alertmanager('alertmanager_notifications_total', 'slack')]: '0+4x80',
    [alertmanager('alertmanager_notifications_failed_total', 'slack')]: '0+1x40 40+0x40',
    [alertmanager('alertmanager_notifications_total', 'email')]: '0+4x80',
    [alertmanager('alertmanager_notifications_failed_total', 'email')]: '0+0x80',
  }, {
    '4m': [],
    '20m': [{ severity: 'critical', labels: { job: 'alertmanager', instance: 'alertmanager:9093', integration: 'slack' }, description: '25% of the messages of Alertmanager alertmanager:9093 to slack fail.' }],
    '60m': [],
  }),

  t.case('QueuefleetMonitoringAlertsDropped', {
    ['prometheus_notifications_dropped_total{%s}' % prometheus]: '0+0x4 2+2x15 32+0x40',
    'prometheus_notifications_dropped_total{job="prometheus", instance="other:9090"}': '7+0x60',
  }, {
    '6m': [],
    '18m': [onPrometheus('critical', 'Prometheus prometheus:9090 dropped 10 alerts within five minutes. You may see this on a dashboard only.')],
    '40m': [],
  }),

  t.case('QueuefleetWatchdog', {}, {
    '0m': [{ severity: 'none', labels: {}, description: 'This alert fires all the time. It is sent to a service outside, which raises the alarm when it hears nothing.' }],
    '10m': [{ severity: 'none', labels: {}, description: 'This alert fires all the time. It is sent to a service outside, which raises the alarm when it hears nothing.' }],
  }),
], needs=['queuefleet-connection.rules', 'queuefleet-exporter', 'queuefleet-monitoring'])
