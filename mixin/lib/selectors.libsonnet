// Selectors and label lists as text for PromQL, made from _config.
//
//   local s = (import '../lib/selectors.libsonnet')(config);
//   'max by (%s) (redis_up{%s})' % [s.by.connection, s.redis]
function(config) {
  local join(labels) = std.join(', ', labels),

  redis: config.redisSelector,
  exporter: config.exporterSelector,
  supervisor: config.supervisorSelector,
  prometheus: config.prometheusSelector,
  alertmanager: config.alertmanagerSelector,

  // Label lists for by (), on () and without ().
  by: {
    scope: join(config.scopeLabels),
    connection: join(config.connectionLabels),
    queue: join(config.queueLabels),
    pool: join(config.poolLabels),
    supervisor: join(config.supervisorLabels),
  },
}
