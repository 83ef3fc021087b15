// Names of receivers, and matchers in the form that every Alertmanager since
// 0.22 reads the same way.
{
  nobody: 'null',
  heartbeat: 'heartbeat',
  fallback: 'fallback',
  page(team): team + '-page',
  tell(team): team + '-tell',

  local quoted(value) = std.escapeStringJson(value),
  is(label, value): label + '=' + quoted(value),
  isNot(label, value): label + '!=' + quoted(value),
  matches(label, pattern): label + '=~' + quoted(pattern),
  matchesNot(label, pattern): label + '!~' + quoted(pattern),
  given(label): label + '!=""',
  missing(label): label + '=""',
}
