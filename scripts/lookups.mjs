// `npm run lookups`: no text indexes a plain object in product code. `record[name]` and `name in record` find what every object
// inherits, and `record[name] = …` with "__proto__" changes what it inherits; `own(record, name)`, a Map or
// Object.fromEntries do neither (docs/decisions/0025). Arrays are indexed by numbers: what looks like a name is meant here.
// What is left stands in the list below with its reason; an entry that holds nothing any more is a fault too.
import { readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { parseSync } from '@swc/core';
import { root } from './install.mjs';

/** What names are called: an index that ends so is a text. */
const nameLike =
  /^(name|column|feature|source|label|attribute|input|model|alias|parameter|slice|category|entity|entityId|topic|subject|test|datatype|group)$/;

/** Left out as a whole: whose keys are walked, or typed. */
const outside = {
  algorithms: 'pure: its records have the keys that it gave them itself',
  documents:
    "a document's keys are walked with Object.keys and asked with Object.hasOwn; the differential specs hold that",
  testing: 'no product',
};

/** By file: why what is indexed there is safe, and the accesses as they are written. */
const allowed = {
  'libs/bus/src/kafka/revocation.ts': ['topics that this service subscribes to', 'share[topic]'],
  'libs/contracts/src/own.ts': ['the lookup itself', 'record[name]'],
  'libs/onnx/src/booster-graph.ts': ['a list, indexed by number', 'model.features[feature]'],
  'libs/service/src/cycle-spans.ts': [
    'attributes of spans: not inherited',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written there
    'facts[`${name}.statistic`]',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written there
    'facts[`${name}.threshold`]',
  ],
  'libs/service/src/health.ts': ['services by their own names', 'ports[name]', 'usual[name]'],
  'libs/service/src/listening.ts': ['services by their own names', 'ports[name]'],
  'libs/service/src/secret-files.ts': ['names of variables of ours', 'environment[name]', 'read[name]'],
  'libs/service/src/start.ts': ['services by their own names', 'settings.ports[definition.name]'],
  'libs/service/src/status.ts': ['a number', 'e.code in status'],
  'libs/service/src/telemetry/metrics.ts': ['names of the catalogue, by type', 'metricCatalogue[name]'],
  'services/cli/src/operate.ts': ['a method, by type', 'doors.operations[name]'],
  'services/cli/src/quarantine.ts': ['a method, by type', 'doors.quarantine[name]'],
  'services/cli/src/trace.ts': ['names of attributes of ours, of a map without a prototype', 'attributes[name]'],
  'services/feature-store/src/reading.ts': ['without a prototype', 'cells[name]'],
  'services/feature-store/src/rows/lines.ts': ['without a prototype', 'v[name]'],
  'services/feature-store/src/rows/file-row.ts': ['without a prototype', 'values[name]', 'row.values[name]'],
  'services/feature-store/src/rows/intake.ts': ['without a prototype', 'values[name]'],
  'services/feature-store/src/training/training-sets.ts': ['its own keys', 'columns[name]'],
  'services/feature-store/src/views/attributes.ts': ['a list, indexed by number', 'row?.cells[column]'],
  'services/gateway/src/event-stream.ts': ['without a prototype', 'position[topic]', 'position[event.topic]'],
  'services/monitoring/src/count-bins.ts': [
    'without a prototype, or asked for its own keys before',
    'this.slices[slice]',
    'this.losses[feature]',
    'histograms[feature]',
    'bins[name]',
    'this.bins[name]',
    'this.losses[name]',
    'this.reference.histograms[feature]',
  ],
  'services/monitoring/src/cycle-moves.ts': ['topics of the event map', 'readings[fact.topic]'],
  'services/monitoring/src/diagnosis.ts': [
    "the reference's own keys",
    'training.histograms[feature]',
    'training.diagnosis!.slices[slice]',
  ],
  'services/monitoring/src/explain-opening.ts': [
    'tests that monitoring names itself',
    'signals[e.test]',
    'signals[test]',
    'signals[evidence.test]',
  ],
  'services/monitoring/src/explain-trial.ts': ['tests that monitoring names itself', 'tests[e.test]'],
  'services/monitoring/src/ledger.ts': ['topics of the event map', 'spoken[topic]'],
  'services/monitoring/src/spans.ts': ['topics of the event map', 'tellers[topic]'],
  'services/monitoring/src/when-changed.ts': [
    "movements of the reference's own keys",
    'histograms[feature]',
    'diagnosis!.slices[slice][feature]',
    'diagnosis!.slices[slice]',
  ],
  'services/serving/src/feature-reader.ts': ['without a prototype', 'values[name]'],
  'services/training/src/recipe/diagnosis-reference.ts': [
    "histograms of the table's own columns",
    'histograms[column.name]',
  ],
  'services/training/src/recipe/read-parquet.ts': ['a list, indexed by number', 'this.#texts[feature]'],
  'services/training/src/recipe/recipe.ts': ['steps, by type', 'done[name]'],
  'deploy/embedded/src/narrator.ts': ['topics of the event map', 'tellers[topic]'],
};

const exclude = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')).exclude;
const leftOut = exclude.map((glob) => glob.replace(`\${configDir}/`, ''));
const faults = [];
const used = new Set();
let files = 0;
for (const folder of ['libs', 'services', 'deploy'])
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true }))
    if (entry.isDirectory() && !outside[entry.name])
      for (const file of sources(join(root, folder, entry.name))) look(file);
