// Unit tests of alerts, in the form that promtool reads.
//
// What is expected is written by hand: labels, and the description, which has
// values in it. Only the static texts, summary and runbook, are taken from the
// mixin itself.
local mixin = (import '../mixin.libsonnet') + {
  _config+:: {
    enabledOptionalAlerts: [
      'RedisLatencyAbnormal',
      'RedisBlockedClientsHigh',
      'QueuefleetSupervisorScalingThrashes',
      'QueuefleetSupervisorLogLinesDropped',
    ],
  },
};

// Plain values: what follows looks at them a thousand times.
local groups = std.parseJson(std.manifestJsonEx(mixin.prometheusRules.groups + mixin.prometheusAlerts.groups, ''));
local alerts = [r for g in groups for r in g.rules if std.objectHas(r, 'alert')];
local static(name, severity) = [a for a in alerts if a.alert == name && a.labels.severity == severity][0].annotations;

// One that fires: severity, further labels, and the description.
local firing(name, alert) = {
  exp_labels: { severity: alert.severity } + alert.labels,
  exp_annotations: {
    summary: static(name, alert.severity).summary,
    runbook_url: static(name, alert.severity).runbook_url,
    description: alert.description,
  },
};

{
  rules: { groups: groups },

  // Labels of the things that are looked at, as text and as object. Series of
  // exporters and supervisors have labels of their target, which alerts about
  // what they see must not have.
  exporter:: 'job="queuefleet", instance="exporter-1:10379"',
  exporter2:: 'job="queuefleet", instance="exporter-2:10379"',
  supervisor:: 'job="queuefleet-supervisor", instance="host-1:10380"',
  supervisor2:: 'job="queuefleet-supervisor", instance="host-2:10380"',
  place:: 'environment="production", region="eu-west-1", team="payments"',
  // Of the exporter: a connection's series, a queue's, with further labels.
  connection(metric, name, more=''):: '%s{%s, %s, connection="%s"%s}' % [metric, self.exporter, self.place, name, self.comma(more)],
  queue(metric, name, more=''):: '%s{%s, %s, application="shop", connection="shop-eu", queue="%s"%s}' % [metric, self.exporter, self.place, name, self.comma(more)],
  // Of the supervisor: a pool's series, and those that tell a queue alone.
  pool(metric, name, more=''):: 'queuefleet_supervisor_%s{%s, %s, application="shop", connection="shop-eu", pool="%s"%s}' % [metric, self.supervisor, self.place, name, self.comma(more)],
  served(metric, queue, more=''):: 'queuefleet_supervisor_%s{%s, application="shop", connection="shop-eu", queue="%s"%s}' % [metric, self.supervisor, queue, self.comma(more)],
  comma(more):: if more == '' then '' else ', ' + more,

  // What alerts carry.
  placeLabels:: { environment: 'production', region: 'eu-west-1', team: 'payments' },
  connectionLabels(name):: self.placeLabels { connection: name },
  queueLabels(name):: self.placeLabels { application: 'shop', connection: 'shop-eu', queue: name },
  poolLabels(name):: self.placeLabels { application: 'shop', connection: 'shop-eu', pool: name },
  programLabels(job, instance):: { job: job, instance: instance },

  // One alert over time: at each time those of its name that fire.
  case(name, series, times, about=''):: {
    name: name + (if about == '' then '' else ': ' + about),
    interval: '1m',
    input_series: [{ series: s, values: series[s] } for s in std.objectFields(series)],
    alert_rule_test: [
      { eval_time: time, alertname: name, exp_alerts: [firing(name, a) for a in times[time]] }
      for time in std.objectFields(times)
    ],
  },
  // Expressions, each at a time with the samples that it must have.
  expressions(name, series, tests):: {
    name: name,
    interval: '1m',
    input_series: [{ series: s, values: series[s] } for s in std.objectFields(series)],
    promql_expr_test: [{ expr: t.expr, eval_time: t.at, exp_samples: t.samples } for t in tests],
  },

  // The file: its tests, and the groups that they need, each a file of its own.
  // Recordings are evaluated before the alerts that read them.
  file(tests, needs, every='1m')::
    local names = [g.name for g in groups if std.member(needs, g.name)];
    assert std.length(names) == std.length(needs) : 'a group that is needed does not exist: ' + std.join(', ', std.setDiff(std.set(needs), std.set(names)));
    {
      rule_files: [name + '.yaml' for name in names],
      evaluation_interval: every,
      group_eval_order: names,
      tests: [t { interval: every } for t in tests],
    },
}
