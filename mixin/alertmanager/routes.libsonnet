// The tree of routes. The first that matches takes an alert:
//
//   watchdog            → heartbeat, every minute
//   info                → nobody
//   team, else application, else everybody's
//     not production    → told, in business hours
//     critical          → paged
//     all else          → told
//
// In each of the last, alerts of a connection are one message a connection.
function(config)
  local am = config.alertmanager;
  local names = import 'names.libsonnet';
  local receivers = (import 'receivers.libsonnet')(config);
  local scope = config.scopeLabels;

  // A route whose alerts about whole connections form groups of their own: one
  // dead server is one message, whatever it is about. Times that mute are not
  // inherited by Alertmanager, so that both routes have them.
  local leaf(matchers, options) = {
    [if matchers != [] then 'matchers']: matchers,
    group_by: scope + ['application', 'alertname'],
    routes: [{
      matchers: [names.given('connection'), names.missing('application')],
      group_by: scope + ['connection'],
    } + { [key]: options[key] for key in ['active_time_intervals', 'mute_time_intervals'] if std.objectHas(options, key) }],
  } + options;

  local nonProduction(team) = leaf(
    [names.given('environment'), names.matchesNot('environment', am.production)],
    {
      receiver: names.tell(team),
      repeat_interval: am.repeatNonProduction,
      [if am.nonProductionActive != [] then 'active_time_intervals']: am.nonProductionActive,
    },
  );
  local critical(team) = leaf(
    [names.is('severity', 'critical')],
    { receiver: names.page(team), repeat_interval: am.repeatCritical },
  );
  local rest(team) = leaf(
    [],
    {
      receiver: names.tell(team),
      repeat_interval: am.repeatWarning,
      [if am.warningsMuted != [] then 'mute_time_intervals']: am.warningsMuted,
    },
  );

  // All of one team. The last leaf takes what the others leave.
  local team(name, matchers) = {
    matchers: matchers,
    receiver: names.tell(name),
    routes: [nonProduction(name), critical(name), rest(name)],
  };

  local watchdog = {
    matchers: [names.is('alertname', 'QueuefleetWatchdog')],
    receiver: if receivers.watched then names.heartbeat else names.nobody,
    group_by: ['alertname'],
    group_wait: '0s',
    group_interval: '1m',
    repeat_interval: '1m',
  };

  local teams = std.objectFields(config.teams);
  {
    receiver: names.tell(names.fallback),
    group_by: scope + ['application', 'alertname'],
    group_wait: am.groupWait,
    group_interval: am.groupInterval,
    repeat_interval: am.repeatWarning,
    routes:
      [
        watchdog,
        { matchers: [names.is('severity', 'info')], receiver: names.nobody },
      ] +
      [team(name, [names.is('team', name)]) for name in teams] +
      [
        team(name, [names.missing('team'), names.matches('application', std.join('|', config.teams[name].applications))])
        for name in teams
        if std.objectHas(config.teams[name], 'applications')
      ] +
      [nonProduction(names.fallback), critical(names.fallback), rest(names.fallback)],
  }
