import { afterEach, describe, expect, it } from '@jest/globals';
import { day, hour, openWorld, parcelsOf, start, type World } from './spec/world.js';

describe('the watch over cohorts', () => {
  let world: World;
  afterEach(() => world.close());

  it('closes a day with the sums of whole cohorts', async () => {
    world = await openWorld();
    await world.declare(start - day);
    await world.roll(start - day, { champion: { version: 'v1' } });
    const parcels = parcelsOf(start, 30);
    await world.ask(parcels);
    await world.label(parcels);
    await world.tick(start + day + 11 * hour);
    expect((await world.status()).days).toEqual([]);
    await world.tick(start + day + 12 * hour);
    const { days } = await world.status();
    expect(days).toMatchObject([{ predictions: 30, labelled: 30, censored: 0 }]);
  });
});
