// Small helpers for recording rules.
{
  // A rule from name and expression.
  record(name, expr):: { record: name, expr: expr },

  // Aggregation that collapses HA exporters: max by (by) (metric{selector}).
  max(by, series):: 'max by (%s) (%s)' % [by, series],

  // An `or` over vectors that have the same labels: plain `or` would keep only
  // the first of them, so each gets a label of its own before the aggregation.
  each(operator, by, parts):: '%s by (%s) (\n  %s\n)' % [operator, by, std.join('\n  or\n  ', [
    'label_replace(%s, "part", "%s", "", "")' % [parts[name], name]
    for name in std.objectFields(parts)
  ])],
}
