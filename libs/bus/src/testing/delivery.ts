/** Facts about groups: where they start, resume, share and end. I4 and I7 of the port. */
import { away, type Fact, Gate, stillOpen, until } from './scene.js';

export function describeDelivery(fact: Fact): void {
  fact('starts a new group at the earliest event', async (scene) => {
    const topic = await scene.topic();
    await scene.say(topic, 'k', 1, 2);
    const heard = await scene.listen(topic);
    await heard.count(2);
    expect(heard.values()).toEqual([1, 2]);
  });

  fact('starts a group that says so at the latest', async (scene) => {
    const topic = await scene.topic();
    await scene.say(topic, 'k', 'before');
    const heard = await scene.listen(topic, { from: 'latest' });
    await scene.say(topic, 'k', 'after');
    await heard.count(1);
    await scene.bus.settled();
    expect(heard.values()).toEqual(['after']);
  });

  fact('keeps the place of a group that started at the latest', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    await scene.say(topic, 'k', 'before');
    await (await scene.listen(topic, { group, from: 'latest' })).subscription.close();
    await scene.say(topic, 'k', 'while away');
    await scene.reopen();
    const heard = await scene.listen(topic, { group, from: 'latest' });
    await heard.count(1);
    expect(heard.values()).toEqual(['while away']);
  });

  fact('goes on after the last event handled when it is opened again', async (scene) => {
    const topic = await scene.topic(2);
    const group = scene.name('group');
    const first = await scene.listen(topic, { group });
    for (let i = 0; i < 10; i++) await scene.say(topic, `k${i}`, i);
    await first.count(10);
    await scene.reopen();
    for (let i = 10; i < 14; i++) await scene.say(topic, `k${i}`, i);
    const second = await scene.listen(topic, { group });
    await second.count(4);
    await scene.bus.settled();
    expect(second.values().sort()).toEqual([10, 11, 12, 13]);
  });

  fact('hears again after a restart what was not handled before', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    let tries = 0;
    await scene.say(topic, 'k', 1, 2);
    const handle = async () => {
      tries++;
      throw away();
    };
    await scene.listen(topic, { group, handle });
    await until('the handler was called', () => tries > 0);
    await scene.reopen();
    const heard = await scene.listen(topic, { group });
    await heard.count(2);
    expect(heard.values()).toEqual([1, 2]);
  });

  fact('shares the partitions between two members of a group', async (scene) => {
    const topic = await scene.topic(2);
    const group = scene.name('group');
    const members = [await scene.listen(topic, { group }), await scene.listen(topic, { group })];
    const total = () => members[0].events.length + members[1].events.length;
    let said = 0;
    await until('both members heard something', async () => {
      await scene.say(topic, `k${said}`, said++);
      return members.every((member) => member.events.length > 0);
    });
    await until('all was heard', () => total() === said);
    await scene.bus.settled();
    expect(total()).toBe(said);
  });

  fact('hands the partitions of a member that leaves to the others', async (scene) => {
    const topic = await scene.topic(2);
    const group = scene.name('group');
    const leaving = await scene.listen(topic, { group });
    const staying = await scene.listen(topic, { group });
    await leaving.subscription.close();
    for (let i = 0; i < 8; i++) await scene.say(topic, `k${i}`, i);
    await staying.count(8);
    expect(leaving.events).toEqual([]);
  });

  fact('closes a subscription after its running handler, and hears nothing more', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const gate = new Gate();
    let started = 0;
    const handle = () => {
      started++;
      return gate.passed;
    };
    const heard = await scene.listen(topic, { group, handle });
    await scene.say(topic, 'k', 1, 2);
    await until('the handler started', () => started === 1);
    const closing = heard.subscription.close();
    expect(await stillOpen(closing)).toBe(true);
    gate.open();
    await closing;
    expect(heard.values()).toEqual([1]);
    expect(await scene.lagOf(group)).toMatchObject([{ topic, lag: 1 }]);
  });

  fact('goes on where a subscription was closed when the group comes back', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const first = await scene.listen(topic, { group });
    await scene.say(topic, 'k', 1);
    await first.count(1);
    await first.subscription.close();
    await scene.say(topic, 'k', 2, 3);
    const second = await scene.listen(topic, { group });
    await second.count(2);
    expect([...first.values(), ...second.values()]).toEqual([1, 2, 3]);
  });

  fact('counts what a group has still to hear', async (scene) => {
    const topic = await scene.topic();
    const group = scene.name('group');
    const gate = new Gate();
    const heard = await scene.listen(topic, { group, handle: () => gate.passed });
    await scene.say(topic, 'k', 1, 2, 3);
    expect(await scene.lagOf(group)).toEqual([{ group, topic, partition: 0, lag: 3 }]);
    gate.open();
    await heard.count(3);
    await scene.bus.settled();
    expect(await scene.lagOf(group)).toEqual([{ group, topic, partition: 0, lag: 0 }]);
  });

  fact('lets a running handler publish while the bus closes, and nobody afterwards', async (scene) => {
    const [topic, next] = [await scene.topic(), await scene.topic()];
    const gate = new Gate();
    let started = false;
    const handle = async () => {
      started = true;
      await gate.passed;
      await scene.say(next, 'k', 'from the last handler');
    };
    await scene.listen(topic, { handle });
    await scene.say(topic, 'k', 1);
    await until('the handler started', () => started);
    const closed = scene.bus;
    const reopening = scene.reopen();
    gate.open();
    await reopening;
    expect(await scene.bus.read(next, 0, 0, 10)).toHaveLength(1);
    const late = closed.publish([scene.event(topic, 'k', 2)]);
    await expect(late).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', retriable: true });
  });
}
