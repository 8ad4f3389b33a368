/**
 * The format of a service's database on mongod: a document in the collection `format`, which replicas share.
 *
 * I1  Whatever is written is written under a lease, and only after the number was read again under it: of several replicas
 *     that find the same one does the work, and the others find it done. Nothing is written before the first reading.
 * I2  A database without collections is nobody's yet: it gets the latest number before its first collection. Collections
 *     are listed before the number is read, so that those of a replica that starts meanwhile come with its number.
 * I3  A step is not one transaction: it is done again from its beginning after a death, and may go on in a process that
 *     stood still while another one has taken over. So each of its writes is on condition that the document is in the old
 *     format. Its number is written after it, on condition of the one before.
 */
import { collectionsOf, isDuplicateKey } from '@driftloop/documents';
import type { Connection } from 'mongoose';
import type { WallClock } from '../clock.js';
import { errors } from '../errors.js';
import { Led } from '../leadership.js';
import type { Log } from '../log.js';
import { formatPoints } from './points.js';
import {
  type By,
  type DocumentsStored,
  documentsSteps,
  doing,
  type Found,
  latestOf,
  type Migrated,
  pendingAfter,
  type Step,
} from './steps.js';

type Steps = readonly Step<DocumentsStored>[];

export interface DocumentsParts extends DocumentsStored {
  readonly replica: string;
  readonly leaseMs: number;
  readonly clock: WallClock;
  readonly log: Log;
}

interface FormatDocument {
  _id: 'format';
  number: number;
}

/** What the lease of a migration is of, and collections that say nothing of a service (I2). */
const lease = 'format';
const own = new Set(['format', 'leases']);

/**
 * Brings a database to the latest format, or waits until another replica has. Throws DOCUMENTS_NEWER, MIGRATION_FAILED,
 * DOCUMENTS_MIGRATING, DOCUMENTS_UNAVAILABLE or, at a start, DOCUMENTS_NEED_MIGRATION.
 */
export async function bringToFormat(parts: DocumentsParts, by: By, steps: Steps = documentsSteps): Promise<Migrated> {
  const found = await checkDocuments(parts.connection, steps, by);
  const latest = latestOf(steps);
  if (found === latest) return { found, format: latest, done: [] };
  const led = new Led({ ...parts, name: lease });
  await led.lead();
  try {
    const again = await checkDocuments(parts.connection, steps, by); // I1
    if (again === 'nothing') await writeNumber(parts, led, again, latest);
    const done = pendingAfter(again, steps);
    for (const step of done) await bringOn(parts, led, step);
    return { found, format: latest, done: done.map(({ to, name }) => ({ to, name })) };
  } finally {
    await led.stop();
  }
}

/** The format of a database, where it may be opened by these steps. Throws DOCUMENTS_NEWER or DOCUMENTS_NEED_MIGRATION. */
export async function checkDocuments(connection: Connection, steps: Steps, by: By): Promise<Found> {
  const [database, known, found] = [connection.name, latestOf(steps), await formatIn(connection)];
  if (found === 'nothing') return found;
  if (found > known) throw errors.DOCUMENTS_NEWER({ database, found, known });
  const long = pendingAfter(found, steps).find(({ when }) => when === 'command');
  if (by === 'start' && long) throw errors.DOCUMENTS_NEED_MIGRATION({ database, found, known, name: long.name });
  return found;
}

/** I2 */
async function formatIn(connection: Connection): Promise<Found> {
  const names = (await collectionsOf(connection)).filter((name) => !own.has(name));
  const document = await formats(connection).findOne({ _id: 'format' });
  return document?.number ?? (names.length ? 0 : 'nothing');
}

/** I3 */
async function bringOn(parts: DocumentsParts, led: Led, step: Step<DocumentsStored>): Promise<void> {
  const { connection, service } = parts;
  await doing(step, `database ${connection.name}`, async () => {
    led.check();
    await step.run({ connection, service });
    formatPoints.beforeNumber.publish(step.to);
    await writeNumber(parts, led, step.to - 1, step.to);
  });
  formatPoints.afterNumber.publish(step.to);
}

/** On condition of the one before, where there is one. */
async function writeNumber({ connection }: DocumentsParts, led: Led, before: Found, number: number): Promise<void> {
  led.check();
  const lost = () => errors.DOCUMENTS_MIGRATING({ database: connection.name, by: led.leader || 'another process' });
  try {
    const unnumbered = before === 'nothing' || before === 0;
    if (unnumbered) await formats(connection).insertOne({ _id: 'format', number });
    else if (
      !(await formats(connection).updateOne({ _id: 'format', number: before }, { $set: { number } })).matchedCount
    )
      throw lost();
  } catch (error) {
    throw isDuplicateKey(error) ? lost() : error;
  }
}

const formats = (connection: Connection) => connection.collection<FormatDocument>('format');
