/**
 * The leak probe: a column that is only known after the fact is put into the source that questions are looked up in, as a
 * careless join upstream would. Then the real thing: the house learns the history with it, trains, and the gate must refuse
 * the candidate for that feature. The same world without it must pass.
 */
import { parseModelSpec } from '@driftloop/contracts';
import { flightsWorld, type Happening, importWorld, type World } from '@driftloop/flights';
import { openPlayed } from '../walk/played.js';
import type { Control } from './control.js';
import { quick } from './year.js';

const hour = 3_600_000;

/** Where the leak comes from, and where it is put. */
export interface Leak {
  readonly from: string;
  readonly column: string;
  readonly into: string;
  readonly as: string;
}

export const leakProbe: Control = {
  name: 'leak probe (dep_delay added)',
  mustShow: 'refused',
  async run({ tell }) {
    const year = (await importWorld(flightsWorld.href)).openWorld();
    const spec = JSON.stringify(quick(parseModelSpec(year.spec)));
    const world = beginning({ ...year, spec });
    tell('leak probe: the history with the departure delay of the same flight');
    const leaking = await firstCandidate(
      leaky(world, { from: 'departed', column: 'delay', into: 'schedule', as: 'dep_delay' }),
    );
    tell('leak probe: the history as it is');
    const clean = await firstCandidate(world);
    const forIt = leaking.leaks.includes('dep_delay');
    return [
      {
        what: 'with dep_delay: refused for it',
        figure: Number(leaking.refused && forIt),
        showed: leaking.refused ? leaking.reasons.join('; ') : 'approved',
        atLeast: 1,
      },
      {
        what: 'without it: passed',
        figure: Number(!clean.refused),
        showed: clean.refused ? clean.reasons.join('; ') : 'approved',
        atLeast: 1,
      },
    ];
  },
};

/** A world with a column of a later fact among the inputs. */
export function leaky(world: World, { from, column, into, as }: Leak): World {
  const later = new Map<string, number | null>();
  for (const h of world.happenings)
    if (h.kind === 'fact' && h.source === from) later.set(h.fact.entityId, h.fact.values[column] as number | null);
  const spec = parseModelSpec(world.spec);
  spec.spec.request.inputs[as] = 'number';
  spec.spec.sources[into].columns[as] = 'number';
  spec.spec.features.push({ input: as });
  const happenings = world.happenings.map((h): Happening => {
    if (h.kind === 'fact' && h.source === into) {
      const { entityId } = h.fact;
      const values = { ...h.fact.values, [as]: later.get(entityId) ?? null };
      return { at: h.at, kind: 'fact', source: into, fact: { ...h.fact, values } };
    }
    return h.kind === 'question' ? { at: h.at, kind: 'question', question: withInput(h.question, as, later) } : h;
  });
  return { ...world, spec: JSON.stringify(spec), happenings };
}

type Question = Extract<Happening, { kind: 'question' }>['question'];

function withInput(question: Question, name: string, later: ReadonlyMap<string, number | null>): Question {
  const value = later.get(question.entityId);
  return value === undefined || value === null
    ? question
    : { ...question, inputs: { ...question.inputs, [name]: value } };
}

/** The history and the first day of questions. */
function beginning(world: World): World {
  const first = world.happenings.find(({ kind }) => kind === 'question')!.at;
  return { ...world, happenings: world.happenings.filter(({ at }) => at <= first + 24 * hour) };
}

/** What the gate said of the first candidate of a world, played in a house of its own until there is one. */
export async function firstCandidate(world: World) {
  const played = await openPlayed();
  try {
    const first = world.happenings.find(({ kind }) => kind === 'question')!.at;
    await played.play(world, first + 4 * (world.step ?? hour));
    const versions = await played.control.versions(world.model);
    const candidate = versions.find(({ version }) => version === 'v1');
    if (!candidate?.gate) throw new Error(`no candidate of ${world.model} came to the gate`);
    const { reasons, evidence, outcome } = candidate.gate;
    const leaks = evidence.filter(({ test, holds }) => test === 'leak' && holds);
    const names = leaks.map(({ subject }) => subject.replace(/^feature /, ''));
    return { refused: outcome === 'refused', reasons, leaks: names };
  } finally {
    await played.close();
  }
}
