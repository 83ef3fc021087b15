// The closed rows of the Connection dashboard about what it keeps and copies:
// replication, persistence, Cluster.
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local raw = g.redis() + ', connection="$connection"';
  local node(metric, more='', by='') = 'max by (connection, node%s) (%s{%s%s})' % [by, metric, raw, more];
  local rate(metric) = 'max by (connection, node) (rate(%s{%s}[$__rate_interval]))' % [metric, raw];
  local panel(o) = g.timeseries({ h: 7 } + o);
  local row(title, list) = g.row(title, list, collapsed=true);

  local replication = row('Replication', [
    g.timeline({
      title: 'Link to the master',
      ask: 'If this is a replica: does it follow its master?',
      good: 'Linked. A master has no such line.',
      next: 'The master’s connection.',
      targets: [
        { expr: node('redis_master_link_up', by=', master_host, master_port'), legend: 'link to {{master_host}}:{{master_port}} {{node}}' },
        { expr: '1 - ' + node('redis_master_sync_in_progress', by=', master_host, master_port'), legend: 'no full copy under way {{node}}' },
      ],
      maps: d.maps.link,
      thresholds: d.anyWanted,
      h: 6,
      w: 8,
    }),
    panel({
      title: 'Replicas',
      ask: 'How many replicas follow it?',
      good: 'As many as you run.',
      next: 'The replica that is missing.',
      targets: [
        { expr: node('redis_connected_slaves'), legend: 'connected {{node}}' },
        { expr: node('redis_slave_priority'), legend: 'priority to be promoted {{node}}' },
      ],
      unit: 'short',
      decimals: 0,
      overrides: [g.overrideQuery('B', { 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [2, 6] } })],
      h: 6,
    }),
    panel({
      title: 'Lag',
      ask: 'How far behind are the replicas?',
      good: '0 or 1 s; below %d s.' % t.replicaLagSeconds,
      next: 'Network between the two; the replica’s CPU.',
      targets: [
        { expr: node('redis_connected_slave_lag_seconds', by=', slave_ip, slave_port'), legend: '{{slave_ip}}:{{slave_port}}' },
        { expr: node('redis_master_last_io_seconds_ago', by=', master_host, master_port'), legend: 'from {{master_host}}:{{master_port}}' },
      ],
      unit: 's',
      thresholds: d.limit(t.replicaLagSeconds, 'orange'),
      h: 6,
    }),
    panel({
      title: 'Bytes behind',
      ask: 'How much have the replicas still to take?',
      good: 'Near 0, well below the backlog: else a full copy follows.',
      next: 'Backlog, beside.',
      targets: {
        expr: |||
          max by (connection, node, slave_ip, slave_port) (
            redis_master_repl_offset{%(raw)s}
            - on (connection, node, instance) group_right ()
            redis_connected_slave_offset_bytes{%(raw)s}
          )
        ||| % { raw: raw },
        legend: '{{slave_ip}}:{{slave_port}}',
      },
      unit: 'bytes',
    }),
    panel({
      title: 'Backlog',
      ask: 'How long may a replica be away without a full copy?',
      good: 'Active, with history: the more, the longer.',
      next: 'repl-backlog-size.',
      targets: [
        { expr: node('redis_replication_backlog_bytes'), legend: 'size {{node}}' },
        { expr: node('redis_repl_backlog_history_bytes'), legend: 'filled {{node}}' },
        { expr: '%s * (%s > 0)' % [node('redis_replication_backlog_bytes'), node('redis_repl_backlog_is_active')], legend: 'active {{node}}' },
      ],
      unit: 'bytes',
    }),
    panel({
      title: 'Copies to replicas',
      ask: 'How often must a replica start anew?',
      good: 'Flat. Full ones cost a fork and the network.',
      next: 'Backlog.',
      targets: [
        { expr: node('redis_replica_resyncs_full'), legend: 'full {{node}}' },
        { expr: node('redis_replica_partial_resync_accepted'), legend: 'partial {{node}}' },
        { expr: node('redis_replica_partial_resync_denied'), legend: 'partial, refused {{node}}' },
      ],
      unit: 'short',
      decimals: 0,
    }),
    panel({
      title: 'Offsets',
      ask: 'Do master and replica move along?',
      good: 'Both climb together.',
      next: 'Bytes behind.',
      targets: [
        { expr: rate('redis_master_repl_offset'), legend: 'written {{node}}' },
        { expr: 'max by (connection, node) (rate(redis_slave_repl_offset{%s}[$__rate_interval]))' % raw, legend: 'taken {{node}}' },
      ],
      unit: 'Bps',
      w: 12,
      h: 6,
    }),
    g.table({
      title: 'As a replica',
      ask: 'If this is a replica: whose, and may it be written to?',
      good: 'Read-only, of the right master.',
      next: '`INFO replication`.',
      by: 'node, master_host, master_port, read_only',
      noValue: 'A master',
      columns: [
        { label: 'node', name: 'Node' },
        { label: 'master_host', name: 'Master' },
        { label: 'master_port', name: 'Port' },
        { label: 'read_only', name: 'Writes', maps: [d.maps.values({ '1': ['Read-only', 'green'], '0': ['Writable', 'orange'] })] },
        { expr: 'redis_slave_info{%s}' % raw, name: 'Info', unit: 'none', hide: true },
      ],
      sort: 'Node',
      asc: true,
      w: 12,
      h: 6,
    }),
  ]);

  local persistence = row('Persistence', [
    g.timeline({
      title: 'Saving',
      ask: 'Does it manage to write to its disk?',
      good: 'Fine. By default Redis refuses writes after a failed save.',
      next: 'Disk space; the server’s log.',
      targets: [
        { expr: node('redis_rdb_last_bgsave_status'), legend: 'snapshot {{node}}' },
        { expr: node('redis_aof_last_write_status') + ' and ' + node('redis_aof_enabled') + ' == 1', legend: 'log, write {{node}}' },
        { expr: node('redis_aof_last_bgrewrite_status') + ' and ' + node('redis_aof_enabled') + ' == 1', legend: 'log, rewrite {{node}}' },
        { expr: '1 - ' + node('redis_loading_dump_file'), legend: 'loaded {{node}}' },
      ],
      maps: d.maps.success,
      thresholds: d.anyWanted,
      w: 8,
      h: 7,
    }),
    panel({
      title: 'Not yet saved',
      ask: 'What would be lost if it died now and had no log?',
      good: 'Little, and the last snapshot minutes old.',
      next: 'Saving.',
      targets: [
        { expr: node('redis_rdb_changes_since_last_save'), legend: 'changes {{node}}' },
        { expr: 'time() - ' + node('redis_rdb_last_save_timestamp_seconds'), legend: 'age of the snapshot {{node}}' },
      ],
      unit: 'short',
      overrides: [g.overrideQuery('B', { unit: 'dthms', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0 })],
    }),
    panel({
      title: 'Time of saves',
      ask: 'How long do saves take, and how long does the fork stop everything?',
      good: 'The fork milliseconds.',
      next: 'Memory: the fork grows with it; huge pages off.',
      targets: [
        { expr: node('redis_rdb_last_bgsave_duration_sec') + ' >= 0', legend: 'snapshot {{node}}' },
        { expr: node('redis_rdb_current_bgsave_duration_sec') + ' >= 0', legend: 'snapshot under way {{node}}' },
        { expr: node('redis_aof_last_rewrite_duration_sec') + ' >= 0', legend: 'rewrite {{node}}' },
        { expr: node('redis_aof_current_rewrite_duration_sec') + ' >= 0', legend: 'rewrite under way {{node}}' },
        { expr: node('redis_latest_fork_seconds'), legend: 'fork {{node}}' },
      ],
      unit: 's',
    }),
    panel({
      title: 'Append-only log',
      ask: 'How large is the log?',
      good: 'It shrinks at each rewrite.',
      next: 'Disk space.',
      targets: [
        { expr: node('redis_aof_current_size_bytes'), legend: 'now {{node}}' },
        { expr: node('redis_aof_base_size_bytes'), legend: 'after the last rewrite {{node}}' },
      ],
      unit: 'bytes',
    }),
    panel({
      title: 'Delayed syncs',
      ask: 'Is the disk too slow for the log?',
      good: 'Flat: each delayed one stopped all clients.',
      next: 'The disk.',
      targets: [
        { expr: node('redis_aof_delayed_fsync'), legend: 'delayed {{node}}' },
        { expr: node('redis_aof_pending_bio_fsync'), legend: 'pending {{node}}' },
      ],
      unit: 'short',
      decimals: 0,
    }),
    panel({
      title: 'Saves under way',
      ask: 'Is it saving just now?',
      good: '0 most of the time.',
      next: 'Time of saves.',
      targets: [
        { expr: node('redis_rdb_bgsave_in_progress'), legend: 'snapshot {{node}}' },
        { expr: node('redis_aof_rewrite_in_progress'), legend: 'rewrite {{node}}' },
      ],
      unit: 'short',
      decimals: 0,
      steps: true,
    }),
  ]);

  local cluster = row('Cluster', [
    g.timeline({
      title: 'Cluster state by node',
      ask: 'Does each node think that the Cluster works?',
      good: 'Fine.',
      next: '`CLUSTER INFO`, `CLUSTER NODES`.',
      targets: { expr: node('redis_cluster_state') + ' and ' + node('redis_cluster_enabled') + ' == 1', legend: '{{node}}' },
      maps: d.maps.success,
      thresholds: d.anyWanted,
      w: 8,
      h: 7,
    }),
    panel({
      title: 'Slots',
      ask: 'Are all 16,384 slots served?',
      good: 'Assigned and well: 16,384; in doubt and failed: 0.',
      next: 'The node that has the missing ones.',
      targets: [
        { expr: 'max(%s)' % node('redis_cluster_slots_assigned'), legend: 'assigned' },
        { expr: 'min(%s)' % node('redis_cluster_slots_ok'), legend: 'well' },
        { expr: 'max(%s)' % node('redis_cluster_slots_pfail'), legend: 'in doubt' },
        { expr: 'max(%s)' % node('redis_cluster_slots_fail'), legend: 'failed' },
      ],
      unit: 'short',
    }),
    panel({
      title: 'Nodes',
      ask: 'How many nodes know each other?',
      good: 'As many as you run; masters with slots make its size.',
      next: '`CLUSTER NODES`.',
      targets: [
        { expr: 'max(%s)' % node('redis_cluster_known_nodes'), legend: 'known' },
        { expr: 'max(%s)' % node('redis_cluster_size'), legend: 'with slots' },
      ],
      unit: 'short',
      decimals: 0,
    }),
    panel({
      title: 'Epochs',
      ask: 'Were there elections?',
      good: 'Flat: it grows with each failover.',
      next: 'Replication.',
      targets: [
        { expr: 'max(%s)' % node('redis_cluster_current_epoch'), legend: 'Cluster' },
        { expr: node('redis_cluster_my_epoch'), legend: '{{node}}' },
      ],
      unit: 'short',
      decimals: 0,
      w: 12,
    }),
    panel({
      title: 'Messages between nodes',
      ask: 'Do the nodes talk?',
      good: 'A few a second and node.',
      next: 'The network between them.',
      targets: [
        { expr: rate('redis_cluster_messages_sent_total'), legend: 'sent {{node}}' },
        { expr: rate('redis_cluster_messages_received_total'), legend: 'received {{node}}' },
      ],
      unit: 'ops',
      w: 12,
    }),
  ]);

  [replication, persistence, cluster]
