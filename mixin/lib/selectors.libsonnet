// Selectors and label lists as text for PromQL, made from _config.
//
//   local s = (import '../lib/selectors.libsonnet')(config);
//   'max by (%s) (redis_up{%s})' % [s.by.connection, s.redis]
function(config) {
  local join(labels) = std.join(', ', labels),
  local without(labels, names) = std.filter(function(l) !std.member(names, l), labels),

  redis: config.redisSelector,
  exporter: config.exporterSelector,
  supervisor: config.supervisorSelector,
  prometheus: config.prometheusSelector,
  alertmanager: config.alertmanagerSelector,

  // Label lists for by (), on () and without ().
  by: {
    scope: join(config.scopeLabels),
    connection: join(config.connectionLabels),
    // A connection whoever looks at it: the team of a queue's series is that of
    // its application, which need not be the connection's. For joins.
    store: join(without(config.connectionLabels, ['team'])),
    // One node of a Cluster; elsewhere the label is empty.
    node: join(config.connectionLabels + ['node']),
    queue: join(config.queueLabels),
    pool: join(config.poolLabels),
    application: join(without(config.queueLabels, ['connection', 'queue'])),
    supervisor: join(config.supervisorLabels),
    // What a pool's series tell about those of its queues, which carry fewer
    // labels: the scope and the team.
    owner: join(without(config.poolLabels, ['application', 'connection', 'pool'])),
  },
}
