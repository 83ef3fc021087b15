// How values look: colours, mappings, thresholds. Green is good, orange needs
// a look, red is bad, blue says nothing about good or bad, and purple is
// unknown: what is not known must never look fine.
local unknown(text, index=99, color='purple') = {
  type: 'special',
  options: { match: 'null+nan', result: { text: text, color: color, index: index } },
};

// table of value -> [text, colour], as a mapping.
local values(table) = {
  type: 'value',
  options: {
    [key]: { text: table[key][0], color: table[key][1], index: index }
    for index in std.range(0, std.length(std.objectFields(table)) - 1)
    for key in [std.objectFields(table)[index]]
  },
};

local steps(list) = {
  mode: 'absolute',
  steps: [{ color: step[0], value: if std.length(step) > 1 then step[1] } for step in list],
};

{
  unknown: unknown,

  // Mappings of states. Each is a list that `maps` of a panel takes.
  maps: {
    up: [values({ '0': ['Down', 'red'], '1': ['Up', 'green'] })],
    late: [values({ '0': ['In time', 'green'], '1': ['Late', 'red'] })],
    paused: [values({ '0': ['Running', 'green'], '1': ['Paused', 'orange'] })],
    reload: [values({ '0': ['Failed', 'red'], '1': ['In force', 'green'] })],
    success: [values({ '0': ['Failing', 'red'], '1': ['Fine', 'green'] })],
    link: [values({ '0': ['Broken', 'red'], '1': ['Linked', 'green'] })],
    limited: [values({ '0': ['Free', 'green'], '1': ['Held back', 'orange'] })],
    role: [values({ master: ['Master', 'blue'], slave: ['Replica', 'text'] })],
    severity: [values({ critical: ['Critical', 'red'], warning: ['Warning', 'orange'], info: ['Info', 'blue'] })],
    primary: [values({ 'true': ['Primary', 'blue'], 'false': ['Secondary', 'text'] })],
    // -1 stands for a share of a limit that there is not: something else than
    // a share that is not known.
    noLimit: [values({ '-1': ['No limit', 'text'] })],
    // A budget below nothing: how far below says little on a short window.
    budget: [{ type: 'range', options: { from: null, to: -0.005, result: { text: 'Overspent', color: 'red', index: 0 } } }],
    values: values,
  },

  // Thresholds.
  neutral: steps([['blue']]),
  plain: steps([['text']]),
  // The more, the worse: orange from warn, red from bad.
  highBad(warn, bad):: steps([['green'], ['orange', warn], ['red', bad]]),
  // The less, the worse: red below bad, orange below warn.
  lowBad(warn, bad):: steps([['red'], ['orange', bad], ['green', warn]]),
  // Anything above zero is worth red (or another colour).
  noneWanted(color='red'):: steps([['green'], [color, 1]]),
  anyWanted:: steps([['red'], ['green', 1]]),
  // Lines of a time series: only from there on a colour.
  limit(value, color='red'):: steps([['transparent'], [color, value]]),

  // Icons of applications, by the words that configurations use. Others show
  // their name.
  icons: [values({
    [name]: [table[name], 'text']
    for table in [{
      'shopping-cart': '🛒',
      store: '🏬',
      'credit-card': '💳',
      invoice: '🧾',
      users: '👥',
      user: '👤',
      'chart-bar': '📊',
      'chart-line': '📈',
      envelope: '✉️',
      mail: '✉️',
      bell: '🔔',
      truck: '🚚',
      search: '🔍',
      database: '🗄️',
      globe: '🌍',
      cog: '⚙️',
      lock: '🔒',
      camera: '📷',
      robot: '🤖',
      heart: '❤️',
    }]
    for name in std.objectFields(table)
  })],
}
