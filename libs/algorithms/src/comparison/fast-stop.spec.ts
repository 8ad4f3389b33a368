import { BadInput } from '../bad-input.js';
import { type FastStopState, startFastStop, updateFastStop } from './fast-stop.js';

const block = (b: number, mean: number, rows = 40): { block: string; rows: number; sum: number } => ({
  block: new Date(Date.UTC(2013, 2, 1, b)).toISOString(),
  rows,
  sum: Math.round(rows * mean * 1e9),
});
const run = (mean: number, blocks: number, rows = 40): FastStopState => {
  let state = startFastStop();
  for (let b = 0; b < blocks && state.decision === 'continue'; b++)
    state = updateFastStop(state, block(b, mean, rows)).state;
  return state;
};

describe('the fast stop', () => {
  it('stops gross harm in fourteen blocks, under a day', () => {
    expect(run(-0.3, 100)).toMatchObject({ decision: 'harm', blocks: 14 });
  });

  it('never stops harm within its margin', () => {
    expect(run(-0.014, 2000).decision).toBe('continue');
    expect(run(0.5, 2000).decision).toBe('continue');
  });

  it('skips thin blocks and counts them', () => {
    expect(run(-1, 20, 4)).toMatchObject({ decision: 'continue', blocks: 0, skipped: 20, rows: 0 });
  });

  it('counts a block once, stands by its stop, and survives JSON', () => {
    const { state } = updateFastStop(startFastStop(), block(3, -0.1));
    expect(updateFastStop(state, block(3, -0.1)).state).toBe(state);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    const stopped = run(-0.3, 100);
    expect(updateFastStop(stopped, block(500, 1))).toMatchObject({
      decision: 'harm',
      evidence: [{ test: 'gross harm', holds: true, days: 14 }],
    });
  });

  it('refuses options and sums that make no sense', () => {
    expect(() => startFastStop({ clip: 0 })).toThrow(BadInput);
    expect(() => updateFastStop(startFastStop(), { block: 'a', rows: 20, sum: Number.NaN })).toThrow('nano-units');
  });
});
