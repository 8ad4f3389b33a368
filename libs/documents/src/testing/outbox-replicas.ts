/** Facts about outboxes that share documents, and about restarts. */
import { because, closed, numbered, type OutboxFact, published, spoken } from './outbox-scene.js';

export function describeReplicas(fact: OutboxFact): void {
  fact('finds what an earlier process left and sends it with the same ids', async ({ bus, gate, replica }) => {
    const one = await replica();
    gate.away = true;
    await one.saveNew('c1', 'a', 'b');
    const left = ((await one.raw())!.pending as { _id: string }[]).map(({ _id }) => _id);
    await one.outbox.close();
    gate.away = false;
    const two = await replica();
    await two.outbox.drained();
    expect((await published(bus)).map(({ id }) => id)).toEqual(left);
    expect((await two.raw())!.pending).toEqual([]);
  });

  fact('publishes again, with the same id, what was published but not pulled', async ({ bus, replica }) => {
    const one = await replica({ leaseMs: 1 });
    const { updateOne } = one.cycles.collection;
    one.cycles.collection.updateOne = () => Promise.reject(new Error('killed here'));
    await one.saveNew('c1', 'a');
    while (!(await published(bus)).length) await new Promise((resolve) => setTimeout(resolve, 2));
    await one.outbox.close();
    one.cycles.collection.updateOne = updateOne;
    const two = await replica();
    await two.outbox.drained();
    const ids = (await published(bus)).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(1);
    expect((await two.raw())!.pending).toEqual([]);
  });

  fact('keeps a document in sequence when two replicas emit with it', async ({ bus, replica }) => {
    const [one, two] = [await replica({ exclusive: false }), await replica({ exclusive: false })];
    await one.saveNew('c1');
    for (let n = 0; n < 40; n++) {
      const { outbox, cycles } = n % 2 ? one : two;
      await outbox.update(cycles, { _id: 'c1' }, { $set: { n } }, [closed(String(n))], because(`cause-${n}`));
    }
    await bus.settled();
    expect([...new Set(await spoken(bus))]).toEqual(numbered(40));
    expect(await one.raw()).not.toHaveProperty('outboxLease');
  });

  fact('waits for the lease of another relay, and overtakes one that has died', async ({ bus, gate, replica }) => {
    let now = 1_000_000;
    const clock = () => now;
    const dead = await replica({ exclusive: false, clock, leaseMs: 60_000 });
    gate.away = true;
    await dead.saveNew('c1', 'a');
    while (!gate.attempts) await new Promise((resolve) => setTimeout(resolve, 2));
    const { updateOne } = dead.cycles.collection;
    dead.cycles.collection.updateOne = () => Promise.reject(new Error('killed'));
    await dead.outbox.close();
    dead.cycles.collection.updateOne = updateOne;
    gate.away = false;
    const two = await replica({ exclusive: false, clock });
    const draining = two.outbox.drained();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await spoken(bus)).toEqual([]);
    now += 60_001;
    await draining;
    expect(await spoken(bus)).toEqual(['a']);
  });

  fact('finds what a replica that dies has left while another runs', async ({ bus, gate, replica }) => {
    await replica({ exclusive: false, sweepMs: 5 });
    const dying = await replica({ exclusive: false, leaseMs: 1 });
    gate.away = true;
    await dying.saveNew('c1', 'a');
    await dying.outbox.close();
    gate.away = false;
    while (!(await spoken(bus)).length) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await spoken(bus)).toEqual(['a']);
  });
}
