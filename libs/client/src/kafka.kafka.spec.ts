/** The SDK on a real broker: whatever any Kafka client writes, and whatever any Kafka client reads. */
import { setTimeout as pass } from 'node:timers/promises';
import { events } from '@driftloop/contracts';
import { describeOn } from '@driftloop/contracts/testing';
import {
  type ConsumedEvent,
  type Consumption,
  type ConsumptionOptions,
  consume,
  KafkaReporter,
  type Poison,
} from './kafka.js';
import { type Brokers, brokersOf } from './spec/brokers.js';

describeOn(['kafka'], 'the client on Kafka', ({ kafka: { brokers } }) => {
  let ground: Brokers;
  let open: Consumption[];
  beforeAll(async () => {
    ground = await brokersOf(brokers);
  });
  afterAll(() => ground.close());
  beforeEach(() => {
    open = [];
  });
  afterEach(() => Promise.all(open.map((one) => one.stop())));

  /** Consumes, and has it stopped when the fact is over. */
  async function start(options: Omit<ConsumptionOptions, 'servers'>): Promise<Consumption> {
    const consumption = await consume({ servers: ground.servers, retryDelayMs: 1, sessionMs: 6000, ...options });
    consumption.ended.catch(() => undefined);
    open.push(consumption);
    return consumption;
  }

  /** A handler that collects, and a wait for a number of events. */
  function collector<T = unknown>() {
    const heard: ConsumedEvent<T>[] = [];
    const handle = (event: ConsumedEvent<T>) => void heard.push(event);
    const ids = () => heard.map(({ id }) => id);
    const until = async (count: number) => {
      while (heard.length < count) await pass(10);
      return ids();
    };
    return { heard, handle, until, ids };
  }

  describe('a consumption', () => {
    it('gives what was told with its payload decoded and its attributes, and ignores fields that came later', async () => {
      const data = { tenant: 'main', model: 'm', version: 'v7', datasetRows: '12', span: { name: 's' }, colour: 'red' };
      await ground.tell('model.promoted', 'p1', data);
      const heard = Promise.withResolvers<unknown>();
      await start({
        group: ground.group(),
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
      for (const id of ['a1', 'a2', 'a3']) await ground.tell('model.approved', id, { version: id });
      await ground.tell('model.refused', 'r1', {});
      const { handle, until } = collector();
      await start({ group: ground.group(), handlers: { modelApproved: handle } });
      await ground.tell('model.approved', 'a4', {});
      expect(await until(4)).toEqual(['a1', 'a2', 'a3', 'a4']);
    });

    it('hears every partition of a topic', async () => {
      for (const [n, id] of ['l0', 'l1'].entries()) await ground.tell('labels.added', id, {}, n);
      const { handle, until } = collector();
      await start({ group: ground.group(), handlers: { labelsAdded: handle }, sideBySide: 2 });
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
      const servers = { ...ground.servers, namespace: `${ground.servers.namespace}-typo` };
      const failing = () => consume({ servers, group: 'g', handlers: { modelApproved: () => undefined } });
      await expect(failing()).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC',
        message: expect.stringMatching(/-typo\.model\.approved/),
      });
      await expect(failing()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
    });
  });

  describe('a start', () => {
    it('at latest hears only what comes after; at earliest all; at a place, from there', async () => {
      for (const id of ['c1', 'c2']) await ground.tell('cycle.closed', id, {});
      const [latest, earliest, place] = [collector(), collector(), collector()];
      await start({ group: ground.group(), handlers: { cycleClosed: latest.handle }, from: 'latest' });
      await ground.tell('cycle.closed', 'c3', {});
      await start({ group: ground.group(), handlers: { cycleClosed: earliest.handle }, from: 'earliest' });
      const places = [{ topic: 'cycle.closed', partition: 0, offset: 1 }];
      await start({ group: ground.group(), handlers: { cycleClosed: place.handle }, from: { places } });
      expect(await Promise.all([latest.until(1), earliest.until(3), place.until(2)])).toEqual([
        ['c3'],
        ['c1', 'c2', 'c3'],
        ['c2', 'c3'],
      ]);
    });

    it('at a time hears what the brokers took from then on', async () => {
      await ground.tell('drift.detected', 'd1', {});
      await pass(20);
      const time = new Date(performance.timeOrigin + performance.now());
      await pass(20);
      await ground.tell('drift.detected', 'd2', {});
      const { handle, until } = collector();
      await start({ group: ground.group(), handlers: { driftDetected: handle }, from: { time } });
      expect(await until(1)).toEqual(['d2']);
    });

    it('goes on by default where the group left off; an explicit start moves the group', async () => {
      const group = ground.group();
      for (const id of ['f1', 'f2']) await ground.tell('features.ingested', id, {});
      const first = collector();
      const consumption = await start({ group, handlers: { featuresIngested: first.handle } });
      await first.until(2);
      await consumption.stop();
      await ground.tell('features.ingested', 'f3', {});
      const second = collector();
      const next = await start({ group, handlers: { featuresIngested: second.handle } });
      expect(await second.until(1)).toEqual(['f3']);
      await next.stop();
      const again = collector();
      await start({ group, handlers: { featuresIngested: again.handle }, from: 'earliest' });
      expect(await again.until(3)).toEqual(['f1', 'f2', 'f3']);
    });

    it('may hear nothing old where the group is new', async () => {
      await ground.tell('loop.held', 'h1', {});
      const { handle, until } = collector();
      await start({ group: ground.group(), handlers: { loopHeld: handle }, from: { committed: 'latest' } });
      await ground.tell('loop.held', 'h2', {});
      expect(await until(1)).toEqual(['h2']);
    });

    it('that would move a group which is consuming is refused', async () => {
      const group = ground.group();
      await start({ group, handlers: { timePassed: () => undefined } });
      const moving = consume({
        servers: ground.servers,
        group,
        handlers: { timePassed: () => undefined },
        from: 'earliest',
      });
      await expect(moving).rejects.toMatchObject({ code: 'GROUP_BUSY', retriable: true });
    });
  });

  describe('at least once', () => {
    it('a handler that is stopped before it returned hears its event again', async () => {
      const group = ground.group();
      for (const id of ['t1', 't2']) await ground.tell('training.failed', id, {});
      const failing = Promise.withResolvers<void>();
      const stopping = new AbortController();
      const consumption = await start({
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
      expect(await ground.committed(group, 'training.failed')).toEqual([1]);
      const { handle, until } = collector();
      await start({ group, handlers: { trainingFailed: handle } });
      expect(await until(1)).toEqual(['t2']);
    });

    it('a stop waits for the handler that is at work, and commits it', async () => {
      const group = ground.group();
      await ground.tell('silence.changed', 's1', {});
      const begun = Promise.withResolvers<void>();
      let isDone = false;
      const consumption = await start({
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
      expect([isDone, await ground.committed(group, 'silence.changed')]).toEqual([true, [1]]);
    });

    it('two of a group share the partitions, and one that leaves hands its own over where they stand', async () => {
      const group = ground.group();
      const tell = async (round: number) => {
        for (let n = 0; n < 10; n++) await ground.tell('labels.added', `w${round}-${n}`, {}, n % 2);
      };
      const [one, two] = [collector(), collector()];
      const handlers = (collect: ConsumptionOptions['handlers']['labelsAdded']) => ({ labelsAdded: collect });
      const first = await start({ group, handlers: handlers(one.handle), from: 'latest' });
      await start({ group, handlers: handlers(two.handle) });
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
      await ground.tell('rollout.failed', 'x1', {});
      const { handle, ids, until } = collector();
      const slow = async (event: ConsumedEvent) => {
        handle(event);
        if (event.id === 'x1') await pass(8000);
      };
      await start({ group: ground.group(), handlers: { rolloutFailed: slow } });
      await ground.tell('rollout.failed', 'x2', {});
      await until(2);
      expect(ids()).toEqual(['x1', 'x2']);
    }, 20_000);
  });

  describe('poison', () => {
    it('that nobody takes ends the consumption at it, and says where and what', async () => {
      const group = ground.group();
      await ground.tell('model.rolled-back', 'b1', {});
      await ground.write('model.rolled-back', { value: 'not JSON', headers: { ce_id: 'b2' } });
      const { handle, ids } = collector();
      const { ended } = await start({ group, handlers: { modelRolledBack: handle } });
      await expect(ended).rejects.toMatchObject({
        code: 'EVENT_UNREADABLE',
        message: expect.stringMatching(/^model\.rolled-back\/0 at 1 \(b2\) cannot be read: .*the value must be JSON/),
        details: { topic: 'model.rolled-back', partition: 0, offset: 1 },
      });
      expect([ids(), await ground.committed(group, 'model.rolled-back')]).toEqual([['b1'], [1]]);
    });

    it('that is taken is passed: what cannot be read, and what fails as often as is tried', async () => {
      const group = ground.group();
      await ground.write('quarantine.changed', { value: '{}' });
      await ground.write('quarantine.changed', { value: '[1]', headers: { ce_id: 'q1' } });
      for (const id of ['q2', 'q3']) await ground.tell('quarantine.changed', id, { model: id });
      const taken: Poison[] = [];
      const tries: number[] = [];
      const { handle, until } = collector();
      await start({
        ...{ group, attempts: 3, poison: (poison: Poison) => void taken.push(poison) },
        handlers: {
          quarantineChanged: (event) => {
            if (event.id === 'q3') return handle(event);
            tries.push(event.attempt);
            throw new Error('no');
          },
        },
      });
      expect(await until(1)).toEqual(['q3']);
      expect(tries).toEqual([1, 2, 3]);
      const said = taken.map(({ id, attempts, place, error }) => [id, attempts, place.offset, error.message]);
      expect(said).toEqual([
        ['', 0, 0, expect.stringMatching(/ce_id must be a string/)],
        ['q1', 0, 1, 'the payload of quarantine.changed must be a JSON object'],
        ['q2', 3, 2, 'no'],
      ]);
      expect(JSON.parse(taken[2].message.value!.toString())).toEqual({ model: 'q2' });
    });

    it('is not what says that it is retriable: that is tried until it works', async () => {
      await ground.tell('retraining.requested', 'n1', {});
      const { handle, until, heard } = collector();
      await start({
        ...{ group: ground.group(), attempts: 2 },
        handlers: {
          retrainingRequested: (event) => {
            if (event.attempt < 5) throw Object.assign(new Error('away'), { retriable: true });
            handle(event);
          },
        },
      });
      await until(1);
      expect(heard[0].attempt).toBe(5);
    });

    it('whose taker fails ends the consumption: nothing is passed unkept', async () => {
      const group = ground.group();
      await ground.write('performance.degraded', { value: '{}' });
      const poison = () => Promise.reject(new Error('the disk is full'));
      const { ended } = await start({ group, handlers: { performanceDegraded: () => undefined }, poison });
      await expect(ended).rejects.toThrow('the disk is full');
      expect(await ground.committed(group, 'performance.degraded')).toEqual([-1]);
    });
  });

  describe('a reporter', () => {
    const at = (hour: number) => new Date(Date.UTC(2013, 1, 15, hour));
    const outcome = (entityId: string) => ({ entityId, entityTime: at(8), knownAt: at(11), value: 1 });

    it('writes readable JSON with the headers of a CloudEvent, which a plain client reads', async () => {
      const reporter = await KafkaReporter.open(ground.servers, '/checkout/web');
      const ids = await reporter.outcomes('m.late', [outcome('F1')], { watermark: at(12), id: 'mine' });
      const fact = { entityId: 'F1', eventTime: at(8), knownAt: at(9), values: { temp: 3.5, wind: null, sky: 'grey' } };
      await reporter.facts('m', 'weather', [fact]);
      await reporter.close();
      const [[told], [observed]] = [
        await ground.read('outcomes.reported', 1),
        await ground.read('entities.observed', 1),
      ];
      expect(ids).toEqual(['mine']);
      expect(told.key!.toString()).toBe('m.late');
      const headers = Object.entries(told.headers!).map(([name, value]) => [name, String(value)]);
      expect(Object.fromEntries(headers)).toMatchObject({
        ...{ ce_id: 'mine', ce_type: 'outcomes.reported', ce_source: '/checkout/web', ce_subject: 'm.late' },
        ...{ ce_time: at(12).toISOString(), 'content-type': 'application/json' },
      });
      expect(JSON.parse(told.value!.toString())).toMatchObject({
        ...{ label: 'm.late', watermark: at(12).toISOString() },
        outcomes: [{ entityId: 'F1', entityTime: at(8).toISOString(), knownAt: at(11).toISOString(), value: 1 }],
      });
      expect(observed.key!.toString()).toBe('m/weather');
      const { rows } = JSON.parse(observed.value!.toString());
      expect(rows[0].values).toEqual({ temp: { number: 3.5 }, wind: {}, sky: { text: 'grey' } });
      const { payload } = events.entitiesObserved;
      expect(payload.fromJSON(JSON.parse(observed.value!.toString())).rows).toMatchObject([{ eventTime: at(8) }]);
    });

    it('writes long reports in several events, the promise with the last', async () => {
      const group = ground.group();
      const { heard, handle, until } = collector<{ outcomes: unknown[]; watermark?: Date | undefined }>();
      await start({ group, handlers: { outcomesReported: handle }, from: 'latest' });
      const reporter = await KafkaReporter.open(ground.servers);
      const outcomes = Array.from({ length: 5001 }, (_, n) => outcome(`F${n}`));
      const ids = await reporter.outcomes('m.late', outcomes, { watermark: at(12), id: 'long' });
      await reporter.close();
      expect([ids, await until(2)]).toEqual([
        ['long.0', 'long.1'],
        ['long.0', 'long.1'],
      ]);
      const parts = heard.map(({ data }) => [data.outcomes.length, data.watermark]);
      expect(parts).toEqual([
        [5000, undefined],
        [1, at(12)],
      ]);
    });

    it('refuses brokers on which Driftloop never ran', async () => {
      const opening = KafkaReporter.open({ ...ground.servers, namespace: 'nobody' });
      await expect(opening).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC',
        message: expect.stringMatching(/nobody\.outcomes\.reported/),
      });
    });
  });
});
