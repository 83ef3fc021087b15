// Writes copies of a dashboard with one fault each, to prove that the compiler
// finds them:
//
//   node seeds.mjs DASHBOARD.json DIRECTORY
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [file, directory] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');

function first(board, type) {
  return board.panels.flatMap((p) => (p.type === 'row' ? p.panels : [p])).concat(board.panels).find((p) => p.type === type);
}

const faults = {
  'unknown-option': (b) => { first(b, 'stat').options.colourMode = 'value'; },
  'wrong-value': (b) => { first(b, 'stat').options.colorMode = 'rainbow'; },
  'wrong-type': (b) => { first(b, 'timeseries').options.legend.showLegend = 'yes'; },
  'missing-option': (b) => { delete first(b, 'timeseries').options.legend.calcs; },
  'unknown-custom': (b) => { first(b, 'timeseries').fieldConfig.defaults.custom.lineWeight = 2; },
  'wrong-custom': (b) => { first(b, 'timeseries').fieldConfig.defaults.custom.drawStyle = 'lines'; },
  'unknown-override': (b) => { first(b, 'table').fieldConfig.overrides.push({ matcher: { id: 'byName', options: 'a' }, properties: [{ id: 'custom.widht', value: 90 }] }); },
  'wrong-override': (b) => { first(b, 'table').fieldConfig.overrides.push({ matcher: { id: 'byName', options: 'a' }, properties: [{ id: 'decimals', value: '2' }] }); },
  'unknown-panel': (b) => { first(b, 'stat').type = 'graph'; },
  'unknown-key': (b) => { b.timeZone = 'browser'; },
  'wrong-mapping': (b) => { first(b, 'stat').fieldConfig.defaults.mappings = [{ type: 'special', options: { match: 'nothing', result: { text: 'x' } } }]; },
  'wrong-refresh': (b) => { b.templating.list[1].refresh = 7; },
};

mkdirSync(directory, { recursive: true });
for (const [name, put] of Object.entries(faults)) {
  const board = JSON.parse(text);
  put(board);
  writeFileSync(`${directory}/fault-${name}.json`, JSON.stringify(board));
}
