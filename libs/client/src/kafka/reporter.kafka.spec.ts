/** Reports on a real broker: whatever any Kafka client reads. */
import { events } from '@driftloop/contracts';
import { describeOn } from '@driftloop/testing/servers';
import { KafkaReporter } from '../kafka.js';
import { collector, openScene, type Scene } from '../testing/consuming.js';

describeOn(['kafka'], 'the client on Kafka', ({ kafka: { brokers } }) => {
  let scene: Scene;
  openScene(brokers, (opened) => {
    scene = opened;
  });

  describe('a reporter', () => {
    const at = (hour: number) => new Date(Date.UTC(2013, 1, 15, hour));
    const outcome = (entityId: string) => ({ entityId, entityTime: at(8), knownAt: at(11), value: 1 });

    it('writes readable JSON with the headers of a CloudEvent, which a plain client reads', async () => {
      const reporter = await KafkaReporter.open(scene.servers, '/checkout/web');
      const ids = await reporter.outcomes('m.late', [outcome('F1')], { watermark: at(12), id: 'mine' });
      const fact = { entityId: 'F1', eventTime: at(8), knownAt: at(9), values: { temp: 3.5, wind: null, sky: 'grey' } };
      await reporter.facts('m', 'weather', [fact]);
      await reporter.close();
      const [[told], [observed]] = [await scene.read('outcomes.reported', 1), await scene.read('entities.observed', 1)];
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
      const group = scene.group();
      const { heard, handle, until } = collector<{ outcomes: unknown[]; watermark?: Date | undefined }>();
      await scene.start({ group, handlers: { outcomesReported: handle }, from: 'latest' });
      const reporter = await KafkaReporter.open(scene.servers);
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
      const opening = KafkaReporter.open({ ...scene.servers, namespace: 'nobody' });
      await expect(opening).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC',
        message: expect.stringMatching(/nobody\.outcomes\.reported/),
      });
    });
  });
});
