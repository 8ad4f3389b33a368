import type { LoopError } from '@driftloop/contracts';
import { usualDoor } from './limits.js';
import { Turns } from './turns.js';

let time = 0;
const now = () => time;
const turnsOf = (limits: object) => new Turns({ ...usualDoor, ...limits }, now);
const loop = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'granted',
    (error: LoopError) => error.code,
  );

it('grants as many as may run, and the next when one leaves', async () => {
  const turns = turnsOf({ running: 2 });
  const [first, , third] = [turns.enter('a'), turns.enter('a'), turns.enter('a')];
  const order: string[] = [];
  void third.granted.then(() => order.push('third'));
  await loop();
  await loop();
  order.push('left');
  first.leave();
  await loop();
  await loop();
  expect([order, turns.running]).toEqual([['left', 'third'], 2]);
});

it('refuses what the queue does not take, and more than its share of one caller', () => {
  const turns = turnsOf({ running: 1, queued: 4, share: 0.5 });
  turns.enter('a');
  for (const caller of ['a', 'a', 'b', 'b']) turns.enter(caller);
  expect(turns.full('a')).toBe(true);
  expect(() => turns.enter('c')).toThrow('queue');
  expect(turns.state).toEqual({ depth: 4, refused: 1 });
});

it('lets callers take turns, and one that has its share only when no other waits', async () => {
  const turns = turnsOf({ running: 4, queued: 100, share: 0.5 });
  const held = Array.from({ length: 4 }, () => turns.enter('greedy'));
  const order: string[] = [];
  for (const caller of ['greedy', 'greedy', 'other']) void turns.enter(caller).granted.then(() => order.push(caller));
  for (const { leave } of held.slice(0, 3)) {
    leave();
    await loop();
    await loop();
  }
  expect(order).toEqual(['other', 'greedy', 'greedy']);
});

it('begins no more in one turn of the event loop than it did well with', async () => {
  const turns = turnsOf({ running: 256, queued: 512, share: 1 });
  for (let i = 0; i < 300; i++) turns.enter('a');
  expect(turns.running).toBe(16);
  await loop();
  expect(turns.running).toBe(16 + 32);
  time += 50;
  await loop();
  expect(turns.running).toBe(16 + 32 + 16);
});

it('refuses who has waited too long, sooner where the queue stands', async () => {
  const turns = turnsOf({ running: 1, longestWaitMs: 100, standingMs: 150, standingWaitMs: 10 });
  turns.enter('a');
  const passes = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5) {
      time += 5;
      await new Promise((resolve) => setTimeout(resolve, 6));
    }
  };
  const first = codeOf(turns.enter('a').granted);
  await passes(80);
  const second = codeOf(turns.enter('b').granted);
  await passes(40);
  expect(await first).toBe('OVERLOADED');
  await passes(60);
  expect(await second).toBe('OVERLOADED');
  expect(turns.state.depth).toBe(0);
});

it('does not count time in which the event loop stood still', async () => {
  const turns = turnsOf({ running: 1, longestWaitMs: 1000 });
  const running = turns.enter('a');
  const waiting = codeOf(turns.enter('a').granted);
  time += 60_000;
  await new Promise((resolve) => setTimeout(resolve, 20));
  running.leave();
  expect(await waiting).toBe('granted');
});
