/** What a fuzz run sends, and what it holds an answer to be. That a whole run comes to nothing is CI's own step. */
import { create, toBinary } from '@bufbuild/protobuf';
import { Random } from '@driftloop/algorithms';
import { services } from '@driftloop/contracts';
import { filledBytes } from './generate.js';
import { fromJson, type Input, toJson } from './input.js';
import { Inputs } from './inputs.js';
import { Judge } from './judge.js';
import { encoded, parsed } from './message.js';
import { contracts, inboundTopics } from './methods.js';
import { mutate } from './mutate.js';
import { wordsFor } from './words.js';
import { target } from './world.js';

const known = { version: ['v0', 'v1'], cycle_id: ['c'], job_id: ['j'], group: ['g'], id: ['labeling/x'] };
const making = { known, token: 't', replayToken: 'r', parquet: Buffer.from('PAR1') };
const methods = [...contracts()]
  .flatMap((one) => (one.kind === 'service' ? one.methods : []))
  .map((desc) => ({ service: 'any', path: `/${desc.parent.typeName}/${desc.name}`, desc, reads: false }));
const routes = ['GET /v1/models/:model/status', 'POST /v1/models/:model/promote', 'GET /v1/events'];
const inputs = (seed: number) => new Inputs(seed, methods, routes, making);

describe('the inputs of a run', () => {
  it('are the seed and the number, and nothing else', () => {
    const [one, again, other] = [inputs(1), inputs(1), inputs(2)];
    const numbers = Array.from({ length: 200 }, (_, i) => 199 - i);
    const backwards = numbers.map((number) => again.at(number)).reverse();
    expect(Array.from({ length: 200 }, (_, i) => one.at(i))).toEqual(backwards);
    expect(other.at(3)).not.toEqual(one.at(3));
  });

  it('reach every method that the contracts describe, every route and every inbound topic', () => {
    const run = inputs(1);
    const reached = new Set(Array.from({ length: 12_000 }, (_, i) => run.at(i).method.replace(/^any/, '')));
    const doors = [...methods.map(({ path }) => path), ...routes, ...inboundTopics().map(({ topic }) => topic)];
    expect(doors.filter((door) => !reached.has(door))).toEqual([]);
    expect(methods.length).toBeGreaterThan(services.length * 4);
  });

  it('come back from a file as they were, whatever stands in them', () => {
    const run = inputs(9);
    const all = Array.from({ length: 300 }, (_, i) => run.at(i)).filter(({ sent }) => sent.door !== 'bus');
    const bytes = (input: Input) =>
      JSON.stringify(input, (_, value) => (value?.type === 'Buffer' ? value.data : value));
    for (const input of all) expect(fromJson(toJson([input]))[0]).toMatchObject({ number: input.number });
    expect(fromJson(toJson(fromJson(toJson(all)))).map(bytes)).toEqual(fromJson(toJson(all)).map(bytes));
  });
});

describe('a message as a tree', () => {
  it.each(methods.map(({ path, desc }) => [path, desc.input] as const))('of %s is the same bytes again', (_, desc) => {
    const random = new Random(desc.typeName);
    for (let i = 0; i < 20; i++) {
      const bytes = filledBytes(desc, { random, words: wordsFor(target, known) });
      expect(Buffer.from(encoded(parsed(desc, bytes)))).toEqual(Buffer.from(bytes));
    }
  });

  it('is changed in one place, which is named', () => {
    const desc = contracts().getMessage('driftloop.v1.GetCycleRequest')!;
    const bytes = toBinary(desc, create(desc, { cycleId: 'c' } as never));
    const changes = Array.from({ length: 100 }, (_, i) => mutate(parsed(desc, bytes), new Random(i)));
    expect(new Set(changes.map(({ field }) => field))).toEqual(new Set(['cycle_id']));
    expect(new Set(changes.map(({ mutation }) => mutation)).size).toBeGreaterThan(5);
  });
});

describe('an answer', () => {
  const judge = new Judge(['/homes/one']);
  const input = { ...inputs(1).at(0), method: 'any/Method' };
  const of = (status: string, text: string) => judge.ofAnswer(input, { status, text });

  it.each([
    ['INTERNAL', 'internal error 6f5c1c5e-0000-4000-8000-000000000000'],
    ['INTERNAL', 'Error deserializing request: premature EOF'],
    ['UNKNOWN', 'Server method handler threw error x'],
    ['HTTP 500', '{"code":"INTERNAL"}'],
    ['NOT_FOUND', 'no file /homes/one/objects/x'],
    ['OK', 'TypeError: x\n    at Object.y (/a/b.js:1:2)'],
    ['INVALID_ARGUMENT', 'see file:///a/b.ts'],
  ])('%s: %s is a fault', (status, text) => {
    expect(of(status, text)).toBeDefined();
  });

  it.each([
    ['NOT_FOUND', 'no model "constructor"'],
    ['INVALID_ARGUMENT', 'Error deserializing request: premature EOF'],
    ['DEADLINE_EXCEEDED', ''],
    ['HTTP 404', '{"code":"UNKNOWN_MODEL"}'],
  ])('%s: %s is none', (status, text) => {
    expect(of(status, text)).toBeUndefined();
  });

  it('that holds a stack is a fault in a line of the log too', () => {
    const line = JSON.stringify({
      service: 'x',
      msg: 'failed',
      err: { message: 'm', stack: 'Error: m\n    at f (a.js:1:2)' },
    });
    expect(judge.ofLine(line)).toBe('a log line with a stack: x: failed: m');
    expect(
      judge.ofLine(JSON.stringify({ service: 'x', msg: 'refused', err: { code: 'NO', message: 'm' } })),
    ).toBeUndefined();
  });
});
