// The whole mixin: dashboards, recording rules, alerts and Alertmanager files
// of Queuefleet. Import it, change what you need in _config and render:
//
//   (import 'mixin.libsonnet') + { _config+:: { scopeLabels: ['cluster', 'environment', 'region'] } }
(import 'config.libsonnet') +
(import 'rules/rules.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'dashboards/dashboards.libsonnet') +
(import 'alertmanager/alertmanager.libsonnet')
