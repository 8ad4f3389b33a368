/** Brokers that are away while somebody consumes: every connection ends and none is taken, then they are back. */
import { connect } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { describeOn, type Line, lineTo } from '@driftloop/testing/servers';
import type { KafkaServers } from '../kafka.js';
import { collector, type Scene, sceneOn } from '../testing/consuming.js';

/** Longer than a request is tried for, so that the consumer has to begin anew. */
const longMs = 10_000;
const patienceMs = 60_000;

describeOn(['kafka'], 'a consumption while the brokers are away', ({ kafka: { brokers } }) => {
  let scene: Scene;
  let line: Line;
  let isCut: boolean;
  let servers: Pick<KafkaServers, 'socketFactory'>;

  beforeEach(async () => {
    const [host, port] = brokers[0].split(':');
    [scene, line, isCut] = [await sceneOn(brokers), await lineTo(host, Number(port)), false];
    // What the broker says of where it is would lead around the line.
    servers = { socketFactory: ({ onConnect }) => connect({ host: '127.0.0.1', port: line.port }, onConnect) };
  });
  afterEach(async () => {
    if (isCut) await line.mend();
    await scene.stopAll();
    await line.cut();
    await scene.close();
  }, patienceMs);

  const cut = async () => {
    await line.cut();
    isCut = true;
  };
  const mend = async () => {
    await line.mend();
    isCut = false;
  };

  it.each([0, longMs])(
    'goes on where it was, in order, when they were away for %i ms',
    async (awayMs) => {
      const { handle, ids, until } = collector();
      const group = scene.group();
      const consumption = await scene.start({ group, handlers: { modelApproved: handle } }, servers);
      let isEnded = false;
      const end = () => {
        isEnded = true;
      };
      consumption.ended.then(end, end);
      for (const id of ['a1', 'a2']) await scene.tell('model.approved', id, {});
      await until(2);
      await cut();
      await scene.tell('model.approved', 'a3', {});
      await pass(awayMs);
      expect(ids()).toEqual(['a1', 'a2']);
      await mend();
      while (!ids().includes('a3')) await pass(10);
      await scene.tell('model.approved', 'a4', {});
      while (!ids().includes('a4')) await pass(10);
      // What was not committed at the cut is told again, in order; nothing is left out.
      expect([...new Set(ids())]).toEqual(['a1', 'a2', 'a3', 'a4']);
      expect(isEnded).toBe(false);
      await consumption.stop();
      expect(await scene.committed(group, 'model.approved')).toEqual([4]);
    },
    patienceMs,
  );

  it(
    'a handler that is at work returns, and its event is committed when they are back',
    async () => {
      const [begun, back] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const group = scene.group();
      const heard: string[] = [];
      const slow = async ({ id }: { id: string }) => {
        heard.push(id);
        begun.resolve();
        await back.promise;
      };
      const consumption = await scene.start({ group, handlers: { modelApproved: slow } }, servers);
      await scene.tell('model.approved', 'b1', {});
      await begun.promise;
      await cut();
      await pass(1000);
      await mend();
      back.resolve();
      while ((await scene.committed(group, 'model.approved'))[0] < 1) await pass(50);
      expect(new Set(heard)).toEqual(new Set(['b1']));
      await consumption.stop();
    },
    patienceMs,
  );

  it.each([0, 2500])(
    'is over when it is stopped %i ms after they went, and nobody joins when they are back',
    async (awayMs) => {
      const { handle } = collector();
      const group = scene.group();
      const consumption = await scene.start({ group, handlers: { modelApproved: handle } }, servers);
      await cut();
      await pass(awayMs);
      const stopped = consumption.stop();
      await pass(100);
      await mend();
      await stopped;
      await expect(consumption.ended).resolves.toBeUndefined();
      while ((await scene.members(group)) > 0) await pass(100);
      await pass(4000);
      expect(await scene.members(group)).toBe(0);
    },
    patienceMs,
  );
});
