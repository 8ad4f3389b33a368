/** All names, section by section: from the running code where an object has them, else from the sources. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf } from './commands.mjs';
import { locked } from './compare.mjs';
import { messagesOf, metricsOf, orderOf, topicsOf } from './contracts.mjs';
import { exportsOf, parser } from './exports.mjs';
import * as literals from './literals.mjs';
import { namesOfSystem } from './running.mjs';
import { settingsOf } from './settings.mjs';
import { loose, packagesIn } from './sources.mjs';
import { jsonOf, printedOf, storedOf } from './stored.mjs';
import { typesOf } from './types.mjs';
import { fieldWordsOf, wordsOf } from './words.mjs';

/** Whose texts are neither stored nor hashed nor answered: what carries, shows, plays or measures. Every other package decides. */
const shown = ['embedded', 'flights', 'client', 'cli', 'program'];
const carriers = [...shown, 'contracts', 'documents', 'service'];
/** Whose JSON others read, beside the contracts' messages: of which packages the exported types that are such. */
const json = { '@driftloop/client': /./, '@driftloop/embedded': /^Summary$/ };

/** No product has them: of what plays the whole only the options are somebody's. */
const forTests = ['@driftloop/bench', '@driftloop/testing', '@driftloop/tests'];

/** The sources as they are in a folder; `read` may give another text of a file. */
export function sourcesIn(root, read = (path) => readFileSync(path, 'utf8')) {
  const all = packagesIn(root, read);
  const packages = all.filter(({ name }) => !forTests.includes(name));
  const sources = packages.flatMap((one) => one.sources);
  const played = all.filter(({ name }) => name === '@driftloop/tests').flatMap((one) => one.sources);
  return { packages, sources, played, parse: parser(sources), started: loose(join(root, 'deploy'), read) };
}

/** The names that stand in the sources alone. */
export function namesInSources({ packages, sources, played, parse, started }) {
  const deciding = sources.filter((source) => !carriers.includes(source.package.replace('@driftloop/', '')));
  const types = typesOf(packages, parse);
  return {
    variables: literals.variablesOf([...sources, ...started]),
    stored: storedOf(sources, types),
    keys: literals.keysOf(sources),
    files: literals.filesOf(sources),
    spans: literals.spanNamesOf(sources),
    'own names': literals.ownNamesOf(sources),
    errors: literals.errorsOf(sources),
    options: literals.usageOf([...sources, ...played]),
    json: [...jsonOf(packages, types, json), ...printedOf(sources)],
    fields: fieldWordsOf(deciding),
    words: wordsOf(deciding),
  };
}

/** What packages export, in the form of a lock. */
export const publicExports = ({ packages, parse }) => locked(exportsOf(packages, parse));

/** Every name, in the form of a lock. */
export async function allNames(tree, code) {
  const { variables, options, files, ...written } = namesInSources(tree);
  const { groups, routes, collections, tables, home } = await namesOfSystem(code);
  const kinds = written.fields.filter((word) => word.startsWith('kind: ')).map((word) => word.slice('kind: '.length));
  return locked({
    groups,
    topics: topicsOf(code.events),
    messages: messagesOf(code.fileDescriptors),
    routes,
    collections,
    tables,
    files: [...files, ...home],
    metrics: metricsOf(code.metricCatalogue),
    environment: settingsOf(variables, code),
    commands: [...commandsOf(code.driftloop({})), ...options],
    order: orderOf(kinds, code.compareDecisions),
    ...written,
  });
}
