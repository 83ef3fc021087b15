local t = import 'lib.libsonnet';
local c(metric, name='shop-eu', more='') = t.connection(metric, name, more);
local fires(severity, description, name='shop-eu', labels={}) = { severity: severity, labels: t.connectionLabels(name) + labels, description: description };
local master = 'master_host="10.0.0.1", master_port="6379"';
local replica(ip) = 'slave_ip="%s", slave_port="6379", slave_state="online"' % ip;

t.file([
  t.case('RedisFragmentationHigh', {
    [c('redis_memory_used_bytes')]: '1073741824+0x200',
    [c('redis_memory_used_rss_bytes')]: '2147483648+0x100 1073741824+0x100',
    // As much by ratio, but it is no loss.
    [c('redis_memory_used_bytes', 'small')]: '104857600+0x200',
    [c('redis_memory_used_rss_bytes', 'small')]: '209715200+0x200',
    // As much in bytes, but a small part.
    [c('redis_memory_used_bytes', 'large')]: '10737418240+0x200',
    [c('redis_memory_used_rss_bytes', 'large')]: '11811160064+0x200',
  }, {
    '50m': [],
    '80m': [fires('warning', 'shop-eu holds 2.0 times the memory that it uses.')],
    '130m': [],
  }),

  t.case('RedisReplicationBroken', {
    [c('redis_master_link_up', more=master)]: '1+0x4 0+0x20 1+0x40',
    [c('redis_master_link_up', 'cluster', 'node="10.0.0.9:6379", ' + master)]: '1+0x4 0+0x20 1+0x40',
    // A moment without.
    [c('redis_master_link_up', 'shop-us', master)]: '1+0x4 0+0x0 1+0x4 0+0x0 1+0x60',
  }, {
    '9m': [],
    '18m': [
      fires('critical', 'cluster (10.0.0.9:6379) gets nothing from its master 10.0.0.1:6379.', 'cluster', { node: '10.0.0.9:6379', master_host: '10.0.0.1', master_port: '6379' }),
      fires('critical', 'shop-eu gets nothing from its master 10.0.0.1:6379.', labels={ master_host: '10.0.0.1', master_port: '6379' }),
    ],
    '40m': [],
  }),

  t.case('RedisReplicaLagging', {
    [c('redis_connected_slave_lag_seconds', more=replica('10.0.0.2'))]: '1+0x4 45+0x40 1+0x40',
    [c('redis_connected_slave_lag_seconds', more=replica('10.0.0.3'))]: '1+0x4 25+0x80',
  }, {
    '12m': [],
    '30m': [fires('warning', 'Replica 10.0.0.2:6379 of shop-eu was last heard of 45s ago.', labels={ slave_ip: '10.0.0.2', slave_port: '6379' })],
    '60m': [],
  }),

  t.case('RedisPersistenceFailing', {
    [c('redis_rdb_last_bgsave_status')]: '1+0x4 0+0x40 1+0x40',
    [c('redis_aof_last_bgrewrite_status')]: '1+0x90',
    [c('redis_aof_last_write_status')]: '1+0x90',
    [c('redis_aof_last_write_status', 'shop-us')]: '1+0x4 0+0x40 1+0x40',
    // One failure, made good at the next try.
    [c('redis_rdb_last_bgsave_status', 'shop-ap')]: '1+0x4 0+0x5 1+0x80',
  }, {
    '12m': [],
    '30m': [
      fires('critical', 'The last RDB snapshot of shop-eu failed. A restart would lose jobs, and the server may refuse writes.', labels={ what: 'RDB snapshot' }),
      fires('critical', 'The last AOF write of shop-us failed. A restart would lose jobs, and the server may refuse writes.', 'shop-us', { what: 'AOF write' }),
    ],
    '60m': [],
  }),

  t.case('RedisSlowlogGrowing', {
    [c('redis_slowlog_last_id')]: '0+10x60 600+0x60',
    [c('redis_slowlog_last_id', 'shop-us')]: '0+4x120',
    // Restarted: the numbers begin anew.
    [c('redis_slowlog_last_id', 'shop-ap')]: '5000+0x30 0+0x90',
  }, {
    '15m': [],
    '50m': [fires('warning', 'shop-eu writes 10 commands a minute into its slow log; each holds up all others.')],
    '90m': [],
  }),

  t.case('RedisClusterDegraded', {
    [c('redis_cluster_state', more='node="a:1"')]: '1+0x60',
    [c('redis_cluster_state', more='node="b:1"')]: '1+0x4 0+0x20 1+0x40',
    [c('redis_cluster_slots_fail', more='node="a:1"')]: '0+0x60',
    [c('redis_cluster_state', 'partial', 'node="a:1"')]: '1+0x60',
    [c('redis_cluster_slots_fail', 'partial', 'node="a:1"')]: '0+0x4 5461+0x20 0+0x40',
    // A failover of a minute.
    [c('redis_cluster_state', 'shop-us', 'node="a:1"')]: '1+0x4 0+0x1 1+0x60',
  }, {
    '6m': [],
    '15m': [
      fires('critical', 'partial: a node sees the Cluster unable to serve, 5461 slots have failed.', 'partial'),
      fires('critical', 'shop-eu: a node sees the Cluster unable to serve.'),
    ],
    '40m': [],
  }),
], needs=['queuefleet-connection.rules', 'queuefleet-server'])
