// Exporters, and the way from them to a message.
function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local t = config.thresholds;
  local program = s.by.supervisor;
  local ours = 'rule_group=~".*;queuefleet-.*"';

  local exporter = [
    {
      name: 'QueuefleetExporterDown',
      severity: 'critical',
      'for': '3m',
      dashboard: 'internals',
      // Probed connection by connection, one exporter has many targets.
      expr: 'max by (%s) (max_over_time(up{%s}[2m])) == 0' % [program, s.exporter],
      summary: 'An exporter does not answer.',
      description: 'Exporter {{ $labels.instance }} has not been scraped for two minutes. Unless another one probes the same connections, nothing is known of them.',
    },
    {
      name: 'QueuefleetExporterAbsent',
      severity: 'critical',
      'for': '10m',
      dashboard: 'internals',
      expr: 'absent(up{%s})' % s.exporter,
      summary: 'Prometheus knows no exporter of Queuefleet.',
      description: 'There is no target of an exporter. Either its job was removed from Prometheus, or service discovery finds none.',
    },
    {
      name: 'QueuefleetExporterCollectErrors',
      severity: 'warning',
      'for': '15m',
      dashboard: 'internals',
      // Of connections that answer: a dead one has an alert of its own.
      expr: |||
        max by (%(connection)s, collector) (max_over_time(queuefleet_exporter_collector_success{%(redis)s}[5m])) == 0
        and on (%(connection)s)
        max_over_time(connection:redis_up:max[5m]) == 1
      ||| % { connection: s.by.connection, redis: s.redis },
      summary: 'Some figures of a connection cannot be read.',
      description: 'The collector {{ $labels.collector }} has failed on {{ $labels.connection }} for five minutes, although the server answers.',
    },
    {
      name: 'QueuefleetExporterReloadFailed',
      severity: 'critical',
      'for': '10m',
      dashboard: 'internals',
      expr: 'max by (%s) (max_over_time(queuefleet_exporter_config_last_reload_successful{%s}[5m])) == 0' % [program, s.exporter],
      summary: 'An exporter has refused its configuration.',
      description: 'Exporter {{ $labels.instance }} goes on with its last good configuration. After a restart it would not start.',
    },
    {
      name: 'QueuefleetExporterFragmentBroken',
      severity: 'warning',
      'for': '10m',
      dashboard: 'internals',
      expr: 'max by (%s, file) (max_over_time(queuefleet_exporter_config_fragment_last_reload_successful{%s}[5m])) == 0' % [program, s.exporter],
      summary: 'An exporter goes on with the last good version of an included file.',
      description: '{{ $labels.file }} is broken; exporter {{ $labels.instance }} uses its last good version, if there was one.',
    },
    {
      name: 'QueuefleetExporterScrapeSlow',
      severity: 'warning',
      'for': '15m',
      dashboard: 'internals',
      expr: |||
        max by (%(program)s) (avg_over_time(queuefleet_exporter_scrape_duration_seconds{%(exporter)s}[5m]))
        >
        %(share)g * max by (%(program)s) (max_over_time(queuefleet_exporter_scrape_timeout_seconds{%(exporter)s}[5m]))
      ||| % { program: program, exporter: s.exporter, share: t.scrapeTimeRatio },
      summary: 'Scrapes of an exporter take nearly as long as they may.',
      description: 'A scrape of exporter {{ $labels.instance }} takes {{ $value | humanizeDuration }}; connections that are not done at the timeout count as down.',
    },
    {
      name: 'QueuefleetExporterSeriesDropped',
      severity: 'warning',
      keep: '30m',
      dashboard: 'internals',
      expr: 'max by (%s) (increase(queuefleet_exporter_series_dropped_total{%s}[15m])) > 0' % [program, s.exporter],
      summary: 'An exporter leaves queues, databases or replicas out because of a limit.',
      description: 'Exporter {{ $labels.instance }} left out {{ $value | printf "%.0f" }} series in 15 minutes; nothing watches these queues.',
    },
  ];

  local monitoring = [
    {
      name: 'QueuefleetMonitoringRulesFailing',
      severity: 'critical',
      'for': '5m',
      dashboard: 'internals',
      expr: 'sum by (job, instance, rule_group) (increase(prometheus_rule_evaluation_failures_total{%s, %s}[5m])) > 0' % [s.prometheus, ours],
      summary: 'Prometheus cannot evaluate rules of Queuefleet.',
      description: 'Prometheus {{ $labels.instance }} failed {{ $value | printf "%.0f" }} times within five minutes to evaluate rules of {{ $labels.rule_group }}: alerts of this group may be missing.',
    },
    {
      name: 'QueuefleetMonitoringRulesSlow',
      severity: 'warning',
      'for': '15m',
      dashboard: 'internals',
      expr: |||
        max by (job, instance, rule_group) (max_over_time(prometheus_rule_group_last_duration_seconds{%(prometheus)s, %(ours)s}[5m]))
        >
        max by (job, instance, rule_group) (max_over_time(prometheus_rule_group_interval_seconds{%(prometheus)s, %(ours)s}[5m]))
      ||| % { prometheus: s.prometheus, ours: ours },
      summary: 'Rules of Queuefleet take longer than the time between two evaluations.',
      description: 'Prometheus {{ $labels.instance }} needs {{ $value | humanizeDuration }} for {{ $labels.rule_group }} and skips evaluations: alerts come late.',
    },
    {
      name: 'QueuefleetMonitoringNotifyFailing',
      severity: 'critical',
      'for': '5m',
      dashboard: 'internals',
      expr: |||
        sum by (job, instance, integration) (rate(alertmanager_notifications_failed_total{%(alertmanager)s}[5m]))
        /
        (sum by (job, instance, integration) (rate(alertmanager_notifications_total{%(alertmanager)s}[5m])) > 0)
        > 0.01
      ||| % { alertmanager: s.alertmanager },
      summary: 'Alertmanager cannot deliver messages.',
      description: '{{ $value | humanizePercentage }} of the messages of Alertmanager {{ $labels.instance }} to {{ $labels.integration }} fail.',
    },
    {
      name: 'QueuefleetMonitoringAlertsDropped',
      severity: 'critical',
      'for': '5m',
      dashboard: 'internals',
      expr: 'sum by (job, instance) (increase(prometheus_notifications_dropped_total{%s}[5m])) > 0' % s.prometheus,
      summary: 'Prometheus cannot hand its alerts to any Alertmanager.',
      description: 'Prometheus {{ $labels.instance }} dropped {{ $value | printf "%.0f" }} alerts within five minutes. You may see this on a dashboard only.',
    },
    {
      name: 'QueuefleetWatchdog',
      severity: 'none',
      dashboard: 'internals',
      expr: 'vector(1)',
      summary: 'Always fires, so that its absence tells that alerts do not arrive.',
      description: 'This alert fires all the time. It is sent to a service outside, which raises the alarm when it hears nothing.',
    },
  ];

  { exporter: exporter, monitoring: monitoring }
