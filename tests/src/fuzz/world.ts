/**
 * The small world that is fuzzed in: parcels, twice over. One model is the bystanders': nothing that may change anything names
 * it, so that whatever changes of it is a fault. The other is told and commanded.
 */
import { join } from 'node:path';
import { Control, Reporter } from '@driftloop/client';
import type { House } from '@driftloop/embedded';
import { replay, Telling, type World } from '@driftloop/flights';
import { DAY, HOUR, START } from '../worlds/parcels.js';
import { openWorld } from '../worlds/short.js';

export const bystander = 'parcels';
export const target = 'letters';
/** How far time has come. */
export const end = START + 9 * DAY + 12 * HOUR;

/** The bystanders' world. */
export const bystanderWorld = openWorld;

/** The same under the target's name. */
export function targetWorld(): World {
  const world = openWorld();
  const spec = world.spec.replace(`name: ${bystander}`, `name: ${target}`);
  return { ...world, model: target, label: `${target}.late`, spec };
}

/** Plays both to the end, once a home: first the target is told all, then the bystanders' world is played and passes time. */
export async function played(house: House, token: string): Promise<void> {
  const doors = {
    gateway: house.url,
    serving: house.address('serving'),
    featureStore: house.address('feature-store'),
    labeling: house.address('labeling'),
  };
  const { happenings, spec, ...world } = targetWorld();
  const control = new Control(house.url, token);
  await control.apply(spec, new Date(happenings[0].at - HOUR));
  await control.settled();
  const reporter = new Reporter(doors, token);
  const telling = new Telling(world, reporter);
  await telling.tell(
    happenings.filter(({ at }) => at <= end),
    end,
  );
  telling.close();
  reporter.close();
  await replay(bystanderWorld(), { doors, token, diary: join(house.home, 'replay'), until: end });
  await control.settled();
}

const second = (of: World['happenings']) => of.filter(({ at }) => at > START + 5 * DAY && at <= end);

/** What becomes known of the target late in its history, and what may be asked of anybody: what real requests are made of. */
export function recent(): Pick<World, 'happenings'> & { spec: string } {
  const { happenings, spec } = targetWorld();
  return { happenings: second(happenings), spec };
}
