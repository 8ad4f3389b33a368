/** The options of `npm start`. */
import { parseArgs } from 'node:util';

export interface Options {
  once: boolean;
  until: number | undefined;
  json: string | undefined;
  help: boolean;
}

export const usage = `npm start [-- OPTIONS]

Walks the loop over a year of flights: six services in one process, on the home folder DRIFTLOOP_HOME (.driftloop);
goes on where an earlier run stopped. Then it stays up and serves the last champion.

  --once         end after the year, with a summary
  --until DATE   stop the year at this event time, e.g. 2013-04-01
  --json FILE    write the summary as JSON
  --help         this text`;

/** Reads the options. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean' },
      until: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const until = values.until === undefined ? undefined : Date.parse(values.until);
  if (Number.isNaN(until)) throw new Error(`--until ${values.until}: write a date, such as 2013-04-01`);
  return { once: values.once ?? false, until, json: values.json, help: values.help ?? false };
}
