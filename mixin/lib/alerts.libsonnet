// Alerts: what every one of them has, and what _config says about them.
//
//   local a = (import '../lib/alerts.libsonnet')(config);
//   a.group('queuefleet-connection', [
//     { name: 'RedisConnectionDown', severity: 'critical', 'for': '1m', keep: '5m',
//       expr: …, summary: 'A sentence without values.', description: '… {{ $labels.connection }} …',
//       dashboard: 'connection' },
//   ])
//
// Variants of one alert (warning and critical, windows of a burn rate) have the
// same name, so that the graver one can silence the lesser. `optional` ones are
// made only where _config.enabledOptionalAlerts names them.
local names = import 'names.libsonnet';

function(config) {
  local severities = ['critical', 'warning', 'info', 'none'],
  local overridable = ['expr', 'for', 'keep_firing_for', 'severity', 'labels', 'annotations'],

  // Which label becomes which variable of a dashboard: they are named alike.
  local variables = {
    overview: config.scopeLabels,
    connection: config.scopeLabels + ['connection'],
    queues: config.scopeLabels + ['application', 'connection', 'queue'],
    slo: config.scopeLabels + ['application', 'connection', 'queue'],
    application: config.scopeLabels + ['application'],
    workers: config.scopeLabels + ['application', 'connection', 'pool'],
    internals: [],
    capacity: config.scopeLabels + ['connection'],
  },
  local dashboardURL(name) =
    config.grafanaURL + '/d/queuefleet-' + name + '?from=now-3h&to=now' +
    std.join('', ['{{ with $labels.%s }}&var-%s={{ . | urlquery }}{{ end }}' % [l, l] for l in variables[name]]),

  local check(a) =
    assert std.member(severities, a.severity) : '%s: severity %s: use one of %s' % [a.name, a.severity, std.join(', ', severities)];
    assert std.length(a.name) <= 40 : a.name + ': the name is longer than 40 characters';
    assert std.endsWith(a.summary, '.') && std.length(std.findSubstr('{{', a.summary)) == 0 : a.name + ': the summary is a sentence without values';
    assert std.objectHas(a, 'description') : a.name + ': it has no description';
    assert std.objectHas(variables, a.dashboard) : '%s: there is no dashboard %s' % [a.name, a.dashboard];
    a,

  local override(a) = std.get(config.alertOverrides, a.name, {}),

  local rule(a) =
    local o = override(a);
    local for_ = std.get(o, 'for', std.get(a, 'for', '0s'));
    local keep = std.get(o, 'keep_firing_for', std.get(a, 'keep', '0s'));
    {
      alert: a.name,
      expr: std.get(o, 'expr', std.rstripChars(a.expr, '\n')),
      [if for_ != '0s' then 'for']: for_,
      [if keep != '0s' then 'keep_firing_for']: keep,
      labels:
        { severity: std.get(o, 'severity', a.severity) } +
        std.get(a, 'labels', {}) +
        config.extraAlertLabels +
        std.get(o, 'labels', {}),
      annotations: {
        summary: a.summary,
        description: a.description,
        runbook_url: config.runbookURLPattern % a.name,
        [if config.grafanaURL != '' then 'dashboard_url']: dashboardURL(a.dashboard),
      } + std.get(o, 'annotations', {}),
    },

  local wanted(a) =
    !std.member(config.disabledAlerts, a.name) &&
    (!std.get(a, 'optional', false) || std.member(config.enabledOptionalAlerts, a.name)),

  // A group before _config has its say: name and alerts.
  group(name, alerts, interval=null):: {
    assert std.length(alerts) <= 20 : '%s: a group has at most 20 alerts' % name,
    assert std.length(name) <= 40 : '%s: the name is longer than 40 characters' % name,
    name: name,
    interval: interval,
    alerts: [check(a) for a in alerts],
  },

  // Prometheus' groups, made from all groups above. What _config says about
  // alerts that do not exist is an error.
  groups(all)::
    local alerts = std.flattenArrays([g.alerts for g in all]);
    local known = std.set([a.name for a in alerts]);
    local variants(name) = std.length(std.filter(function(a) a.name == name, alerts));
    local checked(key, list) = [names.check('_config.' + key, name, known, 'no such alert') for name in list];
    local checkedOverride(name) =
      local o = config.alertOverrides[name];
      local key = '_config.alertOverrides.' + name;
      assert std.type(o) == 'object' : key + ': an object is meant';
      assert !std.objectHas(o, 'expr') || variants(name) == 1 :
             '%s.expr: the alert has %d variants, which one expression cannot replace; change its thresholds, or disable it and write your own' % [key, variants(name)];
      assert !std.objectHas(o, 'severity') || std.member(severities, o.severity) :
             '%s.severity: %s: use one of %s' % [key, o.severity, std.join(', ', severities)];
      [names.check('%s.%s' % [key, field], field, overridable, 'no such key') for field in std.objectFields(o)];
    local configured =
      checked('disabledAlerts', config.disabledAlerts) +
      checked('enabledOptionalAlerts', config.enabledOptionalAlerts) +
      [names.check('_config.alertOverrides.' + name, name, known, 'no such alert') for name in std.objectFields(config.alertOverrides)] +
      std.flattenArrays([checkedOverride(name) for name in std.objectFields(config.alertOverrides)]);
    // The elements have to be looked at: a list alone evaluates none of them.
    assert std.length(std.join('', configured)) >= 0;
    std.filter(function(g) std.length(g.rules) > 0, [
      { name: g.name, [if g.interval != null then 'interval']: g.interval, rules: [rule(a) for a in g.alerts if wanted(a)] }
      for g in all
    ]),
}
