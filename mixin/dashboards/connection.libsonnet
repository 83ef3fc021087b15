// Why is this Redis slow or sick?
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local pick = g.pick() + ', connection="$connection"';
  local raw = g.redis() + ', connection="$connection"';
  // One line a node: of a Cluster several, elsewhere one without a name.
  local node(metric, more='') = 'max by (connection, node) (%s{%s%s})' % [metric, raw, more];
  local rate(metric, more='', by='') = 'max by (connection, node%s) (rate(%s{%s%s}[$__rate_interval]))' % [by, metric, raw, more];
  local stat(o) = g.stat({ w: 3, h: 4 } + o);

  local now = g.row('Now', [
    stat({
      title: 'State',
      ask: 'Does this connection answer?',
      good: 'Up.',
      next: 'Failed probes by reason, below; `qftool connections test $connection`.',
      targets: 'max(connection:redis_up:max{%s})' % pick,
      unit: 'none',
      maps: d.maps.up,
      thresholds: d.anyWanted,
    }),
    stat({
      title: 'Ping',
      ask: 'How long does the round trip of a command take now?',
      good: 'Below %d ms; about 1 ms within a data centre.' % (t.pingSeconds * 1000),
      next: 'Slow log and latency, if the server is at fault; CPU.',
      targets: 'max(connection:redis_ping_duration_seconds:max{%s})' % pick,
      unit: 's',
      decimals: 1,
      thresholds: d.highBad(t.pingSeconds, t.pingSeconds * 10),
    }),
    stat({
      title: 'Memory used',
      ask: 'How full is it, of its maxmemory?',
      good: 'Below %d %%. A full one refuses writes or evicts, by its policy.' % (t.memoryRatio * 100),
      next: 'Memory, below; Capacity for when it will be full.',
      targets: 'max(connection:redis_memory_used:ratio{%s} or (connection:redis_memory_max_bytes:max{%s} == 0) - 1)' % [pick, pick],
      unit: 'percentunit',
      decimals: 0,
      maps: d.maps.noLimit,
      thresholds: d.highBad(t.memoryRatio, t.memoryFullRatio),
    }),
    stat({
      title: 'Clients of max',
      ask: 'How near is it to refusing connections?',
      good: 'Below %d %%.' % (t.clientsRatio * 100),
      next: 'Clients, below; `CLIENT LIST` for whose they are.',
      targets: 'max(connection:redis_clients:ratio{%s})' % pick,
      unit: 'percentunit',
      decimals: 1,
      thresholds: d.highBad(t.clientsRatio, 0.95),
    }),
    g.stat({
      title: 'Server',
      ask: 'What is it: its role, its version, what it does when it is full?',
      good: 'noeviction where queues live: any other policy may drop jobs.',
      next: 'Replication, if the role is not what it should be.',
      targets: {
        expr: 'topk(1, max by (role, redis_version, valkey_version, maxmemory_policy) (redis_instance_info{%s}))' % raw,
        legend: '{{role}} {{valkey_version}}{{redis_version}}, {{maxmemory_policy}}',
      },
      unit: 'none',
      textMode: 'name',
      colorMode: 'none',
      text: { titleSize: 18, valueSize: 18 },
      w: 4,
    }),
    stat({
      title: 'Uptime',
      ask: 'Has it been restarted lately?',
      good: 'Days. The shortest of a Cluster’s nodes.',
      next: 'Its host’s log.',
      targets: 'min(%s)' % node('redis_uptime_in_seconds'),
      unit: 's',
      decimals: 0,
      colorMode: 'value',
      w: 2,
    }),
    stat({
      title: 'Last answer',
      ask: 'How long ago was the last probe that succeeded?',
      good: 'Seconds: about a scrape interval.',
      next: 'Internals, if nobody looked; else failed probes by reason.',
      targets: 'time() - max(max by (connection) (redis_probe_last_success_timestamp_seconds{%s}))' % raw,
      unit: 's',
      decimals: 0,
      thresholds: d.highBad(120, 300),
    }),
    stat({
      title: 'Expires in',
      ask: 'When does the password or the certificate run out?',
      good: 'More than %d days. Without a date there is nothing to say.' % t.expiryDaysWarning,
      next: 'Whoever issues them; then change the file and reload.',
      targets: 'min(max by (connection) (redis_credentials_expiry_timestamp_seconds{%s}) or max by (connection) (redis_tls_certificate_expiry_timestamp_seconds{%s})) - time()' % [raw, raw],
      unit: 's',
      decimals: 0,
      unknown: 'No date',
      unknownColor: 'text',
      noValue: 'No date',
      colorMode: 'value',
      thresholds: d.lowBad(t.expiryDaysWarning * 86400, t.expiryDaysCritical * 86400),
    }),
  ]);

  local load = g.row('Latency, load, memory', [
    g.timeseries({
      title: 'Probe and ping',
      ask: 'How fast does it answer?',
      good: 'Both flat; a probe is a connection’s whole reading, a ping one round trip.',
      next: 'CPU: Redis does one thing at a time. Then slow log.',
      targets: [
        { expr: 'connection:redis_probe_duration_seconds:max{%s}' % pick, legend: 'probe' },
        { expr: 'connection:redis_ping_duration_seconds:max{%s}' % pick, legend: 'ping' },
      ],
      unit: 's',
    }),
    g.timeseries({
      title: 'Failed probes by reason',
      ask: 'Why does it not answer?',
      good: 'Nothing. refused: no server there; timeout: it hangs; auth: the password; maxclients: it is full.',
      next: '`qftool connections test $connection` says it in full.',
      targets: [
        { expr: 'max by (connection, reason) (rate(redis_probe_failures_total{%s}[$__rate_interval])) * 60 > 0 or on (connection) label_replace(max by (connection) (redis_up{%s}) * 0, "reason", "none", "", "")' % [raw, raw], legend: '{{reason}}' },
        { expr: 'connection:redis_probe_failures:ratio_rate5m{%s}' % pick, legend: 'share of all, 5 minutes' },
      ],
      unit: 'short',
      axisLabel: 'a minute',
      stack: true,
      overrides: [g.override('auth', g.fixed('orange')), g.override('timeout', g.fixed('yellow')), g.override('refused', g.fixed('red')), g.overrideQuery('B', g.fixed('text') { unit: 'percentunit', max: 1, 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0, 'custom.lineWidth': 1, 'custom.axisLabel': 'share', 'custom.stacking': { mode: 'none', group: 'B' } })],
    }),
    g.timeseries({
      title: 'Commands',
      ask: 'How much is it asked?',
      good: 'The usual shape of the day. Latency that climbs without it comes from single slow commands.',
      next: 'Commands by kind, below.',
      targets: { expr: rate('redis_commands_processed_total'), legend: 'commands {{node}}' },
      unit: 'ops',
    }),
    g.timeseries({
      title: 'Memory',
      ask: 'How much does it hold, and how much may it?',
      good: 'Used well below the limit; resident close to used.',
      next: 'Memory in detail; keys.',
      targets: [
        { expr: node('redis_memory_used_bytes'), legend: 'used {{node}}' },
        { expr: node('redis_memory_used_rss_bytes'), legend: 'resident {{node}}' },
        { expr: node('redis_memory_max_bytes') + ' > 0', legend: 'limit {{node}}' },
      ],
      unit: 'bytes',
      overrides: [g.overrideQuery('C', g.fixed('red') { 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [8, 8] } })],
    }),
    g.timeseries({
      title: 'Clients',
      ask: 'Who is connected, and who waits in a blocking command?',
      good: 'Far below the limit. Blocked ones are workers that wait for jobs, which is well.',
      next: 'Access and rejections, below.',
      targets: [
        { expr: node('redis_connected_clients'), legend: 'connected {{node}}' },
        { expr: node('redis_blocked_clients'), legend: 'blocked {{node}}' },
      ],
      unit: 'short',
    }),
    g.timeseries({
      title: 'CPU',
      ask: 'Is its one thread at its end?',
      good: 'The main thread below 80 % of a core. All: with background work and children.',
      next: 'Commands by kind: which of them costs most.',
      targets: [
        { expr: 'sum by (connection, node) (%s or %s)' % [rate('redis_cpu_sys_main_thread_seconds_total'), rate('redis_cpu_user_main_thread_seconds_total')], legend: 'main thread {{node}}' },
        { expr: std.join(' + ', [rate('redis_cpu_%s_seconds_total' % part) for part in ['sys', 'user', 'sys_children', 'user_children']]), legend: 'all {{node}}' },
      ],
      unit: 'percentunit',
      thresholds: d.limit(0.8, 'orange'),
    }),
    g.timeseries({
      title: 'Evicted and expired keys',
      ask: 'Does it throw data away?',
      good: 'Evicted 0 where queues live: each may be a job. Expired is normal.',
      next: 'Memory; the policy under Server.',
      targets: [
        { expr: rate('redis_evicted_keys_total'), legend: 'evicted {{node}}' },
        { expr: rate('redis_expired_keys_total'), legend: 'expired {{node}}' },
      ],
      unit: 'ops',
      overrides: [g.overrideQuery('A', g.fixed('red'))],
    }),
    g.timeseries({
      title: 'Network',
      ask: 'How much goes over the wire?',
      good: 'Far below what its network carries.',
      next: 'Largest buffers, below; large values.',
      targets: [
        { expr: rate('redis_net_input_bytes_total'), legend: 'in {{node}}' },
        { expr: '-' + rate('redis_net_output_bytes_total'), legend: 'out {{node}}' },
      ],
      unit: 'Bps',
    }),
    g.timeseries({
      title: 'Hit ratio',
      ask: 'Does it find what it is asked for?',
      good: 'High for a cache. Says nothing of a queue store, whose workers ask for jobs that are not there.',
      next: 'Keys.',
      targets: { expr: '%s / (%s + %s > 0)' % [rate('redis_keyspace_hits_total'), rate('redis_keyspace_hits_total'), rate('redis_keyspace_misses_total')], legend: 'hits {{node}}' },
      unit: 'percentunit',
      min: 0,
      max: 1,
    }),
  ]);

  g.dashboard({
    uid: 'queuefleet-connection',
    title: 'Queuefleet / Connection',
    desc: 'Why is this Redis slow or sick?',
    variables: ['connection'],
    single: ['connection'],
    rows: [now, load] + (import 'connection_details.libsonnet')(config),
  })
