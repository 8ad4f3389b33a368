/**
 * A house that is killed again and again comes to the same end as one that never was: decisions, versions byte for byte,
 * answers, sums and figures. `npm run crash` tries many more deaths, each by itself.
 */
import { differenceOf } from './difference.js';
import { deathsInTurn, pointDeaths, timeDeaths } from './plan.js';
import { pointNames } from './points.js';
import { type Play, play } from './runs.js';

const played: Play = { world: new URL('../worlds/short.js', import.meta.url).href };

it('comes to the same end after dying at eight points in turn', async () => {
  const quiet = await play(played);
  expect([quiet.deaths, quiet.unwritten]).toEqual([0, undefined]);
  expect(quiet.outcome.cycles).toMatchObject([{ outcome: 'promoted' }, { outcome: 'promoted' }, {}]);
  expect([...new Set([...quiet.counts.keys()].map((point) => point.split(' ')[0]))].sort()).toEqual(
    [...pointNames].sort(),
  );
  const killed = await play(played, ...deathsInTurn(quiet.counts, 8, 1));
  expect(killed.deaths).toBeGreaterThanOrEqual(5);
  expect(killed.unwritten).toBeUndefined();
  expect(differenceOf(quiet.outcome, killed.outcome)).toBeUndefined();
}, 240_000);

describe('the deaths that are tried', () => {
  const counts = new Map([
    ['driftloop:a.one x', 3],
    ['driftloop:a.one y', 1],
    ['driftloop:b.two', 5],
  ]);

  it('are the same for a seed, and hit every channel before any again, and every point', () => {
    const deaths = pointDeaths(counts, 4, 7);
    expect(deaths).toEqual(pointDeaths(counts, 4, 7));
    const points = deaths.map((death) => ('at' in death ? death.at.point : ''));
    expect(new Set(points.slice(0, 2).map((point) => point.split(' ')[0])).size).toBe(2);
    expect(points.slice(0, 3).sort()).toEqual([...counts.keys()]);
    expect(points[3]).toBe(points[0]);
    for (const death of deaths) expect('at' in death && death.at.nth <= counts.get(death.at.point)!).toBe(true);
  });

  it('come at times within the quiet run', () => {
    for (const death of timeDeaths(1000, 50, 1)) expect('afterMs' in death && death.afterMs).toBeLessThanOrEqual(1000);
  });
});
