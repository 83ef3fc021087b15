// Connections: one series each, however many exporters probe it and however
// many nodes a Cluster has.
local r = import '../lib/rules.libsonnet';

function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local gauge(name) = r.max(s.by.connection, '%s{%s}' % [name, s.redis]);
  local nodeMax(name) = r.max(s.by.node, '%s{%s}' % [name, s.redis]);
  local nodeSum(name) = 'sum by (%s) (%s)' % [s.by.connection, nodeMax(name)];
  // The rate of a server's counter: of the exporters that see it the highest,
  // over its nodes the sum.
  local rate(name) = 'sum by (%s) (max by (%s) (rate(%s{%s}[5m])))' % [s.by.connection, s.by.node, name, s.redis];
  local probes(name) = 'sum by (%s) (rate(%s{%s}[5m]))' % [s.by.connection, name, s.redis];
  {
    name: 'queuefleet-connection.rules',
    rules: [
      // Up if one exporter reaches it.
      r.record('connection:redis_up:max', gauge('redis_up')),
      r.record('connection:redis_probe_duration_seconds:max', gauge('redis_probe_duration_seconds')),
      r.record('connection:redis_ping_duration_seconds:max', gauge('redis_ping_duration_seconds')),
      r.record('connection:redis_probe_failures:ratio_rate5m', '%s\n/\n(%s > 0)' % [probes('redis_probe_failures_total'), probes('redis_probes_total')]),
      // Of a Cluster the fullest node: it refuses writes first. Without
      // maxmemory there is no ratio.
      r.record('connection:redis_memory_used:ratio', 'max by (%s) (\n  %s\n  /\n  (%s > 0)\n)' % [s.by.connection, nodeMax('redis_memory_used_bytes'), nodeMax('redis_memory_max_bytes')]),
      r.record('connection:redis_memory_used_bytes:max', gauge('redis_memory_used_bytes')),
      r.record('connection:redis_memory_max_bytes:max', gauge('redis_memory_max_bytes')),
      r.record('connection:redis_clients:ratio', 'max by (%s) (\n  %s\n  /\n  (%s > 0)\n)' % [s.by.connection, nodeMax('redis_connected_clients'), nodeMax('redis_config_maxclients')]),
      r.record('connection:redis_commands_processed:rate5m', rate('redis_commands_processed_total')),
      r.record('connection:redis_evicted_keys:rate5m', rate('redis_evicted_keys_total')),
      // Over the nodes of a Cluster.
      r.record('connection:redis_connected_slaves:sum', nodeSum('redis_connected_slaves')),
      r.record('connection:redis_blocked_clients:sum', nodeSum('redis_blocked_clients')),
      // 1 where queues live on the connection, whosever they are.
      r.record('connection:redis_queues:bool', 'max by (%s) (redis_queue_wait_objective_seconds{%s}) * 0 + 1' % [s.by.store, s.redis]),
    ],
  }
