// Receivers: for each team one that pages and one that tells, under names that
// routes.libsonnet uses. Secrets are in files only.
function(config) {
  local am = config.alertmanager,
  local names = import 'names.libsonnet',
  local strings(value) = if std.isArray(value) then value else [value],

  local slack(value) = {
    local own = if std.isObject(value) then value else { channel: value },
    channel: own.channel,
    api_url_file: std.get(own, 'apiURLFile', am.slackAPIURLFile),
    send_resolved: true,
    color: '{{ template "queuefleet.slack.color" . }}',
    title: '{{ template "queuefleet.slack.title" . }}',
    title_link: '{{ template "queuefleet.slack.title_link" . }}',
    text: '{{ template "queuefleet.slack.text" . }}',
    fallback: '{{ template "queuefleet.subject" . }}',
    footer: '{{ template "queuefleet.slack.footer" . }}',
  },
  local email(address) = {
    to: address,
    send_resolved: true,
    headers: { Subject: '{{ template "queuefleet.email.subject" . }}' },
    html: '{{ template "queuefleet.email.html" . }}',
    text: '{{ template "queuefleet.email.text" . }}',
  },
  // HTTP with the credentials that a file holds, if any.
  local authorized(file) = {
    [if file != '' then 'http_config']: { authorization: { credentials_file: file } },
  },
  local webhook(value) =
    local own = if std.isObject(value) then value else { url: value };
    { url: own.url, send_resolved: true } + authorized(std.get(own, 'credentialsFile', '')),
  local pagerduty(file) = {
    routing_key_file: file,
    send_resolved: true,
    description: '{{ template "queuefleet.pagerduty.description" . }}',
    severity: '{{ template "queuefleet.pagerduty.severity" . }}',
    group: '{{ template "queuefleet.pagerduty.group" . }}',
    component: '{{ template "queuefleet.pagerduty.component" . }}',
    client: 'Queuefleet',
    client_url: '{{ template "queuefleet.pagerduty.client_url" . }}',
    details: {
      firing: '{{ template "queuefleet.pagerduty.firing" . }}',
      resolved: '{{ template "queuefleet.pagerduty.resolved" . }}',
      num_firing: '{{ len .Alerts.Firing }}',
      num_resolved: '{{ len .Alerts.Resolved }}',
      runbook: '{{ template "queuefleet.pagerduty.runbook" . }}',
      dashboard: '{{ template "queuefleet.pagerduty.dashboard" . }}',
    },
  },

  local tells(team) = {
    [if std.objectHas(team, 'slack') then 'slack_configs']: [slack(team.slack)],
    [if std.objectHas(team, 'email') then 'email_configs']: [email(to) for to in strings(team.email)],
    [if std.objectHas(team, 'webhook') then 'webhook_configs']: [webhook(team.webhook)],
  },
  local pages(team) = {
    [if std.objectHas(team, 'pagerduty') then 'pagerduty_configs']: [pagerduty(team.pagerduty)],
  },
  // Who has only one way of being told is told all by it.
  local either(first, second) = if first != {} then first else second,

  local both(name, team) = [
    { name: names.page(name) } + either(pages(team), tells(team)),
    { name: names.tell(name) } + either(tells(team), pages(team)),
  ],

  local heartbeat = am.heartbeat,
  local watched = heartbeat.url != '' || heartbeat.urlFile != '',

  global: {
    resolve_timeout: '5m',
    smtp_smarthost: am.smtp.smarthost,
    smtp_from: am.smtp.from,
    smtp_require_tls: am.smtp.requireTLS,
    [if am.smtp.username != '' then 'smtp_auth_username']: am.smtp.username,
    [if am.smtp.username != '' then 'smtp_auth_password_file']: am.smtp.passwordFile,
  },

  receivers:
    [{ name: names.nobody }] +
    (if !watched then [] else [{
       name: names.heartbeat,
       webhook_configs: [{
         [if heartbeat.url != '' then 'url']: heartbeat.url,
         [if heartbeat.urlFile != '' then 'url_file']: heartbeat.urlFile,
         send_resolved: false,
       } + authorized(heartbeat.credentialsFile)],
     }]) +
    both(names.fallback, am.fallback) +
    std.flattenArrays([both(name, config.teams[name]) for name in std.objectFields(config.teams)]),

  // Whether somebody listens to the watchdog.
  watched: watched,
}
