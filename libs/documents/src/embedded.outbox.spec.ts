/** The outbox holds its contract on the embedded documents and the embedded bus. */
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus } from '@driftloop/bus';
import { openEmbedded } from './embedded/open.js';
import { describeOutbox } from './outbox.contract.js';

describeOutbox('the outbox, embedded', async () => {
  const db = new DatabaseSync(':memory:');
  const bus = EmbeddedBus.open(db);
  await bus.declare('cycle.closed', { partitions: 1, keep: '1d' });
  const close = async () => {
    await bus.close();
    db.close();
  };
  return { bus, connect: () => openEmbedded(db, 'monitoring', { onScan: 'throw' }), close };
});
