import { events } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { Loop } from './loop.js';
import { type LoopWorld, openLoop } from './testing/loop-world.js';
import { DocumentsOf, day, hour, specText, start } from './testing/world.js';

const retraining = { minFreshLabels: 50, cooldown: '1d', breakerAfter: 2, deadlines: { training: '30d' } };
const spec = specText({ retraining });

describe('the breaker', () => {
  let world: LoopWorld;
  let open: number;
  beforeEach(async () => {
    world = await openLoop({ spec });
    open = await untilOpen();
  });
  afterEach(() => world.close());

  /** Two cycles that the gate refuses; resolves to the day after. */
  const untilOpen = async () => {
    let at = start;
    for (let i = 0; i < 2; i++) {
      const { request, next } = await world.untilOpened(at);
      await world.refuse(next - 6 * hour, request.cycleId, `v${i + 2}`);
      at = next;
    }
    await world.live(at);
    return at + day;
  };
  const live = async (days: number) => {
    for (let i = 0; i < days; i++) await world.live(open + i * day);
    open += days * day;
  };
  const told = async () =>
    (await world.heard(events.loopHeld))
      .filter(({ by }) => by === 'breaker')
      .map(({ paused, decision }) => [paused, decision!.outcome]);

  it('opens after so many cycles without promotion: no cycle opens, a person is called, once', async () => {
    await live(6);
    expect(await world.requested()).toHaveLength(2);
    expect(await told()).toEqual([[true, 'opened']]);
    expect((await world.status()).attention).toEqual([expect.stringMatching(/^the breaker is open since .* 2 cycles/)]);
    const said = (await world.ledger()).entries.filter(({ decision }) => decision!.kind === 'breaker');
    expect(said).toHaveLength(1);
    const last = (await world.closed()).at(-1)!;
    expect(said[0].decision!.eventTime).toEqual(last.closed);
  });

  it('closes when a version is promoted by hand', async () => {
    await world.promote(open, 'v3', { cutoff: open - 5 * day, trained: 100, cycleId: 'by-hand' });
    await world.roll(open, { champion: { version: 'v3' } });
    await live(8);
    expect(await told()).toEqual([
      [true, 'opened'],
      [false, 'closed'],
    ]);
    expect((await world.requested()).length).toBeGreaterThan(2);
    expect((await world.status()).attention).toEqual([]);
  });

  it('closes when the spec is changed', async () => {
    await world.declare(open, specText({ retraining: { ...retraining, minFreshLabels: 51 } }), 2);
    await live(3);
    expect((await told()).at(-1)).toEqual([false, 'closed']);
    expect(await world.requested()).toHaveLength(3);
  });

  it('closes when a person lets the loop go on, and counts from there', async () => {
    await call(world.client, 'pause', { model: 'parcels', paused: false, note: 'looked' }, { deadlineMs: 5000 });
    await live(3);
    expect((await told()).at(-1)).toEqual([false, 'closed']);
    const found = await world.requested();
    expect(found).toHaveLength(3);
    await world.refuse(open - 6 * hour, found[2].cycleId, 'v4');
    await live(3);
    // one failure is not two
    expect(await world.requested()).toHaveLength(4);
  });

  it('is told after a restart where the process died before it could', async () => {
    const ids = () => world.ids(events.loopHeld);
    const [told] = await ids();
    const before = await world.ledger();
    await world.service.app.get(DocumentsOf.loop).signals.deleteMany({ 'decision.kind': 'breaker' });
    await world.tick(open);
    expect(await ids()).toEqual([told]); // this process knows that it has looked
    world.service.app.get(Loop).forget();
    await world.tick(open);
    expect(await ids()).toEqual([told, told]);
    expect((await world.ledger()).entries.slice(0, before.total)).toEqual(before.entries);
  });
});
