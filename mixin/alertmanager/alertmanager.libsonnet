// Alertmanager's configuration and templates, made from _config.teams and
// _config.alertmanager. Portable to Alertmanager 0.25.
{
  local config = (import 'checked.libsonnet')($._config),
  local am = config.alertmanager,

  alertmanagerConfig+:: {
    global: (import 'receivers.libsonnet')(config).global,
    templates: ['queuefleet.tmpl'],
    route: (import 'routes.libsonnet')(config),
    inhibit_rules: (import 'inhibit.libsonnet')(config),
    receivers: (import 'receivers.libsonnet')(config).receivers,
    time_intervals: [
      { name: name, time_intervals: am.timeIntervals[name] }
      for name in std.objectFields(am.timeIntervals)
    ],
  },

  // The labels in brackets behind a place are those of the scope.
  local words(labels) = 'stringSlice ' + std.join(' ', std.map(std.escapeStringJson, labels)),
  local template = importstr 'queuefleet.tmpl',

  alertmanagerTemplates+:: {
    'queuefleet.tmpl': std.strReplace(template, words(['environment', 'region']), words(config.scopeLabels)),
  },
}
