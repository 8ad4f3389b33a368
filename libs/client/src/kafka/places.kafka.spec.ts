/** Where a consumption starts, on a real broker. */
import { setTimeout as pass } from 'node:timers/promises';
import { describeOn } from '@driftloop/testing/servers';
import { consume } from '../kafka.js';
import { collector, openScene, type Scene } from '../testing/consuming.js';

describeOn(['kafka'], 'the client on Kafka', ({ kafka: { brokers } }) => {
  let scene: Scene;
  openScene(brokers, (opened) => {
    scene = opened;
  });

  describe('a start', () => {
    it('at latest hears only what comes after; at earliest all; at a place, from there', async () => {
      for (const id of ['c1', 'c2']) await scene.tell('cycle.closed', id, {});
      const [latest, earliest, place] = [collector(), collector(), collector()];
      await scene.start({ group: scene.group(), handlers: { cycleClosed: latest.handle }, from: 'latest' });
      await scene.tell('cycle.closed', 'c3', {});
      await scene.start({ group: scene.group(), handlers: { cycleClosed: earliest.handle }, from: 'earliest' });
      const places = [{ topic: 'cycle.closed', partition: 0, offset: 1 }];
      await scene.start({ group: scene.group(), handlers: { cycleClosed: place.handle }, from: { places } });
      expect(await Promise.all([latest.until(1), earliest.until(3), place.until(2)])).toEqual([
        ['c3'],
        ['c1', 'c2', 'c3'],
        ['c2', 'c3'],
      ]);
    });

    it('at a time hears what the brokers took from then on', async () => {
      await scene.tell('drift.detected', 'd1', {});
      await pass(20);
      const time = new Date(performance.timeOrigin + performance.now());
      await pass(20);
      await scene.tell('drift.detected', 'd2', {});
      const { handle, until } = collector();
      await scene.start({ group: scene.group(), handlers: { driftDetected: handle }, from: { time } });
      expect(await until(1)).toEqual(['d2']);
    });

    it('goes on by default where the group left off; an explicit start moves the group', async () => {
      const group = scene.group();
      for (const id of ['f1', 'f2']) await scene.tell('features.ingested', id, {});
      const first = collector();
      const consumption = await scene.start({ group, handlers: { featuresIngested: first.handle } });
      await first.until(2);
      await consumption.stop();
      await scene.tell('features.ingested', 'f3', {});
      const second = collector();
      const next = await scene.start({ group, handlers: { featuresIngested: second.handle } });
      expect(await second.until(1)).toEqual(['f3']);
      await next.stop();
      const again = collector();
      await scene.start({ group, handlers: { featuresIngested: again.handle }, from: 'earliest' });
      expect(await again.until(3)).toEqual(['f1', 'f2', 'f3']);
    });

    it('may hear nothing old where the group is new', async () => {
      await scene.tell('loop.held', 'h1', {});
      const { handle, until } = collector();
      await scene.start({ group: scene.group(), handlers: { loopHeld: handle }, from: { committed: 'latest' } });
      await scene.tell('loop.held', 'h2', {});
      expect(await until(1)).toEqual(['h2']);
    });

    it('that would move a group which is consuming is refused', async () => {
      const group = scene.group();
      await scene.start({ group, handlers: { timePassed: () => undefined } });
      const moving = consume({
        servers: scene.servers,
        group,
        handlers: { timePassed: () => undefined },
        from: 'earliest',
      });
      await expect(moving).rejects.toMatchObject({ code: 'GROUP_BUSY', retriable: true });
    });
  });
});
