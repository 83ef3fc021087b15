// The closed rows of the Connection dashboard.
function(config)
  local g = (import '../lib/g.libsonnet')(config);
  local d = g.d;
  local t = config.thresholds;
  local pick = g.pick() + ', connection="$connection"';
  local raw = g.redis() + ', connection="$connection"';
  local node(metric, more='', by='') = 'max by (connection, node%s) (%s{%s%s})' % [by, metric, raw, more];
  local rate(metric, more='', by='') = 'max by (connection, node%s) (rate(%s{%s%s}[$__rate_interval]))' % [by, metric, raw, more];
  local panel(o) = g.timeseries({ h: 7 } + o);
  local row(title, list) = g.row(title, list, collapsed=true);

  local queues = row('What it is, and what lives on it', [
    g.table({
      title: 'Where it is',
      ask: 'What does the configuration say about this connection, and since when does its server run?',
      good: 'The address that you expect; one server, or the nodes of a Cluster.',
      next: 'Queuefleet’s configuration.',
      by: g.by.connection,
      columns: [
        { label: 'address', name: 'Address' },
        { label: 'mode', name: 'Reached as', width: 130 },
        { label: 'database', name: 'Database', width: 110 },
        { label: 'provider', name: 'Provider', width: 160 },
        { label: 'team', name: 'Team', width: 130 },
        { expr: 'redis_connection_info{%s}' % raw, keep: 'address, mode, database, provider', name: 'Info', unit: 'none', hide: true },
        { expr: 'max by (%s) (redis_start_time_seconds{%s}) * 1000' % [g.by.connection, raw], name: 'Server started', unit: 'dateTimeFromNow', width: 180 },
      ],
      hide: ['connection'] + config.scopeLabels,
      sort: 'Address',
      h: 4,
    }),
    g.table({
      title: 'Queues here',
      ask: 'What suffers if this connection does?',
      good: 'All in time.',
      next: 'A queue by its name.',
      by: 'application, queue, team',
      columns: [
        { label: 'application', name: 'Application', links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'queue', name: 'Queue', links: [g.drilldown('Queues', 'queuefleet-queues', { application: '${__data.fields.application:percentencode}', connection: '${connection:percentencode}', queue: '${__data.fields.queue:percentencode}' })] },
        { label: 'team', name: 'Team', width: 110 },
        { expr: g.late(pick), name: 'State', unit: 'none', maps: d.maps.late, thresholds: d.noneWanted(), cell: 'background', width: 90, align: 'center' },
        { expr: 'queue:redis_queue_waiting_seconds:max{%s}' % pick, name: 'Longest wait', unit: 's', decimals: 0, width: 125 },
        { expr: 'queue:redis_queue_ready_jobs:max{%s}' % pick, name: 'Ready', unit: 'short', width: 80 },
        { expr: 'queue:redis_queue_workers:max{%s}' % pick, name: 'Workers', unit: 'short', thresholds: d.anyWanted, unknown: 'not counted', width: 110 },
      ],
      sort: ['State', 'Longest wait'],
      w: 14,
      h: 8,
    }),
    g.table({
      title: 'Applications here',
      ask: 'Who uses this connection, as their first or their second?',
      good: 'Used lately by those that should.',
      next: 'Application.',
      by: 'application, primary, priority',
      columns: [
        { label: 'application', name: 'Application', links: [g.rowLink('Application', 'queuefleet-application', ['application'])] },
        { label: 'primary', name: 'Use', maps: d.maps.primary },
        { label: 'priority', name: 'Priority', align: 'right', width: 90 },
        {
          expr: |||
            time() -
            max by (application, primary, priority) (
              queuefleet_application_connection_info{%(fleet)s, connection="$connection"}
              * on (application) group_left ()
              max by (application) (queuefleet_application_connection_last_used_timestamp_seconds{%(fleet)s, connection="$connection"})
            )
            or
            max by (application, primary, priority) (queuefleet_application_connection_info{%(fleet)s, connection="$connection"}) * NaN
          ||| % { fleet: g.fleet },
          name: 'Last held a job',
          unit: 's',
          decimals: 0,
          unknown: 'Not seen',
        },
      ],
      sort: 'Priority',
      w: 10,
      h: 8,
    }),
  ]);

  local commands = row('Commands by kind (--collector.commandstats)', [
    panel({
      title: 'Calls by command',
      ask: 'What is it asked?',
      good: 'BLPOP, LPUSH, EVALSHA and the like on a queue store; KEYS and large SMEMBERS never.',
      next: 'Time by command.',
      targets: { expr: g.top(10, rate('redis_commands_total', by=', cmd'), 'connection, node, cmd'), legend: '{{cmd}} {{node}}' },
      unit: 'ops',
      w: 12,
    }),
    panel({
      title: 'Time by command',
      ask: 'On what does it spend its thread?',
      good: 'No command alone near 100 % of a core.',
      next: 'Who sends it: `CLIENT LIST`, slow log.',
      targets: { expr: g.top(10, rate('redis_commands_duration_seconds_total', by=', cmd'), 'connection, node, cmd'), legend: '{{cmd}} {{node}}' },
      unit: 'percentunit',
      w: 12,
    }),
    panel({
      title: 'Time per call',
      ask: 'Which command is slow each time?',
      good: 'Microseconds.',
      next: 'Slow log: `SLOWLOG GET`.',
      targets: {
        expr: g.top(8, '%s / (%s > 0)' % [rate('redis_commands_duration_seconds_total', by=', cmd'), rate('redis_commands_total', by=', cmd')], 'connection, node, cmd'),
        legend: '{{cmd}} {{node}}',
      },
      unit: 's',
    }),
    panel({
      title: 'Failed and rejected calls',
      ask: 'Which commands does it refuse or fail?',
      good: '0. Rejected: before they ran, as by access rules or when it is full.',
      next: 'Errors by kind.',
      targets: [
        { expr: g.top(3, rate('redis_commands_failed_calls_total', by=', cmd'), 'connection, node, cmd'), legend: '{{cmd}} failed' },
        { expr: g.top(3, rate('redis_commands_rejected_calls_total', by=', cmd'), 'connection, node, cmd'), legend: '{{cmd}} rejected' },
      ],
      unit: 'ops',
    }),
    panel({
      title: 'Errors by kind',
      ask: 'What does it answer instead of a result?',
      good: 'None. OOM: full; NOPERM: access rules; MOVED: a client that knows no Cluster; NOSCRIPT after a restart is harmless.',
      next: 'The application’s log.',
      targets: [
        { expr: g.top(8, rate('redis_errors_total', by=', err'), 'connection, node, err'), legend: '{{err}} {{node}}' },
        { expr: rate('redis_total_error_replies'), legend: 'all {{node}}' },
      ],
      unit: 'ops',
    }),
  ]);

  local slow = row('Slow log and latency (--collector.latency)', [
    panel({
      title: 'New slow commands',
      ask: 'How many commands a minute are slower than the server’s limit?',
      good: 'Below %g a minute.' % t.slowCommandsPerMinute,
      next: '`qftool`’s or redis-cli’s `SLOWLOG GET`.',
      targets: { expr: '60 * ' + rate('redis_slowlog_last_id'), legend: 'a minute {{node}}' },
      unit: 'short',
      thresholds: d.limit(t.slowCommandsPerMinute, 'orange'),
      w: 6,
    }),
    panel({
      title: 'Last slow command',
      ask: 'How slow was the latest of them, and how many are kept?',
      good: 'Milliseconds.',
      next: '`SLOWLOG GET 1`.',
      targets: [
        { expr: node('redis_last_slow_execution_duration_seconds'), legend: 'took {{node}}' },
        { expr: node('redis_slowlog_length'), legend: 'kept {{node}}' },
      ],
      unit: 's',
      overrides: [g.overrideQuery('B', { unit: 'short', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0 })],
      w: 6,
    }),
    panel({
      title: '99th percentile by command',
      ask: 'How slow is the slowest hundredth of the calls?',
      good: 'Below a millisecond.',
      next: 'Time per call.',
      targets: { expr: g.top(8, node('redis_latency_percentiles_usec', ', quantile=~"99(.0)?"', ', cmd'), 'connection, node, cmd'), legend: '{{cmd}} {{node}}' },
      unit: 'µs',
      w: 6,
    }),
    panel({
      title: 'Latency spikes',
      ask: 'What made it stall, as it has noticed itself?',
      good: 'None. fork: background saves; command: a slow command; expire-cycle: many keys at once.',
      next: '`LATENCY DOCTOR`.',
      targets: [
        { expr: node('redis_latency_spike_duration_seconds', by=', event_name'), legend: '{{event_name}} {{node}}' },
        { expr: 'time() - ' + node('redis_latency_spike_last', by=', event_name'), legend: '{{event_name}} {{node}} ago' },
      ],
      unit: 's',
      overrides: [g.overrideQuery('B', { unit: 'dthms', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0, 'custom.lineStyle': { fill: 'dash', dash: [2, 6] } })],
      w: 6,
    }),
  ]);

  local memory = row('Memory in detail', [
    panel({
      title: 'What the memory is for',
      ask: 'Is it data, or what it takes to keep it?',
      good: 'Mostly data on a full one.',
      next: 'Keys.',
      targets: [
        { expr: node('redis_memory_used_dataset_bytes'), legend: 'data {{node}}' },
        { expr: node('redis_memory_used_overhead_bytes'), legend: 'overhead {{node}}' },
        { expr: node('redis_memory_used_peak_bytes'), legend: 'peak {{node}}' },
        { expr: node('redis_total_system_memory_bytes'), legend: 'the machine’s {{node}}' },
      ],
      unit: 'bytes',
      overrides: [g.overrideQuery('D', { 'custom.hideFrom': { legend: false, tooltip: false, viz: true } })],
    }),
    panel({
      title: 'Fragmentation',
      ask: 'How much does it hold that it does not use?',
      good: 'Ratio below %g; small servers always look fragmented, so look at the bytes.' % t.fragmentationRatio,
      next: '`MEMORY DOCTOR`; activedefrag.',
      targets: [
        { expr: node('redis_mem_fragmentation_ratio'), legend: 'ratio {{node}}' },
        { expr: node('redis_mem_fragmentation_bytes'), legend: 'bytes {{node}}' },
      ],
      unit: 'short',
      overrides: [g.overrideQuery('B', { unit: 'bytes', 'custom.axisPlacement': 'right', 'custom.fillOpacity': 0 })],
    }),
    panel({
      title: 'Memory of clients',
      ask: 'Do clients’ buffers eat the memory?',
      good: 'Kilobytes a client.',
      next: '`CLIENT LIST`: omem and qbuf.',
      targets: [
        { expr: node('redis_mem_clients_normal'), legend: 'clients {{node}}' },
        { expr: node('redis_mem_clients_slaves'), legend: 'replicas {{node}}' },
        { expr: node('redis_client_recent_max_input_buffer_bytes'), legend: 'largest input {{node}}' },
        { expr: node('redis_client_recent_max_output_buffer_bytes'), legend: 'largest output {{node}}' },
      ],
      unit: 'bytes',
    }),
  ]);

  local keys = row('Keys', [
    panel({
      title: 'Keys by database',
      ask: 'How many keys are there, and how many of them end by themselves?',
      good: 'No endless growth of keys that never expire.',
      next: 'Memory.',
      targets: [
        { expr: node('redis_db_keys', by=', db'), legend: '{{db}} keys {{node}}' },
        { expr: node('redis_db_keys_expiring', by=', db'), legend: '{{db}} with an end {{node}}' },
      ],
      unit: 'short',
    }),
    panel({
      title: 'Mean time to live',
      ask: 'For how long are keys kept that expire?',
      good: 'What the application meant.',
      next: 'Evicted and expired keys.',
      targets: { expr: node('redis_db_avg_ttl_seconds', by=', db'), legend: '{{db}} {{node}}' },
      unit: 'dthms',
    }),
    panel({
      title: 'Lazy frees, channels, patterns',
      ask: 'What waits to be freed, and who listens?',
      good: 'Frees near 0; channels as many as the applications use.',
      next: 'Memory.',
      targets: [
        { expr: node('redis_lazyfree_pending_objects'), legend: 'to be freed {{node}}' },
        { expr: node('redis_pubsub_channels'), legend: 'channels {{node}}' },
        { expr: node('redis_pubsub_patterns'), legend: 'patterns {{node}}' },
      ],
      unit: 'short',
    }),
  ]);

  local access = row('Access and rejections', [
    panel({
      title: 'Rejected and cut connections',
      ask: 'Whom does it turn away?',
      good: '0. Each is a client that got an error.',
      next: 'Clients; maxclients and buffer limits of the server.',
      targets: [
        { expr: rate('redis_rejected_connections_total'), legend: 'rejected {{node}}' },
        { expr: rate('redis_evicted_clients_total'), legend: 'evicted {{node}}' },
        { expr: rate('redis_client_query_buffer_limit_disconnections_total'), legend: 'query buffer {{node}}' },
        { expr: rate('redis_client_output_buffer_limit_disconnections_total'), legend: 'output buffer {{node}}' },
      ],
      unit: 'ops',
      w: 6,
    }),
    panel({
      title: 'New connections',
      ask: 'Do clients connect again and again?',
      good: 'A few a second; many mean clients without a pool.',
      next: 'The application’s persistent connections.',
      targets: { expr: rate('redis_connections_received_total'), legend: 'new {{node}}' },
      unit: 'ops',
      w: 6,
    }),
    panel({
      title: 'Denied by access rules (Redis 7.2)',
      ask: 'Does anybody try what they may not?',
      good: '0.',
      next: '`ACL LOG`.',
      targets: [
        { expr: rate('redis_acl_access_denied_auth_total'), legend: 'password {{node}}' },
        { expr: rate('redis_acl_access_denied_cmd_total'), legend: 'command {{node}}' },
        { expr: rate('redis_acl_access_denied_key_total'), legend: 'key {{node}}' },
        { expr: rate('redis_acl_access_denied_channel_total'), legend: 'channel {{node}}' },
      ],
      unit: 'ops',
      w: 6,
    }),
    panel({
      title: 'Changes between up and down',
      ask: 'Does it flap between scrapes?',
      good: '0.',
      next: 'Failed probes by reason.',
      targets: { expr: 'max by (connection) (increase(redis_connection_state_changes_total{%s}[15m]))' % raw, legend: 'in 15 minutes' },
      unit: 'short',
      decimals: 0,
      thresholds: d.limit(t.connectionFlaps, 'orange'),
      w: 6,
    }),
  ]);

  [queues, commands, slow, memory, keys, access] + (import 'connection_storage.libsonnet')(config)
