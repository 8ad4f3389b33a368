/** Hearing on a real broker: whatever any Kafka client wrote. */
import { setTimeout as pass } from 'node:timers/promises';
import { describeOn } from '@driftloop/testing/servers';
import { type ConsumedEvent, type ConsumptionOptions, consume } from '../kafka.js';
import { collector, openScene, type Scene } from '../testing/consuming.js';

describeOn(['kafka'], 'the client on Kafka', ({ kafka: { brokers } }) => {
  let scene: Scene;
  openScene(brokers, (opened) => {
    scene = opened;
  });

  describe('a consumption', () => {
    it('gives what was told with its payload decoded and its attributes, and ignores fields that came later', async () => {
      const data = { tenant: 'main', model: 'm', version: 'v7', datasetRows: '12', span: { name: 's' }, colour: 'red' };
      await scene.tell('model.promoted', 'p1', data);
      const heard = Promise.withResolvers<unknown>();
      await scene.start({
        group: scene.group(),
        handlers: {
          modelPromoted: ({ data, ...event }) => {
            const version: string = data.version;
            heard.resolve({
              version,
              rows: data.datasetRows,
              previous: data.previous,
              event,
              fields: Object.keys(data),
            });
          },
        },
      });
      const place = { topic: 'model.promoted', partition: 0, offset: 0 };
      expect(await heard.promise).toMatchObject({
        ...{ version: 'v7', rows: 12, previous: '' },
        event: { id: 'p1', topic: 'model.promoted', key: 'main/m', source: 'registry', place, attempt: 1 },
        fields: expect.not.arrayContaining(['colour']),
      });
      expect(await heard.promise).toMatchObject({ event: { time: new Date('2013-02-15T12:00:00Z') } });
    });

    it('hears what it names alone, each topic in order', async () => {
      for (const id of ['a1', 'a2', 'a3']) await scene.tell('model.approved', id, { version: id });
      await scene.tell('model.refused', 'r1', {});
      const { handle, until } = collector();
      await scene.start({ group: scene.group(), handlers: { modelApproved: handle } });
      await scene.tell('model.approved', 'a4', {});
      expect(await until(4)).toEqual(['a1', 'a2', 'a3', 'a4']);
    });

    it('hears every partition of a topic', async () => {
      for (const [n, id] of ['l0', 'l1'].entries()) await scene.tell('labels.added', id, {}, n);
      const { handle, until } = collector();
      await scene.start({ group: scene.group(), handlers: { labelsAdded: handle }, sideBySide: 2 });
      expect((await until(2)).sort()).toEqual(['l0', 'l1']);
    });

    it('fails at once where no broker answers, saying so', async () => {
      const servers = { brokers: ['127.0.0.1:1'] };
      const failing = consume({ servers, group: 'g', handlers: { modelApproved: () => undefined } });
      await expect(failing).rejects.toMatchObject({
        code: 'UNREACHABLE',
        message: expect.stringMatching(/127\.0\.0\.1:1/),
        retriable: true,
      });
    });

    it('refuses topics that are not there, and makes none', async () => {
      const servers = { ...scene.servers, namespace: `${scene.servers.namespace}-typo` };
      const failing = () => consume({ servers, group: 'g', handlers: { modelApproved: () => undefined } });
      await expect(failing()).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC',
        message: expect.stringMatching(/-typo\.model\.approved/),
      });
      await expect(failing()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
    });
  });

  describe('at least once', () => {
    it('a handler that is stopped before it returned hears its event again', async () => {
      const group = scene.group();
      for (const id of ['t1', 't2']) await scene.tell('training.failed', id, {});
      const failing = Promise.withResolvers<void>();
      const stopping = new AbortController();
      const consumption = await scene.start({
        ...{ group, signal: stopping.signal, retryDelayMs: 10_000 },
        handlers: {
          trainingFailed: ({ id }) => {
            if (id === 't1') return;
            failing.resolve();
            throw new Error('the shop is shut');
          },
        },
      });
      await failing.promise;
      await pass(50);
      stopping.abort();
      await consumption.ended;
      expect(await scene.committed(group, 'training.failed')).toEqual([1]);
      const { handle, until } = collector();
      await scene.start({ group, handlers: { trainingFailed: handle } });
      expect(await until(1)).toEqual(['t2']);
    });

    it('a stop waits for the handler that is at work, and commits it', async () => {
      const group = scene.group();
      await scene.tell('silence.changed', 's1', {});
      const begun = Promise.withResolvers<void>();
      let isDone = false;
      const consumption = await scene.start({
        group,
        handlers: {
          silenceChanged: async () => {
            begun.resolve();
            await pass(300);
            isDone = true;
          },
        },
      });
      await begun.promise;
      await consumption.stop();
      expect([isDone, await scene.committed(group, 'silence.changed')]).toEqual([true, [1]]);
    });

    it('two of a group share the partitions, and one that leaves hands its own over where they stand', async () => {
      const group = scene.group();
      const tell = async (round: number) => {
        for (let n = 0; n < 10; n++) await scene.tell('labels.added', `w${round}-${n}`, {}, n % 2);
      };
      const [one, two] = [collector(), collector()];
      const handlers = (collect: ConsumptionOptions['handlers']['labelsAdded']) => ({ labelsAdded: collect });
      const first = await scene.start({ group, handlers: handlers(one.handle), from: 'latest' });
      await scene.start({ group, handlers: handlers(two.handle) });
      await tell(1);
      await Promise.all([one.until(5), two.until(5)]);
      const partitions = [one, two].map(({ heard }) => [...new Set(heard.map(({ place }) => place.partition))]);
      expect(partitions.flat().sort()).toEqual([0, 1]);
      await first.stop();
      await tell(2);
      await two.until(15);
      const all = [...one.ids(), ...two.ids()];
      expect([all.length, new Set(all).size]).toEqual([20, 20]);
    }, 20_000);

    it('a handler longer than the session keeps its partition', async () => {
      await scene.tell('rollout.failed', 'x1', {});
      const { handle, ids, until } = collector();
      const slow = async (event: ConsumedEvent) => {
        handle(event);
        if (event.id === 'x1') await pass(8000);
      };
      await scene.start({ group: scene.group(), handlers: { rolloutFailed: slow } });
      await scene.tell('rollout.failed', 'x2', {});
      await until(2);
      expect(ids()).toEqual(['x1', 'x2']);
    }, 20_000);
  });
});
