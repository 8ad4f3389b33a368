/**
 * The process that a crash is tried on: a house on a home and the replay of a world, in one process, so that one kill -9
 * ends it all. Started again on the same home it goes on; at its end it writes the outcome.
 *
 * Arguments: home, URL of the world's module, file for the outcome, and (or nothing) the event time to stop at, epoch ms.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Control } from '@driftloop/client';
import { openHouse } from '@driftloop/embedded';
import { Diary, importWorld, replay } from '@driftloop/flights';
import { keptIn, outcomeOf } from './outcome.js';

const [home, worldUrl, file, until] = process.argv.slice(2);
const environment = { DRIFTLOOP_LOG_LEVEL: process.env.DRIFTLOOP_LOG_LEVEL ?? 'warn' };
const { model, openWorld, truth } = await importWorld(worldUrl);
const house = await openHouse(home, { anyPorts: true, environment });
const doors = {
  gateway: house.url,
  serving: house.address('serving'),
  featureStore: house.address('feature-store'),
  labeling: house.address('labeling'),
};
const folder = join(home, 'replay');
const options = { doors, token: house.replayToken, diary: folder, ...(until && { until: Number(until) }) };
const { frozenVersion } = await replay(openWorld(), options);
const control = new Control(house.url, house.replayToken);
await control.settled();
const outcome = await outcomeOf(keptIn(house), control, {
  model,
  truth: truth(),
  frozenVersion,
  diary: new Diary(folder),
});
writeFileSync(`${file}.new`, JSON.stringify(outcome));
renameSync(`${file}.new`, file);
await house.close();
