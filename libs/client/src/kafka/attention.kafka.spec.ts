/** Events that cannot be read or handled, on a real broker. */
import { describeOn } from '@driftloop/testing/servers';
import type { Poison } from '../kafka.js';
import { collector, openScene, type Scene } from '../testing/consuming.js';

describeOn(['kafka'], 'the client on Kafka', ({ kafka: { brokers } }) => {
  let scene: Scene;
  openScene(brokers, (opened) => {
    scene = opened;
  });

  describe('poison', () => {
    it('that nobody takes ends the consumption at it, and says where and what', async () => {
      const group = scene.group();
      await scene.tell('model.rolled-back', 'b1', {});
      await scene.write('model.rolled-back', { value: 'not JSON', headers: { ce_id: 'b2' } });
      const { handle, ids } = collector();
      const { ended } = await scene.start({ group, handlers: { modelRolledBack: handle } });
      await expect(ended).rejects.toMatchObject({
        code: 'EVENT_UNREADABLE',
        message: expect.stringMatching(/^model\.rolled-back\/0 at 1 \(b2\) cannot be read: .*the value must be JSON/),
        details: { topic: 'model.rolled-back', partition: 0, offset: 1 },
      });
      expect([ids(), await scene.committed(group, 'model.rolled-back')]).toEqual([['b1'], [1]]);
    });

    it('that is taken is passed: what cannot be read, and what fails as often as is tried', async () => {
      const group = scene.group();
      await scene.write('quarantine.changed', { value: '{}' });
      await scene.write('quarantine.changed', { value: '[1]', headers: { ce_id: 'q1' } });
      for (const id of ['q2', 'q3']) await scene.tell('quarantine.changed', id, { model: id });
      const taken: Poison[] = [];
      const tries: number[] = [];
      const { handle, until } = collector();
      await scene.start({
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
      await scene.tell('retraining.requested', 'n1', {});
      const { handle, until, heard } = collector();
      await scene.start({
        ...{ group: scene.group(), attempts: 2 },
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
      const group = scene.group();
      await scene.write('performance.degraded', { value: '{}' });
      const poison = () => Promise.reject(new Error('the disk is full'));
      const { ended } = await scene.start({ group, handlers: { performanceDegraded: () => undefined }, poison });
      await expect(ended).rejects.toThrow('the disk is full');
      expect(await scene.committed(group, 'performance.degraded')).toEqual([-1]);
    });
  });
});
