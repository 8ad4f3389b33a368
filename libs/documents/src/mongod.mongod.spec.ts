/** Documents and outbox on a real mongod hold their contracts. */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus } from '@driftloop/bus';
import { describeOn } from '@driftloop/testing/servers';
import mongoose from 'mongoose';
import { describeDocuments } from './documents.contract.js';
import { explained, openMongod } from './mongod.js';
import { describeOutbox } from './outbox.contract.js';

describeOn(['mongod'], 'documents on mongod', ({ mongod: { uri } }) => {
  const temporary = async (name: string) => {
    const database = `spec-${name}-${randomUUID().slice(0, 8)}`;
    const connection = await openMongod(uri, database);
    const close = async () => {
      await connection.dropDatabase();
      await connection.close();
    };
    return { database, connection, close };
  };

  describeDocuments('mongod', { open: () => temporary('documents'), skip: [] });

  describeOutbox('the outbox on mongod', async () => {
    const { database, close: drop } = await temporary('outbox');
    const db = new DatabaseSync(':memory:');
    const bus = EmbeddedBus.open(db);
    await bus.declare('cycle.closed', { partitions: 1, keep: '1d' });
    const close = async () => {
      await bus.close();
      db.close();
      await drop();
    };
    return { bus, connect: () => openMongod(uri, database), close };
  });
});

it('takes a bulk write that lost its connection for a mongod that is away, one with a duplicate for what it is', () => {
  const { MongoBulkWriteError, MongoNetworkError } = mongoose.mongo;
  const lost = new MongoBulkWriteError(new MongoNetworkError('connect ECONNREFUSED') as never, {} as never);
  expect(explained(lost)).toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retriable: true });
  const twice = { message: 'E11000', code: 11000, writeErrors: [{ code: 11000 }] };
  const duplicate = new MongoBulkWriteError(twice as never, {} as never);
  expect(explained(duplicate)).toBe(duplicate);
});

it('says that a mongod which does not answer is away, without its credentials', async () => {
  const opening = openMongod('mongodb://user:secret@127.0.0.1:1/?serverSelectionTimeoutMS=200', 'none');
  const error = (await opening.catch((thrown) => thrown)) as Error;
  expect(error).toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retriable: true });
  expect(error.message).not.toContain('secret');
}, 30_000);
