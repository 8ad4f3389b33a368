/** The command that hears: events tail. */
import { type ReceivedEvent, subscribe } from '@driftloop/client';
import type { Command } from 'commander';
import type { Doors, Open } from './doors.js';
import { shortId, when } from './output.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  topics: string;
  from: string;
  limit?: number;
  json?: boolean;
}

/** What a person following the loop wants to see; the bulk (labels, features, predictions, time) by name only. */
const told =
  'drift.detected,performance.degraded,silence.changed,quarantine.changed,loop.held,retraining.requested,model.trained,training.failed,model.approved,model.refused,rollout.changed,rollout.failed,rollout.judged,model.promoted,model.rolled-back,cycle.closed';

export function addHearing(program: Command, open: Open): void {
  const events = program.command('events').description('the facts that Driftloop publishes');
  events
    .command('tail')
    .description('follow the events as they come')
    .option('-t, --topics <topics>', 'topics, comma-separated', told)
    .option('--from <position>', 'earliest, latest, or the position of an event (see --json)', 'latest')
    .option('--limit <n>', 'end after so many', wholeNumber(1))
    .option('--json', 'one JSON object a line')
    .action((options: Options) => tail(open(), options));
}

async function tail({ control, url }: Doors, { topics, from, limit, json }: Options): Promise<void> {
  // The stream itself waits for a gateway that is away; a person wants to be told.
  await control.models();
  const ending = new AbortController();
  let left = limit ?? Number.POSITIVE_INFINITY;
  const wanted = topics.split(',').map((topic) => topic.trim());
  for await (const event of subscribe(url, control.headers(), { topics: wanted, after: from, signal: ending.signal })) {
    console.log(json ? JSON.stringify(event) : line(event));
    if (--left <= 0) break;
  }
  ending.abort();
}

/** What events of the loop have in common. */
interface Told {
  version?: string;
  cycleId?: string;
  outcome?: string;
  reason?: string;
  rollout?: { cycleId: string; reason: string; champion?: { version: string }; challenger?: { version: string } };
  decision?: { reasons: string[] };
}

/** Time, topic, model, and the gist: which cycle, which version, what came of it, why. */
function line({ time, topic, key, data }: ReceivedEvent): string {
  const { version, cycleId, outcome, reason, rollout, decision } = data as Told;
  const versions = rollout && [rollout.champion?.version, rollout.challenger?.version].filter(Boolean).join(' and ');
  const cycle = cycleId || rollout?.cycleId;
  const why = decision?.reasons.join('; ') || reason || rollout?.reason;
  const gist = [cycle && shortId(cycle), version || versions, outcome?.replace('_', ' '), why].filter(Boolean);
  return [when(time), topic.padEnd(20), key, ...gist].join('  ');
}
