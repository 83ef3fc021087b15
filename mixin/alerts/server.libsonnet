// What goes on inside of a server: replication, persistence, Cluster.
function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local t = config.thresholds;
  local by = s.by.connection;
  [
    {
      name: 'RedisFragmentationHigh',
      severity: 'warning',
      'for': '1h',
      dashboard: 'connection',
      // Small servers always look fragmented, so the waste must be worth it.
      expr: |||
        max by (%(by)s) (
          max by (%(node)s) (avg_over_time(redis_memory_used_rss_bytes{%(redis)s}[10m]))
          / (max by (%(node)s) (avg_over_time(redis_memory_used_bytes{%(redis)s}[10m])) > 0)
          > %(ratio)g
          and
          max by (%(node)s) (avg_over_time(redis_memory_used_rss_bytes{%(redis)s}[10m]))
          - max by (%(node)s) (avg_over_time(redis_memory_used_bytes{%(redis)s}[10m]))
          > %(bytes)g
        )
      ||| % { by: by, node: s.by.node, redis: s.redis, ratio: t.fragmentationRatio, bytes: t.fragmentationBytes },
      summary: 'A Redis server holds far more memory than it uses.',
      description: '{{ $labels.connection }} holds {{ $value | printf "%.1f" }} times the memory that it uses.',
    },
    {
      name: 'RedisReplicationBroken',
      severity: 'critical',
      'for': '5m',
      dashboard: 'connection',
      expr: 'max by (%s, master_host, master_port) (max_over_time(redis_master_link_up{%s}[2m])) == 0' % [s.by.node, s.redis],
      summary: 'A Redis replica has lost its master.',
      description: '{{ $labels.connection }}{{ with $labels.node }} ({{ . }}){{ end }} gets nothing from its master {{ $labels.master_host }}:{{ $labels.master_port }}.',
    },
    {
      name: 'RedisReplicaLagging',
      severity: 'warning',
      'for': '10m',
      dashboard: 'connection',
      expr: 'max by (%s, slave_ip, slave_port) (min_over_time(redis_connected_slave_lag_seconds{%s}[5m])) > %g' % [s.by.node, s.redis, t.replicaLagSeconds],
      summary: 'A Redis replica lags behind.',
      description: 'Replica {{ $labels.slave_ip }}:{{ $labels.slave_port }} of {{ $labels.connection }} was last heard of {{ $value | humanizeDuration }} ago.',
    },
    {
      name: 'RedisReplicaMissing',
      severity: 'warning',
      'for': '15m',
      dashboard: 'connection',
      // Fewer than in the last day: what the right number is, nobody tells.
      expr: |||
        max_over_time(connection:redis_connected_slaves:sum[5m])
        <
        max_over_time(connection:redis_connected_slaves:slice30m[1d])
      |||,
      summary: 'A Redis server has fewer replicas than before.',
      description: '{{ $labels.connection }} has {{ $value | printf "%.0f" }} replicas and had more within the last day.',
    },
    {
      name: 'RedisPersistenceFailing',
      severity: 'critical',
      'for': '10m',
      dashboard: 'connection',
      expr: |||
        min by (%(node)s, what) (
          label_replace(max_over_time(redis_rdb_last_bgsave_status{%(redis)s}[5m]), "what", "RDB snapshot", "", "")
          or
          label_replace(max_over_time(redis_aof_last_bgrewrite_status{%(redis)s}[5m]), "what", "AOF rewrite", "", "")
          or
          label_replace(max_over_time(redis_aof_last_write_status{%(redis)s}[5m]), "what", "AOF write", "", "")
        ) == 0
      ||| % { node: s.by.node, redis: s.redis },
      summary: 'A Redis server cannot save its data.',
      description: 'The last {{ $labels.what }} of {{ $labels.connection }}{{ with $labels.node }} ({{ . }}){{ end }} failed. A restart would lose jobs, and the server may refuse writes.',
    },
    {
      name: 'RedisSlowlogGrowing',
      severity: 'warning',
      'for': '20m',
      dashboard: 'connection',
      // The entries' number is a gauge that only grows, and starts anew with the server.
      expr: 'max by (%s) (delta(redis_slowlog_last_id{%s}[10m])) / 10 > %g' % [by, s.redis, t.slowCommandsPerMinute],
      summary: 'A Redis server is given slow commands.',
      description: '{{ $labels.connection }} writes {{ $value | printf "%.0f" }} commands a minute into its slow log; each holds up all others.',
    },
    {
      name: 'RedisClusterDegraded',
      severity: 'critical',
      'for': '2m',
      dashboard: 'connection',
      expr: |||
        min by (%(by)s) (max_over_time(redis_cluster_state{%(redis)s}[2m])) == 0
        or
        max by (%(by)s) (min_over_time(redis_cluster_slots_fail{%(redis)s}[2m])) > 0
      ||| % { by: by, redis: s.redis },
      summary: 'A Redis Cluster does not serve all of its slots.',
      description: '{{ $labels.connection }}: a node sees the Cluster unable to serve{{ if gt $value 0.0 }}, {{ $value | printf "%.0f" }} slots have failed{{ end }}.',
    },
  ]
