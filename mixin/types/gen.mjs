// Writes each dashboard as TypeScript that says of what type it is, so that the
// compiler finds unknown options, wrong values and what is missing.
//
//   node gen.mjs DASHBOARD.json… (in the directory that has node_modules)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const schema = 'node_modules/@grafana/schema/dist';
const kinds = {
  timeseries: 'timeseries', stat: 'stat', table: 'table', bargauge: 'bargauge',
  'state-timeline': 'statetimeline', heatmap: 'heatmap', gauge: 'gauge', text: 'text',
};

const header = [
  `import type * as dashboard from '../${schema}/types/raw/dashboard/x/types.gen';`,
  ...Object.values(kinds).map((k) => `import type * as ${k} from '../${schema}/types/raw/composable/${k}/panelcfg/x/types.gen';`),
  // JSON has the values of enumerations, not their names.
  'type Lit<T> = unknown extends T ? T : T extends string ? T | `${T}` : T extends object ? { [K in keyof T]: Lit<T[K]> } : T;',
  // The type of one property of a type, whether or not it is optional.
  'type Of<T, K extends string> = K extends keyof T ? Lit<NonNullable<T[K]>> : never;',
].join('\n');

// What Grafana fills in itself may be left out.
async function defaultsOf(kind) {
  const file = pathToFileURL(resolve(`${schema}/esm/raw/composable/${kind}/panelcfg/x/types.gen.mjs`));
  const { defaultOptions = {}, defaultFieldConfig = {} } = await import(file);
  return { options: defaultOptions, custom: defaultFieldConfig };
}

let count = 0;
function declare(type, value, place) {
  count += 1;
  return `// ${place}\nexport const v${count}: ${type} = ${JSON.stringify(value, null, 1)};`;
}

function hasFieldConfig(kind) {
  return /export (interface|type) FieldConfig\b/.test(readFileSync(`${schema}/types/raw/composable/${kind}/panelcfg/x/types.gen.d.ts`, 'utf8'));
}

async function ofPanel(panel) {
  const kind = kinds[panel.type];
  if (!kind) return [`// ${panel.title}\nexport const unknown${count += 1}: never = ${JSON.stringify(panel.type)};`];
  const defaults = await defaultsOf(kind);
  const lines = [declare(`Lit<${kind}.Options>`, { ...defaults.options, ...panel.options }, `${panel.title}: options`)];
  const { custom = {} } = panel.fieldConfig?.defaults ?? {};
  const customs = hasFieldConfig(kind);
  if (customs) lines.push(declare(`Lit<${kind}.FieldConfig>`, known(kind, { ...defaults.custom, ...custom }), `${panel.title}: custom`));
  else if (Object.keys(custom).length > 0) lines.push(declare('Record<string, never>', custom, `${panel.title}: custom`));
  for (const override of panel.fieldConfig?.overrides ?? []) {
    for (const { id, value } of override.properties) {
      const [first, ...rest] = id.split('.');
      let type = `Of<dashboard.FieldConfig, ${JSON.stringify(id)}>`;
      if (first === 'custom') type = customs ? rest.reduce((t, key) => `Of<${t}, ${JSON.stringify(key)}>`, `${kind}.FieldConfig`) : 'never';
      lines.push(declare(type, value, `${panel.title}: override ${id} of ${override.matcher.options}`));
    }
  }
  return lines;
}

// What Grafana knows and its published types do not: what is Prometheus' own
// about annotations and queries, how a variable's query was written, one that
// nothing is chosen of yet.
function bare(board) {
  const copy = structuredClone(board);
  for (const a of copy.annotations.list) {
    for (const key of ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys', 'useValueForTime']) delete a[key];
    if (a.target) a.target = { limit: 0, matchAny: false, tags: [], type: '' };
  }
  for (const v of copy.templating.list) {
    delete v.definition;
    if (Object.keys(v.current).length === 0) delete v.current;
  }
  return copy;
}

// A state timeline's way with gaps is in Grafana's editor, and not in its type.
function known(kind, custom) {
  if (kind !== 'statetimeline') return custom;
  const { spanNulls, insertNulls, ...rest } = custom;
  return rest;
}

mkdirSync('generated', { recursive: true });
for (const file of process.argv.slice(2)) {
  const board = JSON.parse(readFileSync(file, 'utf8'));
  const lines = [header, declare('Lit<dashboard.Dashboard>', bare(board), 'all')];
  const panels = board.panels.flatMap((p) => (p.type === 'row' ? p.panels : [p]));
  for (const panel of panels) lines.push(...await ofPanel(panel));
  writeFileSync(`generated/${basename(file, '.json')}.ts`, lines.join('\n') + '\n');
  console.log(`${basename(file)}: ${panels.length} panels`);
}
