/**
 * How a spec's modules are loaded: by Node itself, through scripts/source.mjs, once a worker. Jest's runner, its timeouts,
 * its reports and `expect` are as ever; what goes is its module registry, and so mocks of modules, which no spec has.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { sourceMaps } from '../source.mjs';

const require = createRequire(import.meta.url);
/** Where jest-circus looks for what `jest.setTimeout` says. */
const timeout = Symbol.for('TEST_TIMEOUT_SYMBOL');
const handlers = Symbol.for('EVENT_HANDLERS');

export default class NodeRuntime {
  constructor() {
    delete globalThis[timeout];
    delete globalThis[handlers];
    globalThis.jest = { setTimeout: (ms) => Object.assign(globalThis, { [timeout]: ms }) };
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }
  unstable_importModule(path) {
    return import(pathToFileURL(path).href);
  }
  requireModule(path) {
    return require(path);
  }
  /** jest-circus keeps the tests of a file in its own module: a new one for each file. */
  requireInternalModule(path) {
    delete require.cache[path];
    return require(path);
  }
  getSourceMaps() {
    return sourceMaps;
  }

  setGlobalsForRuntime() {}
  enterTestCode() {}
  leaveTestCode() {}
  getAllCoverageInfoCopy() {}
  teardown() {}
}
