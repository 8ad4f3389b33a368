/** Facts about handlers that fail: I5 and I6 of the port. */
import { LoopError } from '@driftloop/contracts';
import type { HeardEvent } from '../bus.js';
import { away, type Fact, type Scene, until, valueIn } from './scene.js';

const poison = () => new LoopError('test', 'LABEL_IMPOSSIBLE', 'a delay of 9e9 hours', 'INVALID_ARGUMENT', false);

/** Throws for one value. */
function failsAt(value: unknown, error: () => unknown) {
  return async (event: HeardEvent) => {
    if (valueIn(event) === value) throw error();
  };
}

/** A group that cannot take what it hears, or some of it, until it is mended. */
async function mendable(scene: Scene, isPoison = (_event: HeardEvent) => true) {
  const topic = await scene.topic();
  const group = scene.name('group');
  let mended = false;
  const handle = async (event: HeardEvent) => {
    if (!mended && isPoison(event)) throw poison();
  };
  const heard = await scene.listen(topic, { group, handle });
  const mend = () => {
    mended = true;
  };
  return { topic, group, heard, mend };
}

/** One with so many dead letters. */
async function withLetters(scene: Scene, count: number) {
  const made = await mendable(scene);
  const said = await scene.say(made.topic, 'k', ...Array.from({ length: count }, (_, i) => i));
  await scene.bus.settled();
  return { ...made, ids: said.map(({ id }) => id) };
}

