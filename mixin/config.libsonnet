// Everything that can be set, key by key.
{
  _config+:: {
    // ---- What is looked at ------------------------------------------------

    // Selectors of the series, without braces; never empty. They keep series
    // of other programs with the same names (redis_exporter) apart.
    // The fleet: connections, queues, applications, from /metrics or /probe.
    redisSelector: 'job=~".*queuefleet.*"',
    // The exporter about itself.
    exporterSelector: 'job=~".*queuefleet.*exporter.*"',
    // The supervisor: itself and its pools.
    supervisorSelector: 'job=~".*queuefleet.*supervisor.*"',
    // Prometheus itself and Alertmanager, for the watch over the watchers.
    prometheusSelector: 'job=~".*prometheus.*"',
    alertmanagerSelector: 'job=~".*alertmanager.*"',

    // Labels that set fleets apart, widest first. They become variables of
    // the dashboards, selectors of their queries, and are kept by every
    // aggregation. Labels that Prometheus adds ("cluster") may be put first.
    scopeLabels: ['environment', 'region'],

    // What identifies a connection, a queue and a pool; made from the above.
    connectionLabels: self.scopeLabels + ['team', 'connection'],
    queueLabels: self.scopeLabels + ['team', 'application', 'connection', 'queue'],
    poolLabels: self.scopeLabels + ['team', 'application', 'connection', 'pool'],
    supervisorLabels: ['job', 'instance'],

    // ---- Alerts and rules --------------------------------------------------

    // Scrape interval of the programs; every window is at least four of it.
    scrapeInterval: '15s',

    // ---- Links -------------------------------------------------------------

    // Where an alert's runbook is found; %s is the alert's name.
    runbookURLPattern: 'https://github.com/queuefleet/queuefleet/blob/main/mixin/runbooks/%s.md',
    // Addresses of Grafana, Prometheus and Alertmanager, without a slash at
    // the end. Empty: alerts carry no link to them.
    grafanaURL: '',
    prometheusURL: '',
    alertmanagerURL: '',

    // ---- Dashboards --------------------------------------------------------

    // ---- Alertmanager ------------------------------------------------------
  },
}
