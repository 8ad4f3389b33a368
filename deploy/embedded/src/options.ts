/** The options of `npm start`. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { msOfTime } from '@driftloop/contracts';
import { flightsWorld } from '@driftloop/flights';

export interface Options {
  once: boolean;
  until: number | undefined;
  json: string | undefined;
  /** URL of the module of the world that is played. */
  world: string;
  /** Each service in a process of its own, on the real infrastructure. */
  processes: boolean;
  /** The house is running already, where the environment says. */
  attach: boolean;
  help: boolean;
  version: boolean;
}

export const usage = `npm start [-- OPTIONS]

Walks the loop over a year of flights: six services in one process, on the home folder DRIFTLOOP_HOME (.driftloop);
goes on where an earlier run stopped. Then it stays up and serves the last champion.

  --once         end after the year, with a summary
  --until DATE   stop the year at this event time, e.g. 2013-04-01
  --json FILE    write the summary as JSON
  --world FILE   play another world: a module that exports model, openWorld() and truth(), as examples/flights does
  --processes    each service in a process of its own, on the Kafka, MongoDB and S3 that the environment names
                 (KAFKA_BROKERS, MONGODB_URI, S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, DRIFTLOOP_NAMESPACE)
  --attach       play against a house that is running already, then end: DRIFTLOOP_URL is its gateway,
                 DRIFTLOOP_…_ADDRESS its services, DRIFTLOOP_REPLAY_TOKEN its replay credential
  --help         this text
  --version      the release`;

/** Reads the options. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean' },
      until: { type: 'string' },
      json: { type: 'string' },
      world: { type: 'string' },
      processes: { type: 'boolean' },
      attach: { type: 'boolean' },
      help: { type: 'boolean' },
      version: { type: 'boolean' },
    },
  });
  const until = values.until === undefined ? undefined : msOfTime(values.until, { utc: true });
  if (Number.isNaN(until)) throw new Error(`--until ${values.until}: write a date, such as 2013-04-01`);
  if (values.world && !existsSync(values.world)) throw new Error(`--world ${values.world}: there is no such file`);
  if (values.attach && values.processes)
    throw new Error('--attach, --processes: a house that is running already is not started; leave one of them out');
  if (values.json) checkWritable(values.json);
  return {
    once: values.once ?? false,
    until,
    json: values.json,
    world: values.world ? pathToFileURL(values.world).href : flightsWorld.href,
    processes: values.processes ?? false,
    attach: values.attach ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  };
}

/** Better said now than after the year. */
function checkWritable(file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw new Error(`--json ${file}: cannot be written (${(error as Error).message})`);
  }
}
