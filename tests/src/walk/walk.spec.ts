/**
 * The whole loop in one process on a small world, through public doors only: the model renews itself after the world has
 * changed, and what it did can be checked by hand.
 */
import { createHash } from 'node:crypto';
import { type Cycle, canonicalJson, Decision, type Ledger, type Version } from '@driftloop/contracts';
import { score } from '@driftloop/embedded';
import type { ReplayResult } from '@driftloop/flights';
import { parcelsWorld } from '../worlds/parcels.js';
import { openPlayed, type Played } from './played.js';

const world = parcelsWorld({ driftAt: 12 });
let played: Played;
let result: ReplayResult;
let cycles: Cycle[];
let versions: Version[];
let ledger: Ledger;

beforeAll(async () => {
  played = await openPlayed();
  result = await played.play(world);
  [cycles, versions, ledger] = await Promise.all([
    played.control.cycles(world.model),
    played.control.versions(world.model),
    played.control.ledger(world.model),
  ]);
}, 120_000);

afterAll(() => played?.close());

describe('the loop', () => {
  it('trains a first model and promotes it over the constant prior', () => {
    expect(cycles[0]).toMatchObject({ signal: 'bootstrap', champion: 'v0', version: 'v1', outcome: 'promoted' });
    expect(result.frozenVersion).toBe('v1');
  });

  it('renews the model by itself after the world has changed', () => {
    const renewed = cycles.slice(1).filter((cycle) => cycle.outcome === 'promoted');
    expect(renewed.length).toBeGreaterThanOrEqual(1);
    expect(renewed[0].steps.map((step) => step.what)).toEqual(
      expect.arrayContaining([expect.stringMatching(/opened/), expect.stringMatching(/promoted/)]),
    );
  });

  it('answers every question once, and better than the model that was never renewed', () => {
    const { departures, loop, frozen } = score(played.diary(), world.truth, result.frozenVersion);
    expect(departures).toBe(world.happenings.filter((h) => h.kind === 'question').length);
    expect(loop.logLoss).toBeLessThan(frozen.logLoss - 0.02);
    expect(loop.auc).toBeGreaterThan(frozen.auc);
  });

  it('gives every cycle at most one outcome, with its reasons, and leaves one open at most', () => {
    const closed = cycles.filter((cycle) => cycle.outcome);
    expect(cycles.length - closed.length).toBeLessThanOrEqual(1);
    for (const cycle of closed) {
      expect(cycle.stage).toBe('closed');
      expect(cycle.reasons).not.toEqual([]);
      expect(cycle.steps.filter((step) => step.decision?.kind === 'cycle.closed')).toHaveLength(1);
    }
    expect(new Set(cycles.map((cycle) => cycle.cycleId)).size).toBe(cycles.length);
  });

  it('keeps each version with its lineage, its bytes and its training set', async () => {
    expect(versions.length).toBeGreaterThan(2);
    for (const { version, released, lineage, cycleId } of versions) {
      const bytes = await played.house.store.objects.get(released!.uri, released!.sha256);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(released!.sha256);
      if (version === 'v0') continue;
      expect(cycles.map((cycle) => cycle.cycleId)).toContain(cycleId);
      expect(lineage).toMatchObject({ specSha256: expect.stringMatching(/^[0-9a-f]{64}$/), seed: 1 });
      expect(lineage!.datasetRows).toBeGreaterThan(0);
      expect(lineage!.datasetUri).toContain(lineage!.datasetSha256);
      expect((await played.house.store.objects.get(lineage!.datasetUri)).byteLength).toBeGreaterThan(0);
    }
  });

  it('writes a ledger whose every hash can be recomputed', () => {
    let sha256 = '';
    for (const { position, service, cycleId, decision, sha256: written } of ledger.entries) {
      const content = canonicalJson({ position, service, cycleId, decision: Decision.toJSON(decision!) });
      sha256 = createHash('sha256')
        .update(sha256 + content)
        .digest('hex');
      expect(written).toBe(sha256);
    }
    expect(ledger.sha256).toBe(sha256);
    const times = ledger.entries.map(({ decision }) => decision!.eventTime!.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('names every decision that moved the champion in the ledger', () => {
    const promoted = ledger.entries.filter(
      ({ decision }) => decision!.outcome === 'promoted' && decision!.kind === 'alias',
    );
    const closed = cycles.filter((cycle) => cycle.outcome === 'promoted');
    expect(promoted.map((entry) => entry.cycleId)).toEqual(closed.map((cycle) => cycle.cycleId));
  });
});
