// Everything that can be set, key by key.
{
  _config+:: {
    // ---- What is looked at ------------------------------------------------

    // Selectors of the series, without braces; never empty. They keep series
    // of other programs with the same names (redis_exporter) apart.
    // The fleet: connections, queues, applications, from /metrics or /probe.
    redisSelector: 'job=~".*queuefleet.*"',
    // The exporter about itself. One job may hold the fleet and the exporter,
    // so whatever of Queuefleet is no supervisor counts.
    exporterSelector: 'job=~".*queuefleet.*", job!~".*supervisor.*"',
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
    // What identifies an exporter and a supervisor: labels of their targets.
    supervisorLabels: self.scopeLabels + ['job', 'instance'],

    // ---- Alerts and rules --------------------------------------------------

    // Scrape interval of the programs; every window is at least four of it.
    scrapeInterval: '15s',

    // Share of 30 days in which the monitoring itself is to work.
    monitoringObjective: 0.999,

    // ---- Links -------------------------------------------------------------

    // Where an alert's runbook is found; %s is the alert's name.
    runbookURLPattern: 'https://github.com/queuefleet/queuefleet/blob/main/mixin/runbooks/%s.md',
    // Addresses of Grafana, Prometheus and Alertmanager, without a slash at
    // the end. Empty: alerts carry no link to them.
    grafanaURL: '',
    prometheusURL: '',
    alertmanagerURL: '',

    // ---- Dashboards --------------------------------------------------------

    // Tags of every dashboard; the first one makes the drop-down list by which
    // one gets from each to the others.
    dashboardTags: ['queuefleet'],
    // Time zone in which times are shown: browser, utc or a name.
    dashboardTimezone: 'browser',
    // How often an open dashboard asks anew; '' = not by itself.
    dashboardRefresh: '1m',
    // How far a dashboard looks back when it is opened.
    dashboardFrom: 'now-3h',
    // The same for those about weeks: objectives and capacity.
    dashboardLongFrom: 'now-30d',

    // ---- Alertmanager ------------------------------------------------------

    // Who is told of what, by the label `team` of connections and applications.
    // Every team needs at least one of slack, email, webhook, pagerduty:
    //
    //   payments: {
    //     slack: '#payments',                    // or { channel:, apiURLFile: }
    //     email: 'payments@example.org',         // or a list of addresses
    //     webhook: 'https://hooks.example.org/', // or { url:, credentialsFile: }
    //     pagerduty: '/etc/alertmanager/secrets/payments.key',  // file of the routing key
    //     applications: ['shop', 'shop-.*'],     // theirs where alerts have no team
    //   }
    //
    // Critical alerts go to pagerduty, or to all the rest where there is none;
    // warnings and whatever is not from production to the rest.
    teams: {},

    alertmanager: {
      // Told of whatever belongs to no team; written like a team.
      fallback: { email: 'ops@example.org' },

      // How mail is sent. Without a user name, nobody logs in.
      smtp: {
        smarthost: 'localhost:25',
        from: 'alertmanager@example.org',
        username: '',
        passwordFile: '/etc/alertmanager/secrets/smtp_password',
        requireTLS: true,
      },

      // File with the address of Slack's webhook, for teams without their own.
      slackAPIURLFile: '/etc/alertmanager/secrets/slack_url',

      // Where the watchdog reports every minute; whatever listens there raises
      // the alarm when it hears nothing. Empty: nobody watches the watchers.
      // urlFile keeps an address with a secret in it out of this file and
      // needs Alertmanager 0.26.
      heartbeat: { url: '', urlFile: '', credentialsFile: '' },

      // Expression for the label `environment` of what may page and may be
      // told at night. Series without the label count as production.
      production: 'prod.*',

      // Named times, as Alertmanager writes them; more may be added.
      timeIntervals: {
        'business-hours': [{
          weekdays: ['monday:friday'],
          times: [{ start_time: '08:00', end_time: '18:00' }],
          location: 'UTC',
        }],
        nights: [{ times: [
          { start_time: '00:00', end_time: '07:00' },
          { start_time: '22:00', end_time: '24:00' },
        ], location: 'UTC' }],
        weekends: [{ weekdays: ['saturday', 'sunday'], location: 'UTC' }],
      },
      // When others than production are told of, and when warnings of
      // production are not: names out of timeIntervals.
      nonProductionActive: ['business-hours'],
      warningsMuted: [],

      // How long related alerts are collected before the first message; long
      // enough for a cause to be there before its symptoms are told.
      groupWait: '45s',
      groupInterval: '5m',
      repeatCritical: '1h',
      repeatWarning: '12h',
      repeatNonProduction: '24h',
    },

    // ---- Grafana provisioning ----------------------------------------------

    provisioning: {
      // Where Grafana finds the dashboards, and the folder it shows them in.
      path: '/var/lib/grafana/dashboards/queuefleet',
      folder: 'Queuefleet',
      // Address of Prometheus as Grafana sees it.
      prometheusURL: 'http://localhost:9090',
    },

    // Objects of the above whose keys are free, beside those that are empty.
    openKeys:: ['alertmanager.fallback', 'alertmanager.timeIntervals'],
  },
}
