// The files that a mixin makes, by path, as text. What `make mixin` commits,
// what `qftool mixin render` writes and what any jsonnet makes are all this:
//
//   cd mixin && mkdir -p OUT/dashboards OUT/alerts/alertmanager
//   jsonnet -S -m OUT compile.jsonnet
function(mixin)
  local yaml(value) =
    '# Made from mixin/ by `make mixin`: change it there.\n' +
    std.manifestYamlDoc(value, indent_array_in_object=true, quote_keys=false) + '\n';
  {
    ['dashboards/' + name]: std.manifestJsonEx(mixin.grafanaDashboards[name], '  ') + '\n'
    for name in std.objectFields(mixin.grafanaDashboards)
  } + {
    ['alerts/alertmanager/' + name]: mixin.alertmanagerTemplates[name]
    for name in std.objectFields(mixin.alertmanagerTemplates)
  } + {
    'alerts/queuefleet-alerts.yaml': yaml(mixin.prometheusAlerts),
    'alerts/queuefleet-rules.yaml': yaml(mixin.prometheusRules),
    'alerts/alertmanager/alertmanager.yml': yaml(mixin.alertmanagerConfig),
  }
