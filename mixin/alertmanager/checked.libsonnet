// _config, or an error that names the key which is wrong. What Alertmanager
// itself would only refuse when it starts, or not at all, is refused here.
function(original)
  // A receiver that is null is none, so that one of the defaults can be removed.
  local present(team) =
    if !std.isObject(team) then team
    else { [key]: team[key] for key in std.objectFields(team) if team[key] != null };
  local config = original {
    teams: { [name]: present(original.teams[name]) for name in std.objectFields(original.teams) if original.teams[name] != null },
    alertmanager+: { fallback: present(original.alertmanager.fallback) },
  };
  local am = config.alertmanager;
  local isString(value) = std.type(value) == 'string' && value != '';
  local isStrings(value) =
    std.isArray(value) && std.length(value) > 0 &&
    std.length(std.filter(isString, value)) == std.length(value);
  local list(names) = std.join(', ', std.sort(names));

  // Whether an object has no other keys than these, all of them text.
  local knows(object, names) =
    std.length([name for name in std.objectFields(object) if !std.member(names, name) || !isString(object[name])]) == 0;

  local has(text, part) = std.length(std.findSubstr(part, text)) > 0;
  local digits = std.stringChars('0123456789');
  local isURL(value) =
    isString(value) && !has(value, ' ') &&
    std.length([scheme for scheme in ['http://', 'https://'] if std.startsWith(value, scheme) && std.length(value) > std.length(scheme)]) > 0;
  // host:port, which is all that a mail server's address may be.
  local isHostPort(value) =
    local parts = std.split(value, ':');
    local port = parts[std.length(parts) - 1];
    std.length(parts) > 1 && port != '' && std.length([c for c in std.stringChars(port) if !std.member(digits, c)]) == 0;
  local letters = std.stringChars('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_');
  local isLabel(value) =
    isString(value) && std.member(letters, value[0]) &&
    std.length([c for c in std.stringChars(value) if !std.member(letters + digits, c)]) == 0;

  // The receivers that a team may have, with what each may be.
  local isSlack(value) = isString(value) || (std.isObject(value) && isString(std.get(value, 'channel')) && knows(value, ['channel', 'apiURLFile']));
  local isEmail(value) = isString(value) || isStrings(value);
  local isWebhook(value) = isURL(value) || (std.isObject(value) && isURL(std.get(value, 'url')) && knows(value, ['url', 'credentialsFile']));
  local kinds = {
    slack: { ok: isSlack, what: 'a channel, or {channel, apiURLFile}' },
    email: { ok: isEmail, what: 'an address or a list of addresses' },
    webhook: { ok: isWebhook, what: 'an address such as https://hooks.example, or {url, credentialsFile}' },
    pagerduty: { ok: isString, what: 'the name of the file that holds the routing key' },
    applications: { ok: isStrings, what: 'a list of regular expressions' },
  };
  local receivers = ['slack', 'email', 'webhook', 'pagerduty'];

  // The mistakes of one team, whose place in the configuration is key.
  local mistakes(key, team, known) =
    if !std.isObject(team) then [[key, 'must be an object']]
    else
      [
        [key + '.' + name, 'no such key; known are: ' + list(known)]
        for name in std.objectFields(team)
        if !std.member(known, name)
      ] + [
        [key + '.' + name, 'must be ' + kinds[name].what]
        for name in std.objectFields(team)
        if std.member(known, name) && !kinds[name].ok(team[name])
      ] + (
        if std.length([name for name in receivers if std.objectHas(team, name)]) > 0 then []
        else [[key, 'has no receiver: it needs at least one of ' + list(receivers)]]
      ) + (
        if std.isString(std.get(team, 'slack')) && !isString(am.slackAPIURLFile)
        then [[key + '.slack', 'has no address: set alertmanager.slackAPIURLFile, or slack.apiURLFile of the team']]
        else []
      ) + (
        if std.objectHas(team, 'email') && !(isString(am.smtp.smarthost) && isString(am.smtp.from))
        then [[key + '.email', 'cannot be sent: set alertmanager.smtp.smarthost and alertmanager.smtp.from']]
        else []
      );

  // A duration as Prometheus and Alertmanager write it: 45s, 1h30m.
  local isDuration(value) =
    isString(value) && std.member(digits, value[0]) && !std.member(digits, value[std.length(value) - 1]) &&
    std.length([c for c in std.stringChars(value) if !std.member(digits + ['m', 's', 'h', 'd', 'w', 'y'], c)]) == 0;

  local all =
    std.flattenArrays([
      mistakes('teams.' + name, config.teams[name], receivers + ['applications'])
      for name in std.objectFields(config.teams)
    ]) +
    mistakes('alertmanager.fallback', am.fallback, receivers) +
    [
      ['alertmanager.' + key, 'must be a duration such as 45s or 12h']
      for key in ['groupWait', 'groupInterval', 'repeatCritical', 'repeatWarning', 'repeatNonProduction']
      if !isDuration(am[key])
    ] + (if isDuration(config.scrapeInterval) then [] else [['scrapeInterval', 'must be a duration such as 15s']]) + [
      ['alertmanager.' + key, 'no such interval: %s; alertmanager.timeIntervals has %s' % [name, list(std.objectFields(am.timeIntervals))]]
      for key in ['nonProductionActive', 'warningsMuted']
      for name in am[key]
      if !std.objectHas(am.timeIntervals, name)
    ] + [
      ['alertmanager.timeIntervals.' + name, 'must be a list of times']
      for name in std.objectFields(am.timeIntervals)
      if !std.isArray(am.timeIntervals[name])
    ] + [
      [key, 'must be an address such as https://monitoring.example']
      for key in ['grafanaURL', 'prometheusURL', 'alertmanagerURL']
      if config[key] != '' && !isURL(config[key])
    ] + [
      ['runbookURLPattern', 'must have one %s, which stands for the name of the alert, and write any other % as %%']
      for pattern in [std.strReplace(config.runbookURLPattern, '%%', '')]
      if std.length(std.findSubstr('%', pattern)) != 1 || !has(pattern, '%s')
    ] + [
      [key, '%s: is no name of a label' % std.toString(name)]
      for key in ['scopeLabels', 'connectionLabels', 'queueLabels', 'poolLabels', 'supervisorLabels']
      for name in config[key]
      if !isLabel(name) && (key == 'scopeLabels' || !std.member(config.scopeLabels, name))
    ] + (
      if am.smtp.smarthost == '' || isHostPort(am.smtp.smarthost) then []
      else [['alertmanager.smtp.smarthost', 'must be host:port']]
    ) + (
      if am.heartbeat.url == '' || isURL(am.heartbeat.url) then []
      else [['alertmanager.heartbeat.url', 'must be an address such as https://heartbeat.example']]
    ) + (
      if isString(am.heartbeat.url) && isString(am.heartbeat.urlFile)
      then [['alertmanager.heartbeat', 'url and urlFile exclude each other']]
      else []
    );

  if std.length(all) == 0 then config
  else error std.join('\n', ['_config.%s: %s' % mistake for mistake in all])
