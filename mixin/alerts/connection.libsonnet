// Connections: is the server there, how fast, how full.
//
// Gauges are looked at over a window: one lost scrape neither fires nor
// resolves.
function(config)
  local s = (import '../lib/selectors.libsonnet')(config);
  local t = config.thresholds;
  local by = s.by.connection;
  local memory = 'avg_over_time(connection:redis_memory_used:ratio[5m])';
  local policy(regex) = 'max by (%s) (max_over_time(redis_instance_info{%s, maxmemory_policy=~"%s"}[5m]))' % [by, s.redis, regex];
  // Stores on which an eviction may take a job: allkeys-* takes any key, while
  // volatile-* leaves keys without an expiry alone, as those of queues are.
  local unsafe = '(%s and on (%s) max_over_time(connection:redis_queues:bool[5m]))' % [policy('allkeys-.*'), s.by.store];
  local expiring(days) = |||
    min by (%(by)s, what) (
      label_replace(max_over_time(redis_credentials_expiry_timestamp_seconds{%(redis)s}[5m]), "what", "password", "", "")
      or
      label_replace(max_over_time(redis_tls_certificate_expiry_timestamp_seconds{%(redis)s}[5m]), "what", "certificate", "", "")
    ) - time() < %(days)g * 86400
  ||| % { by: by, redis: s.redis, days: days };
  local expiry = {
    name: 'RedisCredentialsExpiring',
    dashboard: 'connection',
    summary: 'A password or a certificate of a connection expires soon.',
    description: 'The {{ $labels.what }} of {{ $labels.connection }} expires in {{ $value | humanizeDuration }}.',
  };

  [
    {
      name: 'RedisConnectionDown',
      severity: 'critical',
      'for': '1m',
      keep: '5m',
      dashboard: 'connection',
      // Not `up`: the exporter answers whatever its servers do.
      expr: 'max_over_time(connection:redis_up:max[2m]) == 0',
      summary: 'A Redis connection does not answer.',
      description: '{{ $labels.connection }} has not answered any probe for two minutes. Its queues cannot be read.',
    },
    {
      name: 'RedisConnectionFlapping',
      severity: 'warning',
      keep: '15m',
      dashboard: 'connection',
      expr: 'max by (%s) (increase(redis_connection_state_changes_total{%s}[15m])) > %g' % [by, s.redis, t.connectionFlaps],
      summary: 'A Redis connection comes and goes.',
      description: '{{ $labels.connection }} changed between up and down {{ $value | printf "%.0f" }} times in 15 minutes.',
    },
    {
      name: 'RedisAuthFailing',
      severity: 'critical',
      'for': '2m',
      dashboard: 'connection',
      expr: 'max by (%s, reason) (increase(redis_probe_failures_total{%s, reason=~"auth|noperm"}[5m])) > 0' % [by, s.redis],
      summary: 'A Redis server refuses the credentials of a connection.',
      description: '{{ $labels.connection }} refuses Queuefleet: {{ if eq $labels.reason "auth" }}user or password are wrong{{ else }}the user may not PING{{ end }}.',
    },
    {
      name: 'RedisProbeTimeouts',
      severity: 'warning',
      'for': '10m',
      dashboard: 'connection',
      expr: |||
        sum by (%(by)s) (rate(redis_probe_failures_total{%(redis)s, reason="timeout"}[5m]))
        /
        (sum by (%(by)s) (rate(redis_probes_total{%(redis)s}[5m])) > 0)
        > %(limit)g
      ||| % { by: by, redis: s.redis, limit: t.probeTimeoutRatio },
      summary: 'Probes of a Redis connection run into their deadline.',
      description: '{{ $value | humanizePercentage }} of the probes of {{ $labels.connection }} got no answer in time.',
    },
    {
      name: 'RedisLatencyHigh',
      severity: 'warning',
      'for': '10m',
      dashboard: 'connection',
      expr: 'avg_over_time(connection:redis_ping_duration_seconds:max[5m]) > %g' % t.pingSeconds,
      summary: 'A Redis server answers slowly.',
      description: 'A round trip to {{ $labels.connection }} takes {{ $value | humanizeDuration }} on average.',
    },
    {
      name: 'RedisLatencyAbnormal',
      severity: 'info',
      optional: true,
      'for': '15m',
      dashboard: 'connection',
      // Beside the half-hours of a day, if there are at least 24 of them; those
      // of the last two hours would hide what they are part of.
      expr: |||
        avg_over_time(connection:redis_ping_duration_seconds:max[30m])
        > %(floor)g
        and
        avg_over_time(connection:redis_ping_duration_seconds:max[30m])
        >
        avg_over_time(connection:redis_ping_duration_seconds:slice30m[1d] offset 2h)
        + %(deviations)g * stddev_over_time(connection:redis_ping_duration_seconds:slice30m[1d] offset 2h)
        and
        count_over_time(connection:redis_ping_duration_seconds:slice30m[1d] offset 2h) >= 24
      ||| % { floor: t.pingAbnormalSeconds, deviations: t.pingDeviations },
      summary: 'A Redis server answers more slowly than it did in the last day.',
      description: 'A round trip to {{ $labels.connection }} takes {{ $value | humanizeDuration }} on average of half an hour, far above its day.',
    },
    {
      name: 'RedisMemoryNearLimit',
      severity: 'warning',
      'for': '15m',
      dashboard: 'connection',
      expr: '%s > %g' % [memory, t.memoryRatio],
      summary: 'A Redis server has used most of its maxmemory.',
      description: '{{ $labels.connection }} has used {{ $value | humanizePercentage }} of its maxmemory.',
    },
    {
      name: 'RedisMemoryFull',
      severity: 'critical',
      'for': '5m',
      dashboard: 'connection',
      expr: '%s > %g\nand on (%s)\n%s' % [memory, t.memoryFullRatio, by, policy('noeviction')],
      summary: 'A Redis server is full and refuses writes.',
      description: '{{ $labels.connection }} has used {{ $value | humanizePercentage }} of its maxmemory and evicts nothing: new jobs are refused.',
    },
    {
      name: 'RedisMemoryWillFill',
      severity: 'warning',
      'for': '30m',
      dashboard: 'capacity',
      expr: |||
        predict_linear(connection:redis_memory_used:ratio[1h], %(hours)g * 3600) > 1
        and
        avg_over_time(connection:redis_memory_used:ratio[5m]) > %(from)g
      ||| % { hours: t.memoryForecastHours, from: t.memoryForecastRatio },
      summary: 'A Redis server will soon reach its maxmemory.',
      description: '{{ $labels.connection }} reaches its maxmemory within %g hours at the pace of the last hour.' % t.memoryForecastHours,
    },
    {
      name: 'RedisEvicting',
      severity: 'warning',
      'for': '15m',
      dashboard: 'connection',
      expr: 'max_over_time(connection:redis_evicted_keys:rate5m[5m]) > %g\nunless on (%s)\n%s' % [t.evictionsPerSecond, by, unsafe],
      summary: 'A Redis server evicts keys.',
      description: '{{ $labels.connection }} evicts {{ $value | humanize }} keys a second, since it is full. None of them is a job.',
    },
    {
      name: 'RedisQueueStoreEvicting',
      severity: 'critical',
      keep: '30m',
      dashboard: 'connection',
      expr: 'max_over_time(connection:redis_evicted_keys:rate5m[5m]) * 300 > 0\nand on (%s)\n%s' % [by, unsafe],
      summary: 'A Redis server with queues evicts keys: jobs may be lost.',
      description: '{{ $labels.connection }} holds queues, is full and has evicted {{ $value | printf "%.0f" }} keys within five minutes: any key may be among them, whole queues too.',
    },
    {
      name: 'RedisQueueStorePolicyUnsafe',
      severity: 'warning',
      'for': '1h',
      dashboard: 'connection',
      expr: '%s\nand on (%s)\nmax_over_time(connection:redis_memory_max_bytes:max[5m]) > 0' % [unsafe, by],
      summary: 'A Redis server with queues would evict jobs once it is full.',
      description: '{{ $labels.connection }} holds queues and has an allkeys eviction policy: once it has reached its maxmemory, it throws jobs away.',
    },
    {
      name: 'RedisClientsNearLimit',
      severity: 'warning',
      'for': '10m',
      dashboard: 'connection',
      expr: 'avg_over_time(connection:redis_clients:ratio[5m]) > %g' % t.clientsRatio,
      summary: 'A Redis server has nearly as many clients as it accepts.',
      description: '{{ $labels.connection }} has {{ $value | humanizePercentage }} of its maxclients.',
    },
    {
      name: 'RedisRejectingConnections',
      severity: 'critical',
      keep: '10m',
      dashboard: 'connection',
      expr: 'max by (%s) (increase(redis_rejected_connections_total{%s}[5m])) > 0' % [by, s.redis],
      summary: 'A Redis server turns clients away.',
      description: '{{ $labels.connection }} has reached its maxclients and refused {{ $value | printf "%.0f" }} clients in five minutes.',
    },
    {
      name: 'RedisBlockedClientsHigh',
      severity: 'info',
      optional: true,
      'for': '15m',
      dashboard: 'connection',
      // Workers that wait in BLPOP are normal; twice as many as yesterday are not.
      expr: |||
        avg_over_time(connection:redis_blocked_clients:sum[30m])
        > %(factor)g * last_over_time(connection:redis_blocked_clients:slice30m[65m] offset 1d)
        and
        avg_over_time(connection:redis_blocked_clients:sum[30m]) > %(floor)g
      ||| % { factor: t.blockedClientsFactor, floor: t.blockedClients },
      summary: 'Many more clients wait in blocking commands than yesterday.',
      description: '{{ $value | humanize }} clients of {{ $labels.connection }} wait in blocking commands, on average of half an hour.',
    },
    expiry {
      severity: 'warning',
      'for': '1h',
      expr: expiring(t.expiryDaysWarning),
    },
    expiry {
      severity: 'critical',
      'for': '10m',
      expr: expiring(t.expiryDaysCritical),
    },
  ]
