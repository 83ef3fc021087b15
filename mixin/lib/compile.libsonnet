// The files that a mixin makes, by path: dashboards as values, which every
// jsonnet writes as JSON by itself, fast and in the same way, and the rest as
// text. What `make mixin` commits, what `qftool mixin render` writes and what
// any jsonnet makes are all this:
//
//   cd mixin && mkdir -p OUT/dashboards OUT/alerts/alertmanager
//   jsonnet -m OUT dashboards.jsonnet && jsonnet -S -m OUT texts.jsonnet
function(mixin)
  local yaml(value) =
    '# Made from mixin/ by `make mixin`: change it there.\n' +
    (import 'yaml.libsonnet')(value);
  {
    dashboards: {
      ['dashboards/' + name]: mixin.grafanaDashboards[name]
      for name in std.objectFields(mixin.grafanaDashboards)
    },
    texts: {
      ['alerts/alertmanager/' + name]: mixin.alertmanagerTemplates[name]
      for name in std.objectFields(mixin.alertmanagerTemplates)
    } + {
      'alerts/queuefleet-alerts.yaml': yaml(mixin.prometheusAlerts),
      'alerts/queuefleet-rules.yaml': yaml(mixin.prometheusRules),
      'alerts/alertmanager/alertmanager.yml': yaml(mixin.alertmanagerConfig),
    },
  }
