/**
 * The leak probe on a small world, through training and gate of a house.
 */
import { parcelsWorld } from '../worlds/parcels.js';
import { firstCandidate, leaky } from './leak-probe.js';

describe('a feature that is known only afterwards', () => {
  it('is refused by the gate at the first training, which passes without it', async () => {
    const world = parcelsWorld({ days: 11 });
    const leaking = await firstCandidate(
      leaky(world, { from: 'handed', column: 'delay', into: 'orders', as: 'delay' }),
    );
    expect(leaking).toMatchObject({ refused: true, leaks: ['delay'] });
    expect(leaking.reasons.join()).toContain('leak: feature delay alone');
    expect(await firstCandidate(world)).toMatchObject({ refused: false, leaks: [] });
  });
});
