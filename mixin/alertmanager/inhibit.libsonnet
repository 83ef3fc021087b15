// What silences what: causes silence their symptoms. Alertmanager takes a label
// that is missing on both sides as equal, so every label that must be equal is
// also required to be there, and no alert is source and target of one rule.
function(config)
  local names = import 'names.libsonnet';
  local alert(pattern) = names.matches('alertname', pattern);
  local given(labels) = std.map(names.given, labels);
  local scope = config.scopeLabels;

  // causes silence symptoms with the same labels in where, and in scope, which a
  // fleet need not have. but tells which of the symptoms are not meant.
  local rule(causes, symptoms, where, but='') = {
    source_matchers: [alert(causes)] + given(where),
    target_matchers: [alert(symptoms)] +
                     (if but == '' then [] else [names.matchesNot('alertname', but)]) + given(where),
    equal: scope + where,
  };

  [
    // Without any exporter, what is said of Redis is of the past. One of several
    // exporters that is down must not silence what the others see.
    rule('QueuefleetExporterAbsent', 'Redis.+', []),
    // Refused credentials are why the connection counts as down.
    rule('RedisAuthFailing', 'RedisConnectionDown', ['connection']),
    // A server that is away takes everything about it along, but not what may be
    // the reason.
    rule(
      'RedisConnectionDown',
      'Redis.+|QueuefleetSupervisor(ScalerBlind|WorkersMissing|WorkersCrashLooping|FailureRatioHigh|AtMaxAndLate)',
      ['connection'],
      but='RedisConnectionDown|RedisAuthFailing|RedisCredentialsExpiring',
    ),
    // Over a broken link a replica lags, and is missing at its master.
    rule('RedisReplicationBroken', 'RedisReplicaLagging|RedisReplicaMissing', ['connection']),
    // Full is more than nearly full.
    rule('RedisMemoryFull', 'RedisMemory(NearLimit|WillFill)', ['connection']),
    // An inactive Horizon has no workers.
    rule('RedisHorizonInactive', 'RedisQueueHasNoWorkers', ['application', 'connection']),
    // Nobody works the queue: of course its jobs wait.
    rule(
      'RedisQueue(HasNoWorkers|PausedTooLong|NotDraining)',
      'RedisQueue(WaitBudgetBurn|OldestJobTooOld|BacklogGrowing|DelayedOverdue|JobsStalled)',
      ['application', 'connection', 'queue'],
    ),
    // What cannot start counts as crashing, too, its workers are missing, and a
    // higher maximum would not help.
    rule(
      'QueuefleetSupervisorCannotStart',
      'QueuefleetSupervisor(WorkersCrashLooping|WorkersMissing|AtMaxAndLate)',
      ['application', 'connection', 'pool'],
    ),
    // Workers are missing because they do not live long.
    rule(
      'QueuefleetSupervisorWorkersCrashLooping',
      'QueuefleetSupervisor(WorkersMissing|AtMaxAndLate)',
      ['application', 'connection', 'pool'],
    ),
    // A program that is down does not deliver its scrapes: that is said already.
    rule(
      'QueuefleetExporter(Down|Absent)|QueuefleetSupervisor(Down|Absent)',
      'QueuefleetMonitoringBudgetBurn',
      [],
    ),
    // A supervisor that is down has nothing else to say of itself. That nobody
    // works a queue is what users notice, and is still told.
    rule(
      'QueuefleetSupervisorDown',
      'QueuefleetSupervisor.+',
      ['job', 'instance'],
      but='QueuefleetSupervisorDown',
    ),
    // The same alert at two severities: the graver one speaks. Here labels may be
    // missing, on both sides: the name is the same, so what it is about is, too.
    {
      source_matchers: [names.is('severity', 'critical')],
      target_matchers: [names.matches('severity', 'warning|info')],
      equal: ['alertname'] + scope + ['team', 'application', 'connection', 'queue', 'pool', 'node', 'what', 'job', 'instance'],
    },
  ]
