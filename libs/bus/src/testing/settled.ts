/** Facts about when a bus is settled: I8 of the port. */
import { setTimeout as pass } from 'node:timers/promises';
import { away, type Fact, Gate, stillOpen, until, valueIn } from './scene.js';

export function describeSettled(fact: Fact): void {
  fact('is settled when there is nothing to hear', async (scene) => {
    await scene.bus.settled();
    await scene.say(await scene.topic(), 'k', 'nobody hears this');
    await scene.bus.settled();
  });

  fact('settles after chains of handlers that publish', async (scene) => {
    const topics = [await scene.topic(), await scene.topic(2), await scene.topic(), await scene.topic()];
    for (const [i, topic] of topics.slice(0, -1).entries()) {
      const handle = async (event: Parameters<typeof valueIn>[0]) => {
        await pass(1);
        await scene.say(topics[i + 1], `${valueIn(event)}`, `${valueIn(event)}a`, `${valueIn(event)}b`);
      };
      await scene.listen(topic, { handle });
    }
    const last = await scene.listen(topics[3], { handle: () => pass(1) });
    for (let round = 1; round <= 5; round++) {
      await scene.say(topics[0], 'k', round);
      await scene.bus.settled();
      expect(last.events).toHaveLength(8 * round);
    }
  });

  fact('does not settle while a handler runs', async (scene) => {
    const topic = await scene.topic();
    const gate = new Gate();
    const heard = await scene.listen(topic, { handle: () => gate.passed });
    await scene.say(topic, 'k', 1);
    const settled = scene.bus.settled();
    expect(await stillOpen(settled)).toBe(true);
    gate.open();
    await settled;
    expect(heard.events).toHaveLength(1);
  });

  fact('does not settle while a partition is paused', async (scene) => {
    const topic = await scene.topic();
    let back = false;
    const handle = async () => {
      if (!back) throw away();
    };
    const heard = await scene.listen(topic, { handle });
    await scene.say(topic, 'k', 1);
    const settled = scene.bus.settled();
    expect(await stillOpen(settled)).toBe(true);
    back = true;
    await settled;
    expect(heard.events).toHaveLength(1);
  });

  fact('settles past a poison event', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    await scene.listen(topic, { group, handle: () => Promise.reject(new Error('poison')) });
    await scene.say(topic, 'k', 1, 2);
    await scene.bus.settled();
    expect(await scene.bus.dead(group)).toHaveLength(2);
  });

  fact('does not settle while somebody holds it; each hold counts, and is released once', async (scene) => {
    const first = scene.bus.hold('an outbox that is not empty');
    const second = scene.bus.hold('an outbox that is not empty');
    const settled = scene.bus.settled();
    first.release();
    first.release();
    expect(await stillOpen(settled)).toBe(true);
    second.release();
    await settled;
  });

  fact('waits for what a holder publishes before it lets go', async (scene) => {
    const topic = await scene.topic();
    const heard = await scene.listen(topic);
    const hold = scene.bus.hold('a buffer');
    const settled = scene.bus.settled();
    await pass(20);
    await scene.say(topic, 'k', 'late');
    hold.release();
    await settled;
    expect(heard.values()).toEqual(['late']);
  });

  fact('does not wait for a group without members', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    await (await scene.listen(topic, { group })).subscription.close();
    await scene.say(topic, 'k', 1);
    await scene.bus.settled();
    expect(await scene.lagOf(group)).toMatchObject([{ lag: 1 }]);
  });

  fact('settles when the last member of a paused group leaves', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const heard = await scene.listen(topic, { group, handle: () => Promise.reject(away()) });
    await scene.say(topic, 'k', 1);
    await until('the partition is paused', async () => (await scene.lagOf(group))[0].paused !== undefined);
    const settled = scene.bus.settled();
    await heard.subscription.close();
    await settled;
    expect(await scene.lagOf(group)).toMatchObject([{ lag: 1 }]);
  });

  fact('waits for a group that has to have a member', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    await scene.say(topic, 'k', 1);
    const settled = scene.bus.settled([group]);
    expect(await stillOpen(settled)).toBe(true);
    const heard = await scene.listen(topic, { group });
    await settled;
    expect(heard.events).toHaveLength(1);
    await scene.bus.settled([group.slice(0, -1)]);
  });

  fact('waits for a new group that has the past to hear', async (scene) => {
    const topic = await scene.topic();
    await scene.say(topic, 'k', ...Array.from({ length: 50 }, (_, i) => i));
    const heard = await scene.listen(topic, { handle: () => pass(1) });
    await scene.bus.settled();
    expect(heard.events).toHaveLength(50);
  });

  fact('does not leave a waiter behind when it is closed', async (scene) => {
    const topic = await scene.topic();
    await scene.listen(topic, { handle: () => Promise.reject(away()) });
    await scene.say(topic, 'k', 1);
    const refused = expect(scene.bus.settled()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
    await scene.reopen();
    await refused;
  });
}
