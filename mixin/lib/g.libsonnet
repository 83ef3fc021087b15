// Dashboards: variables, selectors, links, annotations, rows and the layout,
// made from _config. Panels come from panels.libsonnet, their looks from
// display.libsonnet.
//
//   local g = (import '../lib/g.libsonnet')(config);
//   g.dashboard({ uid: 'queuefleet-x', title: …, variables: ['connection'], rows: [g.row('Now', [g.stat({ … })])] })
local display = import 'display.libsonnet';
local panels = import 'panels.libsonnet';
local selectors = import 'selectors.libsonnet';

// What a dashboard may ask Prometheus for before a row is opened.
local maxOpenQueries = 25;

function(config) panels {
  local g = self,
  local s = selectors(config),
  local scopes = config.scopeLabels,
  local matchers(labels) = std.join(', ', ['%s=~"$%s"' % [label, label] for label in labels]),

  d: display,
  by: s.by,

  // ---- Selectors -----------------------------------------------------------

  // The matchers of the scope variables and of further ones, for recordings,
  // which have no job.
  pick(labels=[]):: matchers(scopes + labels),
  // The same for the series of the fleet, of the supervisor, of the exporter.
  redis(labels=[]):: s.redis + ', ' + matchers(scopes + labels),
  supervisor(labels=[]):: s.supervisor + ', ' + matchers(scopes + labels),
  // What the programs say about themselves carries no scope.
  ownExporter: s.exporter,
  ownSupervisor: s.supervisor,
  fleet: s.redis,
  prometheus: s.prometheus,
  alertmanager: s.alertmanager,
  // Our alerts, as Prometheus keeps them.
  alerts(more):: 'alertname=~"(Redis|Queuefleet).+", alertname!="QueuefleetWatchdog"' + (if more == '' then '' else ', ' + more),

  // ---- Expressions ---------------------------------------------------------

  // Of many series the n that reached highest within the time shown, whole:
  // topk alone picks others at every step. The cost does not grow with the
  // time shown.
  top(n, expr, by):: |||
    %(expr)s
    and on (%(by)s)
    topk(%(n)d, max_over_time((%(expr)s)[$__range:$__interval] @ end()))
  ||| % { n: n, expr: expr, by: by },
  // The same by the mean of rank, for states: expr is best the worst within
  // [$__rate_interval], or what was short is lost when weeks are shown.
  topMean(n, expr, rank, by):: |||
    %(expr)s
    and on (%(by)s)
    topk(%(n)d, avg_over_time((%(rank)s)[$__range:$__interval] @ end()))
  ||| % { n: n, expr: expr, rank: rank, by: by },
  // Ended attempts a second and how many of them failed: as the supervisor
  // reads it from its workers or, where it has none, as the framework counts.
  ended(pick):: 'pool:queuefleet_supervisor_jobs_processed:rate5m{%s} or on (application, connection) queue:redis_queue_jobs_processed:rate5m{%s}' % [pick, pick],
  failed(pick):: 'pool:queuefleet_supervisor_jobs_failed:rate5m{%s} or on (application, connection) queue:redis_queue_jobs_failed:rate5m{%s}' % [pick, pick],
  // 1 for each queue that is late now, 0 for the others. The recording of this
  // is made once a minute, for history; this one follows the wait at once.
  late(pick):: 'queue:redis_queue_waiting_seconds:max{%s} > bool queue:redis_queue_wait_objective_seconds:max{%s}' % [pick, pick],
  // Each application with a badge: a picture in its colour with its first
  // letter, drawn by the label itself, since a table colours no cell by label.
  applications(pick)::
    local badge = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'%3E%3Crect width='20' height='20' rx='5' fill='%23$1'/%3E" +
                  "%3Ctext x='10' y='14.6' font-size='13' font-family='sans-serif' font-weight='bold' text-anchor='middle' fill='white'%3E$2%3C/text%3E%3C/svg%3E";
    local colored = 'label_replace(queuefleet_application_info{' + pick + '}, "color", "#64748B", "color", "")';
    |||
      max by (application, name, icon, description, badge) (
        label_replace(
          label_join(%s, "badge", "|", "color", "name"),
          "badge", "%s", "badge", "#?([0-9A-Fa-f]+)[|](.).*"
        )
      )
    ||| % [colored, badge],

  // Names of series in legends.
  names:: {
    connection: '{{connection}}',
    queue: '{{application}} / {{queue}} · {{connection}}',
    pool: '{{application}} / {{pool}}',
  },

  // ---- Variables -----------------------------------------------------------

  // Each variable's values come from a cheap series that is always there.
  local fleetConnections = { metric: 'redis_up', selector: s.redis },
  local queues = { metric: 'redis_queue_wait_objective_seconds', selector: s.redis },
  local sources = {
    application: queues,
    connection: fleetConnections,
    queue: queues,
    pool: { metric: 'queuefleet_supervisor_workers_max', selector: s.supervisor },
  },
  local labels = { application: 'Application', connection: 'Connection', queue: 'Queue', pool: 'Pool' },

  local variable(name, before, o) =
    local multi = std.get(o, 'multi', true);
    // Once an application is chosen, only its connections are offered.
    local source =
      if std.member(scopes, name) then fleetConnections
      else if name == 'connection' && std.member(before, 'application') then queues
      else sources[name];
    local query = 'label_values(%s{%s}, %s)' % [source.metric, std.join(', ', [source.selector] + ['%s=~"$%s"' % [b, b] for b in before]), name];
    {
      name: name,
      label: if std.objectHas(labels, name) then labels[name] else std.asciiUpper(name[0]) + name[1:],
      type: 'query',
      datasource: panels.datasource,
      definition: query,
      query: { qryType: 1, query: query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
      regex: '',
      refresh: 2,  // when the time range changes
      sort: 1,
      hide: 0,
      skipUrlSync: false,
      multi: multi,
      includeAll: multi,
      options: [],
      current: if multi then { selected: true, text: ['All'], value: ['$__all'] } else {},
    } + (
      // .* and not .+: a label that the series lacks must not hide them.
      if multi then { allValue: '.*' } else {}
    ),

  local variables(names, single) = [{
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    regex: '',
    refresh: 1,
    hide: 0,
    skipUrlSync: false,
    multi: false,
    includeAll: false,
    options: [],
    current: { selected: true, text: 'default', value: 'default' },
  }] + [
    local all = scopes + names;
    variable(all[i], all[:i], { multi: !std.member(single, all[i]) })
    for i in std.range(0, std.length(scopes + names) - 1)
  ],

  // ---- Links ---------------------------------------------------------------

  // A link to another dashboard that keeps the time and the scope and sets
  // variables; values are e.g. '${__data.fields.connection}' or
  // '${__field.labels.queue}'.
  drilldown(title, uid, set={}):: {
    title: title,
    url: '/d/%s?${__url_time_range}&%s' % [
      uid,
      std.join('&', ['${%s:queryparam}' % name for name in ['datasource'] + scopes] + ['var-%s=%s' % [name, set[name]] for name in std.objectFields(set)]),
    ],
    targetBlank: false,
  },
  // The same from a table's row: each label goes to the variable of its name.
  rowLink(title, uid, names):: self.drilldown(title, uid, { [name]: '${__data.fields.%s:percentencode}' % name for name in names }),
  // … and from a series.
  seriesLink(title, uid, names):: self.drilldown(title, uid, { [name]: '${__field.labels.%s:percentencode}' % name for name in names }),

  // ---- Annotations ---------------------------------------------------------

  local annotation(o) = {
    name: o.name,
    datasource: panels.datasource,
    enable: std.get(o, 'enable', true),
    hide: false,
    iconColor: o.color,
    expr: o.expr,
    step: '60s',
    titleFormat: o.title,
    textFormat: std.get(o, 'text', ''),
    tagKeys: std.get(o, 'tags', ''),
    useValueForTime: false,
    target: { refId: 'Anno', expr: o.expr, interval: '60s' },
  },

  annotations: [
    annotation({
      name: 'Critical alerts',
      color: 'red',
      expr: 'ALERTS{%s}' % g.alerts('alertstate="firing", severity="critical", ' + g.pick()),
      title: '{{alertname}}',
      text: '{{application}} {{connection}} {{queue}} {{pool}}',
      tags: 'severity,team',
    }),
    annotation({
      name: 'Reloads',
      color: 'blue',
      expr: |||
        max by (job, instance) (
          changes(queuefleet_exporter_config_last_reload_success_timestamp_seconds{%(exporter)s}[2m])
          or
          changes(queuefleet_supervisor_config_last_reload_success_timestamp_seconds{%(supervisor)s}[2m])
        ) > 0
      ||| % { exporter: g.ownExporter, supervisor: g.ownSupervisor },
      title: 'Configuration reloaded',
      text: '{{job}} {{instance}}',
    }),
    annotation({
      name: 'Role changes',
      color: 'purple',
      expr: |||
        max by (%(by)s, node) (redis_instance_info{%(redis)s, role="master"})
        and
        max by (%(by)s, node) (redis_instance_info{%(redis)s, role="slave"} offset 2m)
      ||| % { by: g.by.connection, redis: g.redis() },
      title: 'Became master',
      text: '{{connection}} {{node}}',
    }),
    // Pools scale all day: shown when asked for.
    annotation({
      name: 'Scale events',
      color: 'yellow',
      enable: false,
      expr: 'sum by (application, pool, direction) (increase(queuefleet_supervisor_scale_events_total{%s}[2m])) > 0' % g.supervisor(),
      title: 'Scaled {{direction}}',
      text: '{{application}} {{pool}}',
    }),
  ],

  // ---- Rows and the dashboard ------------------------------------------------

  // Panels flow from left to right and wrap after 24 columns.
  row(title, list, collapsed=false, repeat=null):: { title: title, panels: list, collapsed: collapsed, repeat: repeat },

  local flow(list, y) = std.foldl(
    function(acc, panel)
      local w = panel.gridPos.w;
      local h = panel.gridPos.h;
      local wrap = acc.x + w > 24;
      local x = if wrap then 0 else acc.x;
      local top = if wrap then acc.y + acc.h else acc.y;
      {
        x: x + w,
        y: top,
        h: if wrap then h else std.max(acc.h, h),
        list: acc.list + [panel { gridPos: { x: x, y: top, w: w, h: h } }],
      },
    list,
    { x: 0, y: y, h: 0, list: [] }
  ),

  local place(rows) = std.foldl(
    function(acc, row)
      local number = acc.number + 1;
      local flown = flow(row.panels, acc.y + 1);
      // Numbers stay when other rows change: links and diffs are stable.
      local inside = [flown.list[i] { id: number * 100 + i + 1 } for i in std.range(0, std.length(flown.list) - 1)];
      local head = {
        type: 'row',
        id: number * 100,
        title: row.title,
        collapsed: row.collapsed,
        gridPos: { x: 0, y: acc.y, w: 24, h: 1 },
        panels: if row.collapsed then inside else [],
      } + (if row.repeat != null then { repeat: row.repeat } else {});
      {
        number: number,
        y: if row.collapsed then acc.y + 1 else flown.y + flown.h,
        list: acc.list + [head] + (if row.collapsed then [] else inside),
      },
    rows,
    { number: 0, y: 0, list: [] }
  ).list,

  // uid, title, desc, rows; variables: beyond the scope, in order; single:
  // those of which one is chosen; from: how far back it looks at first.
  dashboard(o)::
    local open = [row for row in o.rows if !row.collapsed];
    local count = std.foldl(function(n, panel) n + std.length(panel.targets), std.flattenArrays([row.panels for row in open]), 0);
    local titles = [panel.title for row in o.rows for panel in row.panels];
    assert count <= maxOpenQueries : '%s asks %d queries before a row is opened, at most %d' % [o.uid, count, maxOpenQueries];
    local twice = [title for title in std.set(titles) if std.count(titles, title) > 1];
    assert twice == [] : '%s has two panels of one title: %s' % [o.uid, std.join(', ', twice)];
    assert std.length([row for row in open if row.repeat != null]) == 0 : '%s repeats an open row' % o.uid;
    {
      uid: o.uid,
      title: o.title,
      description: o.desc,
      tags: config.dashboardTags,
      schemaVersion: 42,
      version: 1,
      editable: false,
      graphTooltip: 1,
      timezone: config.dashboardTimezone,
      refresh: config.dashboardRefresh,
      time: { from: std.get(o, 'from', config.dashboardFrom), to: 'now' },
      timepicker: {},
      fiscalYearStartMonth: 0,
      weekStart: '',
      links: [{
        type: 'dashboards',
        title: 'Queuefleet',
        tags: [config.dashboardTags[0]],
        asDropdown: true,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        tooltip: 'The other dashboards, same time and choice',
        url: '',
      }],
      annotations: { list: [{
        builtIn: 1,
        datasource: { type: 'grafana', uid: '-- Grafana --' },
        enable: true,
        hide: true,
        iconColor: 'rgba(0, 211, 255, 1)',
        name: 'Annotations & Alerts',
        type: 'dashboard',
      }] + g.annotations },
      templating: { list: variables(std.get(o, 'variables', []), std.get(o, 'single', [])) },
      panels: place(o.rows),
    },
}