for (const [file, [, ...entries]] of Object.entries(allowed))
  for (const written of entries)
    if (!used.has(`${file} ${written}`))
      faults.push(`${file}: ${written} is allowed and not there; take it off the list`);
if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`lookups: ${files} files index no plain object by a text`);

function look(path) {
  files++;
  const bytes = readFileSync(path);
  const file = relative(root, path);
  const module = parseSync(bytes.toString(), { syntax: 'typescript', decorators: true, target: 'esnext' });
  // Positions go on from file to file, and count bytes; a module's own begins behind its first comments.
  const base = module.span.end - bytes.length + 1;
  walk(module);

  function walk(node) {
    if (Array.isArray(node)) {
      for (const one of node) walk(one);
      return;
    }
    if (!node || typeof node !== 'object') return;
    if (node.type === 'MemberExpression' && node.property.type === 'Computed' && isName(node.property.expression))
      told(node);
    if (node.type === 'BinaryExpression' && node.operator === 'in' && node.left.type !== 'StringLiteral') told(node);
    for (const [key, child] of Object.entries(node)) if (key !== 'span') walk(child);
  }

  function told({ span }) {
    const written = bytes
      .subarray(span.start - base, span.end - base)
      .toString()
      .replace(/\s+/g, ' ');
    if (allowed[file]?.slice(1).includes(written)) used.add(`${file} ${written}`);
    else {
      const line = bytes
        .subarray(0, span.start - base)
        .toString()
        .split('\n').length;
      faults.push(`${file}:${line}: ${written}: use own(record, name), a Map, or Object.fromEntries`);
    }
  }
}

function isName(expression) {
  if (expression.type === 'Identifier') return nameLike.test(expression.value);
  if (expression.type === 'MemberExpression')
    return expression.property.type === 'Identifier' && nameLike.test(expression.property.value);
  return (
    expression.type === 'TemplateLiteral' ||
    (expression.type === 'TsNonNullExpression' && isName(expression.expression))
  );
}

function sources(workspace, folder = workspace) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'gen'].includes(entry.name) ? [] : sources(workspace, path);
    const isProduct =
      entry.name.endsWith('.ts') && !leftOut.some((glob) => matchesGlob(relative(workspace, path), glob));
    return isProduct ? [path] : [];
  });
}
