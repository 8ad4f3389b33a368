/** Documents under a leader's number, on a real mongod. */
import { randomUUID } from 'node:crypto';
import { openMongod } from '@driftloop/documents';
import { Leadership } from '@driftloop/service';
import { describeOn } from '@driftloop/testing/servers';
import { LoopDocuments } from './loop.documents.js';

class Believing extends Leadership {
  constructor(override readonly fence: number) {
    super();
  }
  override check(): void {}
}

describeOn(['mongod'], 'documents under a leader’s number on mongod', ({ mongod: { uri } }) => {
  it('are not overwritten by a leader of before', async () => {
    const connection = await openMongod(uri, `spec-fenced-${randomUUID().slice(0, 8)}`);
    try {
      const [stale, next] = [1, 2].map((fence) => {
        for (const name of Object.keys(connection.models)) connection.deleteModel(name);
        return new LoopDocuments(connection, new Believing(fence));
      });
      await stale.keepClock(1, null);
      await next.keepClock(3, 1);
      await expect(stale.keepClock(2, 1)).rejects.toMatchObject({ code: 'OVERTAKEN' });
      expect(await next.clock()).toMatchObject({ now: 3, previous: 1, fence: 2 });
    } finally {
      await connection.dropDatabase();
      await connection.close();
    }
  });
});
