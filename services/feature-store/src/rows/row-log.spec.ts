import { Unled } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { FeatureStoreDocuments } from '../feature-store.documents.js';
import { featureStore } from '../feature-store.module.js';
import type { Row } from '../views/source-rows.js';
import { RowLog, type Tell } from './row-log.js';

type Service = Awaited<ReturnType<typeof testService>>;

const columns = { delay: 'number', gate: 'text' } as const;
const rows = (from: number, to: number): Row[] =>
  Array.from({ length: to - from }, (_, i) => ({
    entityId: `e"${from + i}`,
    eventTime: from + i,
    knownAt: 1000 + from + i,
    cells: [(from + i) % 3 ? (from + i) / 7 : undefined, (from + i) % 4 ? `gate,'"\n${from + i}` : undefined],
  }));

describe('the log of rows', () => {
  let service: Service;
  let documents: FeatureStoreDocuments;
  let tell: Tell;

  beforeEach(async () => {
    service = await testService(featureStore);
    documents = service.app.get(FeatureStoreDocuments);
    tell = { outbox: service.ground.outbox, cause: { id: 'x', time: 0, tenant: 'main' } };
  });
  afterEach(() => service.close());

  const open = (as: Record<string, 'number' | 'text'> = columns) =>
    RowLog.open('main/flights/departed', as, documents, service.ground.objects, new Unled());
  const read = async (log: RowLog, horizon = Number.NEGATIVE_INFINITY, byEvent = false) => {
    const found: Row[] = [];
    await log.recent(horizon, byEvent, (part) => found.push(...part));
    return found.sort((a, b) => a.eventTime - b.eventTime);
  };

  it('gives back what was appended, from batches, from segments and from both', async () => {
    const log = await open();
    await log.append(rows(0, 2500), undefined, [], tell);
    await log.append(rows(2500, 2510), { part: 0, watermark: 7 }, [], tell);
    expect(await read(await open())).toEqual(rows(0, 2510));
    await log.compact();
    expect(await documents.batches.countDocuments({ stream: log.stream })).toBe(0);
    expect(await read(await open())).toEqual(rows(0, 2510));
    await log.append(rows(2510, 2520), undefined, [], tell);
    const again = await open();
    expect(await read(again)).toEqual(rows(0, 2520));
    expect(await read(again, 3505)).toEqual(rows(2505, 2520));
    expect(await read(again, 3505, true)).toEqual(rows(2505, 2520));
  });

  it('keeps watermarks by part through compaction', async () => {
    const log = await open();
    await log.append([], { part: 1, watermark: 50 }, [], tell);
    await log.append(rows(0, 1), { part: 0, watermark: 70 }, [], tell);
    await log.append([], { part: 1, watermark: 20 }, [], tell);
    expect((await open()).watermarks).toEqual([70, 50]);
    await log.compact();
    expect((await open()).watermarks).toEqual([70, 50]);
  });

  it('skips and later deletes batches that a crash left behind their segment', async () => {
    const log = await open();
    await log.append(rows(0, 5), undefined, [], tell);
    const left = await documents.batchesAfter(log.stream, 0, 10);
    await log.compact();
    await documents.batches.collection.insertMany(left as never[]);
    const again = await open();
    expect(await read(again)).toEqual(rows(0, 5));
    await again.append(rows(5, 6), undefined, [], tell);
    await again.compact();
    expect(await documents.batches.countDocuments({ stream: log.stream })).toBe(0);
    expect(await read(await open())).toEqual(rows(0, 6));
  });

  it('refuses a second writer instead of overwriting', async () => {
    const [one, other] = [await open(), await open()];
    await one.append(rows(0, 5), undefined, [], tell);
    await expect(other.append(rows(5, 6), undefined, [], tell)).rejects.toMatchObject({ code: 'ANOTHER_WRITER' });
    expect(await read(await open())).toEqual(rows(0, 5));
  });

  it('reads rows as the columns are declared now', async () => {
    const log = await open();
    await log.append(rows(1, 2), undefined, [], tell);
    await log.compact();
    await log.append(rows(2, 3), undefined, [], tell);
    const now = await open({ wind: 'number', gate: 'number', delay: 'text' });
    expect((await read(now)).map(({ cells }) => cells)).toEqual([
      [undefined, undefined, String(1 / 7)],
      [undefined, undefined, String(2 / 7)],
    ]);
  });
});