export function describeFailures(fact: Fact): void {
  fact('calls a handler again, with a higher attempt, until its dependency is back', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const attempts: number[] = [];
    const handle = async (event: HeardEvent) => {
      attempts.push(event.attempt);
      if (attempts.length < 4) throw away();
    };
    const heard = await scene.listen(topic, { group, handle });
    await scene.say(topic, 'k', 1, 2);
    await heard.count(2);
    expect(attempts).toEqual([1, 2, 3, 4, 1]);
    expect(heard.values()).toEqual([1, 2]);
    expect(await scene.bus.dead(group)).toEqual([]);
  });

  fact('pauses one partition and goes on with the others', async (scene) => {
    const topic = await scene.topic(2);
    const twelve = Array.from({ length: 12 }, (_, i) => scene.event(topic, `k${i}`, i));
    await scene.bus.publish(twelve);
    const [kept, paused] = await Promise.all([0, 1].map((p) => scene.bus.read(topic, p, 0, 100)));
    let back = false;
    const handle = async ({ partition }: HeardEvent) => {
      if (partition === 1 && !back) throw away();
    };
    const heard = await scene.listen(topic, { handle });
    const other = await scene.listen(topic);
    await Promise.all([heard.count(kept.length), other.count(12)]);
    expect(heard.events.map((event) => event.partition)).toEqual(kept.map(() => 0));
    back = true;
    await heard.count(12);
    expect(heard.events.filter((event) => event.partition === 1).map(valueIn)).toEqual(paused.map(valueIn));
  });

  fact('says in its lag that a partition is paused, and why, for as long as it is', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    let back = false;
    const handle = async () => {
      if (!back) throw away('MODEL_STORE_AWAY');
    };
    const heard = await scene.listen(topic, { group, handle });
    await scene.say(topic, 'k', 1);
    await until('the pause is reported', async () => (await scene.lagOf(group))[0].paused !== undefined);
    const [lag] = await scene.lagOf(group);
    expect(lag).toMatchObject({ topic, partition: 0, lag: 1, paused: expect.stringContaining('MODEL_STORE_AWAY') });
    back = true;
    await heard.count(1);
    await scene.bus.settled();
    expect((await scene.lagOf(group))[0].paused).toBeUndefined();
  });

  fact('dead-letters a poison event at once and goes on with the next', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const heard = await scene.listen(topic, { group, handle: failsAt(2, poison) });
    const other = await scene.listen(topic);
    const [, second] = await scene.say(topic, 'k', 1, 2, 3);
    await Promise.all([heard.count(2), other.count(3)]);
    expect(heard.values()).toEqual([1, 3]);
    const error = { name: 'LoopError', code: 'LABEL_IMPOSSIBLE', message: 'a delay of 9e9 hours' };
    const letter = { ...second, group, partition: 0, offset: 1, attempt: 1, error };
    expect(await scene.bus.dead(group)).toEqual([letter]);
  });

  fact('dead-letters the event of a programmer error, whatever is thrown', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const handle = async (event: HeardEvent) => {
      if (valueIn(event) === 1) (undefined as unknown as string).trim();
      if (valueIn(event) === 2) throw 'a bare string';
      if (valueIn(event) === 3) throw undefined;
    };
    const heard = await scene.listen(topic, { group, handle });
    await scene.say(topic, 'k', 1, 2, 3, 4);
    await heard.count(1);
    const letters = await scene.bus.dead(group);
    expect(letters.map((letter) => letter.error.name)).toEqual(['TypeError', 'Error', 'Error']);
    expect(letters[1].error.message).toBe('a bare string');
    expect(await scene.bus.dead(group, 2)).toHaveLength(2);
  });

  fact('gives a dead letter back to its group alone, and keeps it no longer', async (scene) => {
    const { topic, group, heard, mend } = await mendable(scene);
    const other = await scene.listen(topic);
    const [event] = await scene.say(topic, 'k', 'once poison');
    await scene.bus.settled();
    mend();
    await scene.bus.replayDead(group, [event.id]);
    await heard.count(1);
    await scene.bus.settled();
    expect(heard.events).toMatchObject([{ ...event, attempt: 1 }]);
    expect(other.events).toHaveLength(1);
    expect(await scene.bus.dead(group)).toEqual([]);
  });

  fact('gives dead letters back on a lane of their own, whose offsets rise', async (scene) => {
    const { topic, group, heard, mend } = await mendable(scene, (event) => valueIn(event) !== 'fine');
    const events = await scene.say(topic, 'k', 'a', 'b', 'fine');
    await scene.bus.settled();
    mend();
    for (const event of [events[1], events[0]]) {
      await scene.bus.replayDead(group, [event.id]);
      await scene.bus.settled();
    }
    const [, first, second] = heard.events;
    expect(heard.values()).toEqual(['fine', 'b', 'a']);
    expect([first.partition, second.partition]).toEqual([-1, -1]);
    expect(second.offset).toBeGreaterThan(first.offset);
  });

  fact('buries a dead letter again that is poison still', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    let calls = 0;
    const handle = async () => {
      throw new Error(`call ${++calls}`);
    };
    await scene.listen(topic, { group, handle });
    const [event] = await scene.say(topic, 'k', 1);
    await scene.bus.settled();
    await scene.bus.replayDead(group, [event.id]);
    await scene.bus.settled();
    const letters = await scene.bus.dead(group);
    expect(letters).toMatchObject([{ id: event.id, partition: 0, offset: 0, error: { message: 'call 2' } }]);
    await scene.reopen();
    const heard = await scene.listen(topic, { group });
    await scene.bus.settled();
    expect(heard.events).toEqual([]);
  });

  fact('keeps dead letters, and those given back to a group that is away', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const bad = await scene.listen(topic, { group, handle: () => Promise.reject(poison()) });
    const [first, second] = await scene.say(topic, 'k', 1, 2);
    await scene.bus.settled();
    await bad.subscription.close();
    await scene.bus.replayDead(group, [second.id]);
    await scene.reopen();
    expect((await scene.bus.dead(group)).map((letter) => letter.id)).toEqual([first.id]);
    const heard = await scene.listen(topic, { group });
    await heard.count(1);
    expect(heard.values()).toEqual([2]);
  });

  fact('counts dead letters, as far as it is asked to', async (scene) => {
    const { group, mend, ids } = await withLetters(scene, 3);
    expect(await scene.bus.countDead(group)).toBe(3);
    expect(await scene.bus.countDead(group, 2)).toBe(2);
    mend();
    await scene.bus.replayDead(group, [ids[1]]);
    expect(await scene.bus.countDead(group)).toBe(2);
    await scene.reopen();
    expect(await scene.bus.countDead(group)).toBe(2);
    expect(await scene.bus.countDead(scene.name('group'))).toBe(0);
  });

  fact('gives all dead letters of a group back in one call, each once', async (scene) => {
    const { group, mend, ids, heard } = await withLetters(scene, 5);
    mend();
    expect(await scene.bus.replayDead(group)).toEqual(ids);
    await scene.bus.settled();
    expect(heard.events.map((event) => event.id)).toEqual(ids);
    expect(await scene.bus.dead(group)).toEqual([]);
    expect(await scene.bus.replayDead(group)).toEqual([]);
  });

  fact('gives a dead letter back whose id looks like a key of its own', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const ids = ['replay:a', 'letter:a', 'a'];
    let calls = 0;
    const heard = await scene.listen(topic, {
      group,
      handle: async () => {
        if (++calls <= ids.length) throw poison();
      },
    });
    await scene.bus.publish(ids.map((id) => scene.event(topic, 'k', id, id)));
    await scene.bus.settled();
    expect((await scene.bus.dead(group)).map((letter) => letter.id)).toEqual(ids);
    expect(calls).toBe(ids.length);
    expect(await scene.bus.replayDead(group, [ids[0]])).toEqual([ids[0]]);
    await scene.bus.settled();
    expect(heard.values()).toEqual([ids[0]]);
    expect((await scene.bus.dead(group)).map((letter) => letter.id)).toEqual(ids.slice(1));
  });

  fact('keeps a letter of each event, also where their senders gave them one id', async (scene) => {
    const { topic, group, heard, mend } = await mendable(scene);
    const senders = ['one', 'other', 'third'];
    await scene.bus.publish(senders.map((source) => ({ ...scene.event(topic, 'k', source, 'same'), source })));
    await scene.say(topic, 'k', 'last');
    await scene.bus.settled();
    const letters = await scene.bus.dead(group);
    expect(letters.map(({ source, offset }) => [source, offset])).toEqual([
      ...senders.map((source, offset) => [source, offset]),
      [letters[3].source, 3],
    ]);
    expect(await scene.bus.replayDead(group, ['same'])).toEqual(['same', 'same', 'same']);
    await scene.bus.settled();
    expect(await scene.bus.countDead(group)).toBe(4);
    await scene.reopen();
    expect(await scene.bus.countDead(group)).toBe(4);
    mend();
    const again = await scene.listen(topic, { group });
    expect(await scene.bus.replayDead(group, ['same'])).toEqual(['same', 'same', 'same']);
    await scene.bus.settled();
    expect(again.values()).toEqual(senders);
    expect(heard.events).toEqual([]);
    expect(await scene.bus.discardDead(group)).toHaveLength(1);
  });

  fact('discards dead letters: the group does not hear them again, and keeps the others', async (scene) => {
    const { topic, group, ids } = await withLetters(scene, 4);
    expect(await scene.bus.discardDead(group, [ids[2], ids[0], ids[2]])).toHaveLength(2);
    expect((await scene.bus.dead(group)).map((letter) => letter.id)).toEqual([ids[1], ids[3]]);
    await scene.reopen();
    const again = await scene.listen(topic, { group });
    expect(await scene.bus.replayDead(group, [ids[1]])).toEqual([ids[1]]);
    await scene.bus.settled();
    expect(again.events.map((event) => event.id)).toEqual([ids[1]]);
    expect(await scene.bus.discardDead(group)).toEqual([ids[3]]);
    expect([await scene.bus.countDead(group), await scene.bus.dead(group)]).toEqual([0, []]);
    expect(await scene.bus.discardDead(group)).toEqual([]);
  });

  fact('refuses to discard a letter that there is not, and discards none of the others', async (scene) => {
    const unknown = { code: 'BUS_DEAD_LETTER_UNKNOWN', retriable: false };
    await expect(scene.bus.discardDead(scene.name('group'), ['no-such'])).rejects.toMatchObject(unknown);
    const { group, ids } = await withLetters(scene, 2);
    await expect(scene.bus.discardDead(group, [...ids, 'no-such'])).rejects.toMatchObject(unknown);
    expect(await scene.bus.countDead(group)).toBe(2);
  });

  fact('refuses to give back a letter that there is not, and gives back none of the others', async (scene) => {
    const unknown = { code: 'BUS_DEAD_LETTER_UNKNOWN', retriable: false };
    await expect(scene.bus.replayDead(scene.name('group'), ['no-such'])).rejects.toMatchObject(unknown);
    const { group, mend, ids } = await withLetters(scene, 2);
    mend();
    await expect(scene.bus.replayDead(group, [...ids, 'no-such'])).rejects.toMatchObject(unknown);
    expect(await scene.bus.countDead(group)).toBe(2);
  });
}
