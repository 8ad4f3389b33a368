/** What must hold after a disturbed run, whatever was done to it. */
import { Control } from '@driftloop/client';
import { events, services } from '@driftloop/contracts';
import { openMongod } from '@driftloop/documents';
import { databaseOf, readSettings } from '@driftloop/service';
import { differenceOf } from '../crash/difference.js';
import type { Outcome } from '../crash/outcome.js';
import type { Done } from './acts.js';
import type { Asked } from './caller.js';
import { Letters, type LettersGround } from './letters.js';
import type { Topics } from './topics.js';

/** An invariant, and what speaks against it; undefined where it holds. */
export interface Finding {
  readonly what: string;
  readonly against: string | undefined;
}

export interface Ran extends Omit<LettersGround, 'poisoned'> {
  readonly quiet: Outcome;
  readonly disturbed: Outcome;
  readonly done: Done;
  /** How live questions went; undefined where there was one replica of serving, which was killed. */
  readonly asked: Asked | undefined;
}

/** Looks at everything; throws only where a server cannot be asked. Letters come last: they are given back. */
export async function findings(ran: Ran): Promise<Finding[]> {
  const { house, topics, quiet, disturbed, done, asked } = ran;
  const control = new Control(house.url, house.replayToken);
  const model = ran.world.model;
  await topics.caughtUp();
  const letters = new Letters({ ...ran, poisoned: done.poisoned });
  const same = (...parts: (keyof Outcome)[]) => differenceOf(only(quiet, parts), only(disturbed, parts));
  const found = [
    ['everything that was planned was done', done.undone[0]],
    ['the ledger, its cycles, answers and figures are those of the quiet run', same(...ofLedger)],
    ['every label and every logged prediction is counted once', same('days', 'counted')],
    ['no version is lost, and none has other bytes', same('versions', 'bytes')],
    ['a cycle has one outcome, and at most one is open', await outcomes(control, model, topics)],
    ['there is one champion, where the quiet run has one', await champion(control, model, quiet)],
    ['no event is unpublished', await unpublished()],
    [
      'each record that is no event is a dead letter of every group that heard it, and nothing else is',
      await letters.lie(),
    ],
    ['given back, each of them is refused again', await letters.areRefusedAgain()],
    ['given back, a good event that came too early is taken', await letters.areTakenWhenMended()],
  ] as const;
  const questions = ['no question failed while one replica of serving lived', asked && failures(asked)] as const;
  return [...found, ...(asked ? [questions] : [])].map(([what, against]) => ({ what, against }));
}

const ofLedger = ['ledger', 'ledgerSha256', 'cycles', 'answers', 'shadows', 'figures'] as const;

const only = (outcome: Outcome, parts: readonly (keyof Outcome)[]): Outcome =>
  Object.fromEntries(parts.map((part) => [part, outcome[part]])) as unknown as Outcome;

const failures = ({ asked, failed, reason }: Asked) =>
  failed || !asked ? `${failed} of ${asked} failed, the first one: ${reason}` : undefined;

/** Of what monitoring shows, and of what it has told everybody. */
async function outcomes(control: Control, model: string, topics: Topics): Promise<string | undefined> {
  const cycles = await control.cycles(model);
  const open = cycles.filter(({ outcome }) => !outcome).length;
  if (open > 1) return `${open} are open`;
  const told = topics.published(events.cycleClosed.topic).map(({ value }) => JSON.parse(String(value)));
  for (const { cycleId, outcome } of cycles) {
    const of = told.filter((closed) => closed.cycleId === cycleId).length;
    if (of !== Number(Boolean(outcome)))
      return `cycle ${cycleId} (${outcome || 'open'}) was told to be closed ${of} times`;
  }
  return undefined;
}

async function champion(control: Control, model: string, quiet: Outcome): Promise<string | undefined> {
  const isChampion = ({ state }: { state?: string }) => state === 'champion';
  const champions = (await control.versions(model)).filter(isChampion).map(({ version }) => version);
  const expected = quiet.versions.filter(isChampion).length;
  const { rollout } = await control.rollout(model);
  if (champions.length !== expected) return `${champions.length} champions (${champions}), not ${expected}`;
  const answers = rollout?.champion?.version;
  return expected && answers !== champions[0] ? `${champions[0]} is champion, and ${answers} answers` : undefined;
}

async function unpublished(): Promise<string | undefined> {
  const { namespace, mongodb } = readSettings({ ...process.env, DRIFTLOOP_MODE: 'cluster' }).cluster!;
  for (const service of services) {
    const connection = await openMongod(mongodb.reveal(), databaseOf({ namespace }, service));
    try {
      for (const { name } of await connection.listCollections()) {
        const left = await connection.collection(name).countDocuments({ 'pending.0': { $exists: true } } as never);
        if (left > 0) return `${left} documents of ${service} ${name} have unsent events`;
      }
    } finally {
      await connection.close();
    }
  }
  return undefined;
}
