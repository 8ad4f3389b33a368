/** Leases on a real mongod, each replica on a connection of its own, as processes have them. */
import { randomUUID } from 'node:crypto';
import { openMongod } from '@driftloop/documents';
import { HandClock } from '@driftloop/testing/clock';
import { describeOn } from '@driftloop/testing/servers';
import { Lease } from './lease.js';

describeOn(['mongod'], 'a lease on mongod', ({ mongod: { uri } }) => {
  const leaseMs = 15_000;
  const connections: Awaited<ReturnType<typeof openMongod>>[] = [];
  let database: string;
  let clock: HandClock;

  beforeEach(() => {
    database = `spec-lease-${randomUUID().slice(0, 8)}`;
    clock = new HandClock();
  });
  afterEach(async () => {
    await connections[0]?.dropDatabase();
    for (const connection of connections.splice(0)) await connection.close();
  });

  async function replica(name: string): Promise<Lease> {
    const connection = await openMongod(uri, database);
    connections.push(connection);
    return new Lease(connection, { name: 'led', replica: name, leaseMs, clock });
  }

  it('goes to one of many that ask at once, and to one of those that wait for it to run out', async () => {
    const many = await Promise.all(Array.from({ length: 6 }, (_, i) => replica(`r${i}`)));
    const takeAll = () => Promise.all(many.map((one) => one.take()));
    expect((await takeAll()).filter(Boolean)).toHaveLength(1);
    const [holder] = many.filter((one) => one.held);
    await takeAll();
    clock.pass(leaseMs - 1);
    expect((await takeAll()).filter(Boolean)).toHaveLength(0);
    clock.pass(1);
    const taken = await takeAll();
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(many.filter((one) => one.held).map((one) => one.fence)).toEqual([2]);
    expect(await holder.renew()).toBe(holder.fence === 2);
  });

  it('is kept by renewals, and free at once after a release', async () => {
    const [first, second] = [await replica('a'), await replica('b')];
    await first.take();
    for (let i = 0; i < 10; i++) {
      clock.pass(leaseMs / 3);
      expect([await first.renew(), await second.take()]).toEqual([true, false]);
    }
    await first.release();
    expect([await second.take(), second.fence, await first.renew()]).toEqual([true, 2, false]);
  });
});
