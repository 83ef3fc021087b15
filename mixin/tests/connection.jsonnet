local t = import 'lib.libsonnet';
local c(metric, name='shop-eu', more='') = t.connection(metric, name, more);
local second(metric, name, more='') = '%s{%s, %s, connection="%s"%s}' % [metric, t.exporter2, t.place, name, t.comma(more)];
// A queue there, of another team than the connection's.
local queueOn(name) = 'redis_queue_wait_objective_seconds{%s, environment="production", region="eu-west-1", team="shop", application="shop", connection="%s", queue="default"}' % [t.exporter, name];
local fires(severity, description, name='shop-eu', labels={}) = { severity: severity, labels: t.connectionLabels(name) + labels, description: description };

t.file([
  t.case('RedisConnectionDown', {
    [c('redis_up')]: '1+0x4 0+0x15 1+0x40',
    // Another exporter reaches it; a scrape was lost.
    [c('redis_up', 'shop-us')]: '0+0x60',
    [second('redis_up', 'shop-us')]: '1+0x60',
    [c('redis_up', 'shop-gap')]: '1+0x9 _x3 1+0x40',
  }, {
    '5m': [],
    '10m': [fires('critical', 'shop-eu has not answered any probe for two minutes. Its queues cannot be read.')],
    '24m': [fires('critical', 'shop-eu has not answered any probe for two minutes. Its queues cannot be read.')],
    '32m': [],
  }),

  t.case('RedisConnectionFlapping', {
    [c('redis_connection_state_changes_total')]: '0+0x10 2+2x6 14+0x80',
    [second('redis_connection_state_changes_total', 'shop-eu')]: '0+0x10 2+2x6 14+0x80',
    [c('redis_connection_state_changes_total', 'shop-us')]: '0+0x10 1+1x4 5+0x80',
  }, {
    '9m': [],
    '20m': [fires('warning', 'shop-eu changed between up and down 14 times in 15 minutes.')],
    '60m': [],
  }),

  t.case('RedisAuthFailing', {
    [c('redis_probe_failures_total', more='reason="auth"')]: '0+0x5 1+1x6 7+0x40',
    [c('redis_probe_failures_total', 'shop-us', 'reason="noperm"')]: '0+0x5 1+1x6 7+0x40',
    [c('redis_probe_failures_total', 'shop-ap', 'reason="timeout"')]: '0+1x50',
  }, {
    '5m': [],
    '10m': [
      fires('critical', 'shop-eu refuses Queuefleet: user or password are wrong.', labels={ reason: 'auth' }),
      fires('critical', 'shop-us refuses Queuefleet: the user may not PING.', 'shop-us', { reason: 'noperm' }),
    ],
    '25m': [],
  }),

  t.case('RedisProbeTimeouts', {
    [c('redis_probes_total')]: '0+4x80',
    [c('redis_probe_failures_total', more='reason="timeout"')]: '0+1x40 40+0x40',
    [c('redis_probe_failures_total', more='reason="refused"')]: '0+1x80',
    [c('redis_probes_total', 'shop-us')]: '0+40x80',
    [c('redis_probe_failures_total', 'shop-us', 'reason="timeout"')]: '0+3x80',
  }, {
    '8m': [],
    '20m': [fires('warning', '25% of the probes of shop-eu got no answer in time.')],
    '60m': [],
  }),

  t.case('RedisLatencyHigh', {
    [c('redis_ping_duration_seconds')]: '0.08+0x40 0.01+0x40',
    [c('redis_ping_duration_seconds', 'shop-us')]: '0.045+0x80',
  }, {
    '8m': [],
    '20m': [fires('warning', 'A round trip to shop-eu takes 80ms on average.')],
    '60m': [],
  }),

  t.case('RedisMemoryNearLimit', {
    [c('redis_memory_used_bytes')]: '900+0x40 500+0x40',
    [c('redis_memory_max_bytes')]: '1000+0x80',
    [c('redis_memory_used_bytes', 'shop-us')]: '840+0x80',
    [c('redis_memory_max_bytes', 'shop-us')]: '1000+0x80',
    // Without a limit there is nothing to be near of.
    [c('redis_memory_used_bytes', 'unlimited')]: '900+0x80',
    [c('redis_memory_max_bytes', 'unlimited')]: '0+0x80',
    // Of a Cluster the fullest node.
    [c('redis_memory_used_bytes', 'cluster', 'node="a:1"')]: '100+0x40 100+0x40',
    [c('redis_memory_used_bytes', 'cluster', 'node="b:1"')]: '880+0x40 100+0x40',
    [c('redis_memory_max_bytes', 'cluster', 'node="a:1"')]: '1000+0x80',
    [c('redis_memory_max_bytes', 'cluster', 'node="b:1"')]: '1000+0x80',
  }, {
    '12m': [],
    '20m': [
      fires('warning', 'cluster has used 88% of its maxmemory.', 'cluster'),
      fires('warning', 'shop-eu has used 90% of its maxmemory.'),
    ],
    '60m': [],
  }),

  t.case('RedisMemoryFull', {
    [c('redis_memory_used_bytes')]: '970+0x40 500+0x40',
    [c('redis_memory_max_bytes')]: '1000+0x80',
    [c('redis_instance_info', more='maxmemory_policy="noeviction"')]: '1+0x80',
    // Evicts instead of refusing writes.
    [c('redis_memory_used_bytes', 'cache')]: '970+0x80',
    [c('redis_memory_max_bytes', 'cache')]: '1000+0x80',
    [c('redis_instance_info', 'cache', 'maxmemory_policy="allkeys-lru"')]: '1+0x80',
  }, {
    '3m': [],
    '10m': [fires('critical', 'shop-eu has used 97% of its maxmemory and evicts nothing: new jobs are refused.')],
    '60m': [],
  }),

  t.case('RedisMemoryWillFill', {
    [c('redis_memory_used_bytes')]: '500+5x60 800+0x120',
    [c('redis_memory_max_bytes')]: '1000+0x180',
    // As fast, but there is a long way to go.
    [c('redis_memory_used_bytes', 'shop-us')]: '100+5x60 400+0x120',
    [c('redis_memory_max_bytes', 'shop-us')]: '1000+0x180',
  }, {
    '20m': [],
    '50m': [fires('warning', 'shop-eu reaches its maxmemory within 4 hours at the pace of the last hour.')],
    '170m': [],
  }),

  t.case('RedisEvicting', {
    [c('redis_evicted_keys_total')]: '0+120x40 4800+0x40',
    [c('redis_evicted_keys_total', 'shop-us')]: '0+30x80',
    // With queues, but only keys with an expiry are evicted.
    [c('redis_evicted_keys_total', 'volatile')]: '0+180x40 7200+0x40',
    [c('redis_instance_info', 'volatile', 'maxmemory_policy="volatile-lru"')]: '1+0x80',
    [queueOn('volatile')]: '30+0x80',
    // With queues at risk: RedisQueueStoreEvicting tells it.
    [c('redis_evicted_keys_total', 'unsafe')]: '0+180x80',
    [c('redis_instance_info', 'unsafe', 'maxmemory_policy="allkeys-lru"')]: '1+0x80',
    [queueOn('unsafe')]: '30+0x80',
  }, {
    '10m': [],
    '25m': [
      fires('warning', 'shop-eu evicts 2 keys a second, since it is full. None of them is a job.'),
      fires('warning', 'volatile evicts 3 keys a second, since it is full. None of them is a job.', 'volatile'),
    ],
    '70m': [],
  }),

  t.case('RedisQueueStoreEvicting', {
    [c('redis_evicted_keys_total')]: '0+0x9 6+6x9 60+0x80',
    [second('redis_evicted_keys_total', 'shop-eu')]: '0+0x9 6+6x9 60+0x80',
    [c('redis_instance_info', more='maxmemory_policy="allkeys-lru"')]: '1+0x100',
    [queueOn('shop-eu')]: '30+0x100',
    // No queues; no key without an expiry is evicted.
    [c('redis_evicted_keys_total', 'cache')]: '0+6x100',
    [c('redis_instance_info', 'cache', 'maxmemory_policy="allkeys-lru"')]: '1+0x100',
    [c('redis_evicted_keys_total', 'volatile')]: '0+6x100',
    [c('redis_instance_info', 'volatile', 'maxmemory_policy="volatile-ttl"')]: '1+0x100',
    [queueOn('volatile')]: '30+0x100',
  }, {
    '8m': [],
    '18m': [fires('critical', 'shop-eu holds queues, is full and has evicted 30 keys within five minutes: any key may be among them, whole queues too.')],
    '80m': [],
  }),

  t.case('RedisQueueStorePolicyUnsafe', {
    [c('redis_instance_info', more='maxmemory_policy="allkeys-lru"')]: '1+0x90',
    [c('redis_instance_info', more='maxmemory_policy="noeviction"')]: '_x91 1+0x60',
    [queueOn('shop-eu')]: '30+0x150',
    [c('redis_memory_max_bytes')]: '1000+0x150',
    // Has no limit, so that nothing is evicted.
    [c('redis_instance_info', 'shop-us', 'maxmemory_policy="allkeys-lru"')]: '1+0x150',
    [queueOn('shop-us')]: '30+0x150',
    [c('redis_memory_max_bytes', 'shop-us')]: '0+0x150',
  }, {
    '55m': [],
    '70m': [fires('warning', 'shop-eu holds queues and has an allkeys eviction policy: once it has reached its maxmemory, it throws jobs away.')],
    '110m': [],
  }),

  t.case('RedisClientsNearLimit', {
    [c('redis_connected_clients')]: '900+0x40 100+0x40',
    [c('redis_config_maxclients')]: '1000+0x80',
    [c('redis_connected_clients', 'shop-us')]: '840+0x80',
    [c('redis_config_maxclients', 'shop-us')]: '1000+0x80',
  }, {
    '8m': [],
    '20m': [fires('warning', 'shop-eu has 90% of its maxclients.')],
    '60m': [],
  }),

  t.case('RedisRejectingConnections', {
    [c('redis_rejected_connections_total')]: '0+0x9 10+0x80',
    [second('redis_rejected_connections_total', 'shop-eu')]: '0+0x9 10+0x80',
    [c('redis_rejected_connections_total', 'shop-us')]: '7+0x80',
  }, {
    '9m': [],
    '12m': [fires('critical', 'shop-eu has reached its maxclients and refused 10 clients in five minutes.')],
    '40m': [],
  }),

  // Time begins at 0 here.
  t.case('RedisCredentialsExpiring', {
    [c('redis_credentials_expiry_timestamp_seconds')]: '864000+0x150 86400000+0x60',
    [c('redis_tls_certificate_expiry_timestamp_seconds', 'shop-us')]: '172800+0x150 86400000+0x60',
    [c('redis_tls_certificate_expiry_timestamp_seconds', 'shop-ap')]: '1296000+0x80 1382400+0x130',
  }, {
    '5m': [],
    '30m': [
      fires('critical', 'The certificate of shop-us expires in 1d 23h 30m 0s.', 'shop-us', { what: 'certificate' }),
    ],
    '120m': [
      fires('warning', 'The password of shop-eu expires in 9d 22h 0m 0s.', labels={ what: 'password' }),
      fires('warning', 'The certificate of shop-us expires in 1d 22h 0m 0s.', 'shop-us', { what: 'certificate' }),
      fires('critical', 'The certificate of shop-us expires in 1d 22h 0m 0s.', 'shop-us', { what: 'certificate' }),
    ],
    '170m': [],
  }),
], needs=['queuefleet-connection.rules', 'queuefleet-connection'])
