/**
 * Where a spec runs: in the worker process itself, on Node's own globals. A context of its own for each file, as jest has
 * it, loads every module anew for every spec and slows what reads globals (Math, typed arrays) by a factor.
 *
 * What a spec changes of the process (environment, listeners) it puts back itself.
 */
export default class ProcessEnvironment {
  global = globalThis;
  #console = console;
  #exit = process.exit;

  getVmContext() {
    return null;
  }
  async setup() {}

  /** Jest has put its own console and exit in place, for this spec. */
  async teardown() {
    globalThis.console = this.#console;
    process.exit = this.#exit;
  }
}
