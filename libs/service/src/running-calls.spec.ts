import { RunningCalls } from './running-calls.js';

const log = () => {
  const warned: object[] = [];
  return { warned, warn: (facts: object) => void warned.push(facts) };
};
type Logged = ReturnType<typeof log>;
const ended = (calls: RunningCalls, to: Logged, longestMs?: number) => calls.ended(to as never, longestMs);

it('waits for the calls that come while it waits', async () => {
  const calls = new RunningCalls();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  calls.add(first.promise);
  void first.promise.then(() => calls.add(second.promise));
  const to = log();
  let isEnded = false;
  const ending = ended(calls, to).then(() => {
    isEnded = true;
  });
  first.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isEnded).toBe(false);
  second.resolve();
  await ending;
  expect(to.warned).toEqual([]);
});

it('says how many it did not wait for any longer', async () => {
  const calls = new RunningCalls();
  calls.add(new Promise(() => {}));
  const to = log();
  await ended(calls, to, 10);
  expect(to.warned).toEqual([{ calls: 1 }]);
});

it('ends at once where none runs', async () => {
  const to = log();
  await ended(new RunningCalls(), to, 0);
  expect(to.warned).toEqual([]);
});
