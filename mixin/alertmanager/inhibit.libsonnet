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
    // Refused credentials are why the connection counts as down.
    rule('RedisAuthFailing', 'RedisConnectionDown', ['connection']),
    // A server that is away takes everything about it along.
    rule(
      'RedisConnectionDown',
      'Redis.+|QueuefleetSupervisorScalerBlind',
      ['connection'],
      but='RedisConnectionDown|RedisAuthFailing',
    ),
    // Over a broken link a replica lags, and is missing at its master.
    rule('RedisReplicationBroken', 'RedisReplicaLagging|RedisReplicaMissing', ['connection']),
    // Nobody works the queue: of course its jobs wait.
    rule(
      'RedisQueue(HasNoWorkers|PausedTooLong|NotDraining)',
      'RedisQueue(WaitBudgetBurn|OldestJobTooOld|BacklogGrowing)',
      ['application', 'connection', 'queue'],
    ),
    // A supervisor that is down has nothing else to say of itself.
    rule(
      'QueuefleetSupervisorDown',
      'QueuefleetSupervisor.+',
      ['job', 'instance'],
      but='QueuefleetSupervisorDown',
    ),
    // The same alert at two severities: the graver one speaks. The name and
    // everything that may identify what it is about are equal, or both missing.
    {
      source_matchers: [names.is('severity', 'critical')],
      target_matchers: [names.matches('severity', 'warning|info')],
      equal: ['alertname'] + scope + ['team', 'application', 'connection', 'queue', 'pool', 'node', 'job', 'instance'],
    },
  ]
