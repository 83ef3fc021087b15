// Panels. Each constructor takes one object of options. Every panel has a
// title, the question that it answers (ask), what good looks like (good),
// where to go next (next) and, where it shows numbers, a unit: without them
// nothing renders.
local d = import 'display.libsonnet';

local datasource = { type: 'prometheus', uid: '${datasource}' };
local refs = std.stringChars('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

local text(o) =
  assert std.get(o, 'title', '') != '' : 'a panel without a title';
  local need(key) =
    assert std.get(o, key, '') != '' : 'panel "%s" has no %s' % [o.title, key];
    o[key];
  '%s\n\n**Good:** %s\n\n**Next:** %s' % [need('ask'), need('good'), need('next')];

local unit(o) =
  assert std.objectHas(o, 'unit') : 'panel "%s" has no unit' % o.title;
  o.unit;

// targets: one or a list of expressions, each a string or
// {expr, legend, instant, exemplar}.
local targets(o, extra={}) = [
  local given = if std.isArray(o.targets) then o.targets else [o.targets];
  local t = if std.isString(given[i]) then { expr: given[i] } else given[i];
  {
    refId: refs[i],
    datasource: datasource,
    editorMode: 'code',
    expr: t.expr,
    legendFormat: std.get(t, 'legend', '__auto'),
    range: true,
  } + (
    if std.objectHas(t, 'exemplar') then { exemplar: t.exemplar } else {}
  ) + (
    if std.objectHas(t, 'format') then { format: t.format } else {}
  ) + extra
  for i in std.range(0, std.length(if std.isArray(o.targets) then o.targets else [o.targets]) - 1)
];

local instant = { instant: true, range: false };

local defaults(o, custom={}) = {
  unit: unit(o),
  mappings: std.get(o, 'maps', []) + [d.unknown(std.get(o, 'unknown', 'No data'), color=std.get(o, 'unknownColor', 'purple'))],
  thresholds: std.get(o, 'thresholds', d.neutral),
  color: { mode: 'thresholds' },
  noValue: std.get(o, 'noValue', 'No data'),
  custom: custom,
} + {
  [key]: o[key]
  for key in ['min', 'max', 'decimals', 'links']
  if std.objectHas(o, key)
};

local panel(type, o, w, h) = {
  type: type,
  title: o.title,
  description: text(o),
  datasource: datasource,
  // Replaced by the layout of the row.
  gridPos: { w: std.get(o, 'w', w), h: std.get(o, 'h', h), x: 0, y: 0 },
  targets: targets(o),
  fieldConfig: { defaults: defaults(o), overrides: std.get(o, 'overrides', []) },
} + {
  [key]: o[key]
  for key in ['interval', 'maxDataPoints', 'timeFrom', 'transformations', 'hideTimeOverride']
  if std.objectHas(o, key)
} + (
  if std.objectHas(o, 'panelLinks') then { links: o.panelLinks } else {}
);

local reduce(calc='lastNotNull') = { calcs: [calc], fields: '', values: false };

{
  datasource: datasource,
  refs: refs,

  // Properties of one field, by its name as the data has it.
  override(name, properties):: {
    matcher: { id: 'byName', options: name },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },
  // The same for the series of one query.
  overrideQuery(ref, properties):: {
    matcher: { id: 'byFrameRefID', options: ref },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },
  fixed(color):: { color: { mode: 'fixed', fixedColor: color } },

  // A number now; the colour is its verdict (colorMode background_solid) or
  // none (value, none). unknown and unknownColor: for what is absent by choice.
  stat(o):: panel('stat', o, 4, 4) + {
    targets: targets(o, instant),
    options: {
      colorMode: std.get(o, 'colorMode', 'background_solid'),
      graphMode: 'none',
      justifyMode: 'center',
      orientation: std.get(o, 'orientation', 'auto'),
      reduceOptions: reduce() + { fields: std.get(o, 'fields', '') },
      textMode: std.get(o, 'textMode', 'auto'),
      wideLayout: std.get(o, 'textMode', 'auto') != 'value_and_name' || std.get(o, 'wide', false),
      showPercentChange: false,
    } + (if std.objectHas(o, 'text') then { text: o.text } else {}),
  },

  // The worst few, longest bar first.
  bargauge(o):: panel('bargauge', o, 8, 8) + {
    targets: targets(o, instant),
    // The name by labels: by a legend alone, a single bar would have none.
    fieldConfig+: { defaults+: {
      displayName: std.strReplace(std.strReplace(o.targets.legend, '{{', '${__field.labels.'), '}}', '}'),
    } },
    options: {
      displayMode: 'basic',
      orientation: 'horizontal',
      valueMode: 'color',
      namePlacement: 'left',
      showUnfilled: true,
      sizing: 'manual',
      minVizWidth: 8,
      minVizHeight: 16,
      maxVizHeight: 26,
      reduceOptions: reduce(),
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
    },
  },

  // Lines over time. stack: true stacks; bars, steps, fill, log; legend: 'table'
  // (last and max; beside wide panels), 'list' (below narrow ones) or 'none';
  // thresholds are drawn as dashed lines.
  timeseries(o)::
    local wide = std.get(o, 'w', 8) >= 12;
    local legend = std.get(o, 'legend', if wide then 'table' else 'list');
    local placement = std.get(o, 'placement', if wide && legend == 'table' then 'right' else 'bottom');
    local stack = std.get(o, 'stack', false);
    panel('timeseries', o, 8, 8) + {
      fieldConfig+: {
        defaults+: {
          color: { mode: std.get(o, 'colors', 'palette-classic') },
          custom: {
            drawStyle: if std.get(o, 'bars', false) then 'bars' else 'line',
            lineInterpolation: if std.get(o, 'steps', false) then 'stepAfter' else 'linear',
            lineWidth: if stack then 0 else 2,
            fillOpacity: if std.get(o, 'bars', false) then 90 else if stack then 65 else std.get(o, 'fill', 4),
            gradientMode: 'none',
            showPoints: 'never',
            // A gap is information: it is not drawn over.
            spanNulls: false,
            axisBorderShow: false,
            axisColorMode: 'text',
            axisLabel: std.get(o, 'axisLabel', ''),
            axisPlacement: 'auto',
            axisSoftMin: 0,
            scaleDistribution: if std.get(o, 'log', false) then { type: 'log', log: 10 } else { type: 'linear' },
            stacking: { group: 'A', mode: if stack then 'normal' else 'none' },
            thresholdsStyle: { mode: if std.objectHas(o, 'thresholds') then 'dashed' else 'off' },
            hideFrom: { legend: false, tooltip: false, viz: false },
          } + (
            // Or a line at 0 gets a scale to 100.
            local soft = std.get(o, 'softMax', std.get({ short: 1, ops: 0.1, percentunit: 0.001, s: 0.0001, dthms: 60 }, unit(o), null));
            if soft != null then { axisSoftMax: soft } else {}
          ),
        },
      },
      options: {
        legend: {
          showLegend: legend != 'none',
          displayMode: if legend == 'table' then 'table' else 'list',
          placement: placement,
          calcs: if legend == 'table' then std.get(o, 'calcs', ['lastNotNull', 'max']) else [],
          sortBy: if std.get(o, 'calcs', ['lastNotNull', 'max'])[0] == 'lastNotNull' then 'Last *' else 'Max',
          sortDesc: true,
        } + (if placement == 'right' then { width: std.get(o, 'legendWidth', 330) } else {}),
        tooltip: { mode: 'multi', sort: 'desc', maxHeight: 500 },
      },
    },

  // States over time, one line each.
  timeline(o):: panel('state-timeline', { unit: 'none', interval: '1m', maxDataPoints: 180 } + o, 12, 8) + {
    fieldConfig+: {
      defaults+: {
        custom: { fillOpacity: 80, lineWidth: 0, spanNulls: false, insertNulls: false, hideFrom: { legend: false, tooltip: false, viz: false } },
      },
    },
    options: {
      alignValue: 'left',
      mergeValues: true,
      rowHeight: 0.8,
      showValue: 'never',
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  },

  // Distribution over time, of a classic histogram: targets are
  // sum by (le) (rate(…_bucket[…])).
  heatmap(o):: panel('heatmap', { maxDataPoints: 120 } + o, 12, 8) + {
    targets: targets(o, { format: 'heatmap', legendFormat: '{{le}}' }),
    fieldConfig: {
      defaults: { custom: { hideFrom: { legend: false, tooltip: false, viz: false }, scaleDistribution: { type: 'linear' } } },
      overrides: [],
    },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { unit: std.get(o, 'cellUnit', 'short'), decimals: 2 },
      color: { mode: 'scheme', scheme: std.get(o, 'scheme', 'Oranges'), steps: 64, reverse: false, exponent: 0.5, fill: 'dark-orange' },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      tooltip: { mode: 'single', yHistogram: true, showColorScale: false },
      yAxis: { axisPlacement: 'left', reverse: false, unit: unit(o) },
    },
  },

  // A table: one row for what the label columns name. columns is a list of
  //   {label: 'connection', name: 'Connection', …}   a label
  //   {expr: '…', name: 'Memory', unit: 'percentunit', …}   a value
  // with width, links, maps, thresholds, cell (text, background, gauge, image),
  // unknown (what stands where nothing is known), decimals, min, max, filter.
  // by: the labels that make a row; every expression is brought down to them,
  // or rows would not meet (keep: further labels of one expression). sort: name
  // or names of the columns to sort by; worst (highest) first unless asc.
  table(o)::
    local values = [c for c in o.columns if std.objectHas(c, 'expr')];
    local down(c) =
      if std.get(c, 'raw', false) then c.expr
      else 'max by (%s%s) (%s)' % [o.by, if std.objectHas(c, 'keep') then ', ' + c.keep else '', c.expr];
    local field(c) =
      if std.objectHas(c, 'label') then c.label
      else if std.length(values) == 1 then 'Value'
      else 'Value #' + refs[std.find(c, values)[0]];
    local cells = {
      text: { type: 'color-text' },
      background: { type: 'color-background', mode: 'basic' },
      gauge: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' },
      image: { type: 'image' },
      plain: { type: 'auto' },
    };
    local properties(c) =
      local isValue = std.objectHas(c, 'expr');
      assert !isValue || std.objectHas(c, 'unit') : 'table "%s", column "%s" has no unit' % [o.title, c.name];
      // The table's own noValue is for a table without rows.
      { displayName: c.name, noValue: '–' }
      + (if isValue then {
           unit: c.unit,
           mappings: std.get(c, 'maps', []) + [d.unknown(std.get(c, 'unknown', 'No data'))],
           thresholds: std.get(c, 'thresholds', d.plain),
           color: { mode: 'thresholds' },
           'custom.cellOptions': cells[std.get(c, 'cell', 'text')],
           'custom.align': std.get(c, 'align', 'right'),
         } else
           (if std.objectHas(c, 'maps') then { mappings: c.maps, 'custom.cellOptions': cells[std.get(c, 'cell', 'text')] } else {})
           + (if std.objectHas(c, 'cell') then { 'custom.cellOptions': cells[c.cell] } else {})
           + { 'custom.align': std.get(c, 'align', 'left') })
      + { [if std.get(c, 'filter', false) then 'custom.filterable']: true }
      + { [if std.objectHas(c, 'width') then 'custom.width']: c.width }
      + { [if std.objectHas(c, 'minWidth') then 'custom.minWidth']: c.minWidth }
      + { [key]: c[key] for key in ['links', 'decimals', 'min', 'max'] if std.objectHas(c, key) };
    local hidden = std.set(std.get(o, 'hide', []) + ['Time']);
    local asked = o { targets: [down(v) for v in values], unit: 'none' };
    panel('table', asked, 24, 10) + {
      targets: targets(asked, instant { format: 'table' }),
      transformations: (if std.length(values) > 1 then [{ id: 'merge', options: {} }] else []) + [{
        id: 'organize',
        options: {
          excludeByName: { [name]: true for name in hidden } + {
            [field(c)]: true
            for c in values
            if std.get(c, 'hide', false)
          },
          includeByName: {},
          renameByName: {},
          indexByName: { [field(o.columns[i])]: i for i in std.range(0, std.length(o.columns) - 1) },
        },
      }],
      fieldConfig: {
        defaults: {
          mappings: [],
          thresholds: d.plain,
          color: { mode: 'thresholds' },
          noValue: std.get(o, 'noValue', '–'),
          custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false },
        },
        overrides: [
          {
            matcher: { id: 'byName', options: field(c) },
            properties: [{ id: id, value: properties(c)[id] } for id in std.objectFields(properties(c))],
          }
          for c in o.columns
          if !std.get(c, 'hide', false)
        ],
      },
      options: {
        cellHeight: 'sm',
        showHeader: std.get(o, 'header', true),
        enablePagination: std.get(o, 'pages', false),
        sortBy: [{ displayName: name, desc: !std.get(o, 'asc', false) } for name in (if std.isArray(o.sort) then o.sort else [o.sort])],
      },
    },
}
