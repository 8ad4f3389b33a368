/** What `npm run fuzz` is told. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

export const usage = `npm run fuzz [-- OPTIONS]

Plays a small world in a system of one process, then sends it inputs at every door (every RPC, every route, every topic that
outsiders write, files), each made from a request that might be real. Meanwhile a bystander asks the same questions all the
time, and health is looked at. Exit code 1 where anything that may not be was seen; the input is written to a file.

  --seed N       draws the inputs (default 1)
  --inputs N     how many (default: as many as fit)
  --minutes M    how long (default 1; with --inputs a limit that is a failure, default 15)
  --from N       number of the first input (default 0)
  --in-flight N  inputs without an answer at a time (default 64)
  --replay FILE  sends the inputs of a file again, one after another, and says which of them does it
  --home DIR     a home that stays; one that was played already is not played again
  --failures DIR where inputs that failed and the system's log are written (default: the system's folder for temporary files)
  --report FILE  counts by method and field, and by method and status, as JSON
  --help         this text`;

export interface Options {
  readonly seed: number;
  readonly inputs: number;
  readonly minutes: number;
  readonly from: number;
  readonly inFlight: number;
  /** Whether it is a failure where the time is over before all inputs were sent. */
  readonly all: boolean;
  readonly replay: string | undefined;
  readonly home: string | undefined;
  readonly failures: string;
  readonly report: string | undefined;
}

/** The options; undefined for help. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const numbers = { seed: text, inputs: text, minutes: text, from: text, 'in-flight': text };
  const files = { replay: text, home: text, failures: text, report: text };
  const { values } = parseArgs({ args, options: { ...numbers, ...files, help: { type: 'boolean' } } });
  if (values.help) return undefined;
  const whole = (name: keyof typeof numbers, usual: number, least: number): number => {
    const value = values[name] === undefined ? usual : Number(values[name] || Number.NaN);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${name} ${values[name]}: write a whole number from ${least} on`);
  };
  const all = values.inputs !== undefined;
  return {
    seed: whole('seed', 1, 0),
    inputs: whole('inputs', Number.MAX_SAFE_INTEGER, 1),
    minutes: whole('minutes', all ? 15 : 1, 1),
    from: whole('from', 0, 0),
    inFlight: whole('in-flight', 64, 1),
    all,
    replay: values.replay,
    home: values.home,
    failures: values.failures ?? tmpdir(),
    report: values.report,
  };
}
