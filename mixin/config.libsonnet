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

    // Scrape interval of the programs, at most 60s: the shortest windows are of
    // two minutes and must see two scrapes.
    scrapeInterval: '15s',

    // Share of 30 days in which the monitoring itself is to work. Objectives of
    // queues are in Queuefleet's own configuration (max_wait, objective).
    monitoringObjective: 0.999,

    // How fast a budget of 30 days may be spent: pages look at the last hour
    // and the last six, tickets at the last day and the last three. 1 spends
    // it exactly.
    burnFactors: { hour: 14.4, sixHours: 6, day: 3, threeDays: 1 },

    // Whether a supervisor that vanished from the targets is an alert: 'seen'
    // where one was there within a day, so that it concerns nobody who runs
    // none; 'always'; or 'never'.
    supervisorAbsent: 'seen',

    // Alerts that are not made, by name.
    disabledAlerts: [],
    // Alerts that are made only when they are named here, since not everybody
    // wants them: RedisLatencyAbnormal, RedisBlockedClientsHigh,
    // QueuefleetSupervisorScalingThrashes, QueuefleetSupervisorLogLinesDropped.
    enabledOptionalAlerts: [],
    // What to change of an alert, by name:
    //   { RedisLatencyHigh: { 'for': '30m', severity: 'info', labels: { tier: 'cache' } } }
    // with any of expr, for, keep_firing_for, severity, labels, annotations.
    alertOverrides: {},
    // Labels that all alerts get.
    extraAlertLabels: {},

    // When alerts fire. What differs from queue to queue (how long a job may
    // wait, how often, after what time a reservation ends) comes as a metric
    // from Queuefleet's own configuration.
    thresholds: {
      // Changes between up and down in 15 minutes.
      connectionFlaps: 6,
      // Share of probes that run into their deadline.
      probeTimeoutRatio: 0.1,
      // Round trip of a probe in seconds, the mean of five minutes.
      pingSeconds: 0.05,
      // Standard deviations above the mean of the day, and the least round trip
      // in seconds that counts (RedisLatencyAbnormal).
      pingDeviations: 4,
      pingAbnormalSeconds: 0.005,
      // Used share of maxmemory: to be looked at, and full.
      memoryRatio: 0.85,
      memoryFullRatio: 0.95,
      // How far memory is foreseen, in hours, and from which share on.
      memoryForecastHours: 4,
      memoryForecastRatio: 0.5,
      // Evicted keys a second on a store without queues.
      evictionsPerSecond: 1,
      // Resident over used memory, and the least waste in bytes that counts.
      fragmentationRatio: 1.5,
      fragmentationBytes: 256 * 1024 * 1024,
      // Seconds since a replica's last acknowledgement.
      replicaLagSeconds: 30,
      // Used share of maxclients.
      clientsRatio: 0.85,
      // Blocked clients beside yesterday's, and the least number that counts
      // (RedisBlockedClientsHigh).
      blockedClientsFactor: 2,
      blockedClients: 20,
      // Entries of the slow log a minute.
      slowCommandsPerMinute: 5,
      // Days until a password or a certificate expires.
      expiryDaysWarning: 14,
      expiryDaysCritical: 3,

      // How many times its objective the oldest job of a queue may wait.
      waitFactor: 10,
      // Ready jobs from which on growth counts.
      backlogJobs: 100,
      // Seconds that a delayed job may be due without being moved.
      overdueSeconds: 120,
      // Age in seconds below which the oldest job of a queue says that it drains.
      notDrainingSeconds: 300,
      // Share of failed attempts, and the attempts a second from which on it counts.
      failureRatioWarning: 0.05,
      failureRatioCritical: 0.5,
      failureMinimumPerSecond: 0.05,
      // Failed jobs more than at the lowest point of the last day.
      failedJobsPerDay: 100,
      // Minutes since Horizon's last snapshot.
      horizonSnapshotMinutes: 30,

      // Seconds since the supervisor's loop was last done.
      loopSeconds: 60,
      // Ends of workers that nobody wanted, in ten minutes.
      badExits: 5,
      // Workers that ended by their memory limit, and by a job's time limit, in an hour.
      memoryExitsPerHour: 10,
      timeoutExitsPerHour: 5,
      // Processes that outlived their worker, in an hour.
      leakedProcessesPerHour: 3,
      // Changes up and changes down in 30 minutes (QueuefleetSupervisorScalingThrashes).
      scaleChanges: 6,

      // Share of the scrape timeout that a scrape may take.
      scrapeTimeRatio: 0.8,
    },

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
      // Told of whatever belongs to no team; written like a team. A receiver
      // that is null is none.
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
