// What rules and alerts need of _config, checked before anything is made of it.
function(config)
  // Shares: whoever writes 85 means 0.85.
  local shares = [
    'probeTimeoutRatio',
    'memoryRatio',
    'memoryFullRatio',
    'memoryForecastRatio',
    'clientsRatio',
    'failureRatioWarning',
    'failureRatioCritical',
    'scrapeTimeRatio',
  ];
  local seconds(duration) =
    local digits = std.substr(duration, 0, std.length(duration) - 1);
    local unit = std.substr(duration, std.length(duration) - 1, 1);
    if std.length(duration) > 1 && std.length(std.stripChars(digits, '0123456789')) == 0 && std.member(['s', 'm'], unit)
    then std.parseInt(digits) * (if unit == 'm' then 60 else 1)
    else error '_config.scrapeInterval: %s: write seconds or minutes, for example 15s' % duration;
  assert seconds(config.scrapeInterval) <= 60 : '_config.scrapeInterval: %s: at most 60s, since the shortest windows are of two minutes' % config.scrapeInterval;
  local problems = [
    '_config.%s: must not be empty: it keeps the series of other programs apart' % key
    for key in ['redisSelector', 'exporterSelector', 'supervisorSelector', 'prometheusSelector', 'alertmanagerSelector']
    if config[key] == ''
  ] + [
    '_config.thresholds.%s: %g: a share between 0 and 1 is meant' % [key, config.thresholds[key]]
    for key in shares
    if config.thresholds[key] <= 0 || config.thresholds[key] >= 1
  ];
  assert std.length(problems) == 0 : std.join('; ', problems);
  config
