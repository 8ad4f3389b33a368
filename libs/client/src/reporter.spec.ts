import {
  FeatureStoreService,
  IngestReply,
  type IngestRequest,
  LabelingService,
  RecordOutcomesReply,
  type RecordOutcomesRequest,
} from '@driftloop/contracts';
import { type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { Reporter } from './reporter.js';
import { grpcDoor } from './testing/doors.js';

type Ingest = ServerDuplexStream<IngestRequest, IngestReply>;

const at = new Date('2013-02-15T12:00:00Z');
let closing: (() => void)[];
beforeEach(() => {
  closing = [];
});
afterEach(() => {
  for (const close of closing) close();
});

async function storeThat(ingest: (stream: Ingest) => void): Promise<Reporter> {
  const door = await grpcDoor(FeatureStoreService, { ingest });
  const reporter = new Reporter({ featureStore: door.address });
  closing.push(() => reporter.close(), door.close);
  return reporter;
}

describe('a stream of facts', () => {
  it('sends numbers, texts and missing values, and is acknowledged batch by batch in order', async () => {
    const heard: IngestRequest[] = [];
    const reporter = await storeThat((stream) => {
      stream.on('data', (request: IngestRequest) => {
        heard.push(request);
        stream.write(IngestReply.fromPartial({ accepted: request.rows.length }));
      });
      stream.on('end', () => stream.end());
    });
    const stream = reporter.facts();
    const fact = { entityId: 'JFK', eventTime: at, knownAt: at, values: { temp: 1.5, sky: 'clear', wind: null } };
    const replies = await Promise.all([stream.send('m', 'weather', [fact, fact]), stream.send('m', 'weather', [], at)]);
    expect(replies.map(({ accepted }) => accepted)).toEqual([2, 0]);
    expect(heard[0].rows[0].values).toMatchObject({
      temp: { kind: { $case: 'number', value: 1.5 } },
      sky: { kind: { $case: 'text', value: 'clear' } },
      wind: {},
    });
    expect(heard.map(({ watermark }) => watermark)).toEqual([undefined, at]);
    stream.close();
  });

  it('fails whatever waits, and what comes after, with the error that broke it', async () => {
    const reporter = await storeThat((stream) => {
      stream.on('data', () => stream.emit('error', { code: status.NOT_FOUND, details: 'no source "rumours"' }));
    });
    const stream = reporter.facts();
    const sent = [stream.send('m', 'rumours', []), stream.send('m', 'rumours', [])];
    const broken = { code: 'NOT_FOUND', message: 'no source "rumours"', retriable: false };
    for (const send of sent) await expect(send).rejects.toMatchObject(broken);
    await expect(stream.send('m', 'weather', [])).rejects.toMatchObject(broken);
  });
});

it('reports outcomes with their times, and gives the rows that were refused', async () => {
  let heard: RecordOutcomesRequest | undefined;
  const door = await grpcDoor(LabelingService, {
    recordOutcomes: (call: ServerUnaryCall<RecordOutcomesRequest, never>, done: sendUnaryData<object>) => {
      heard = call.request;
      done(null, RecordOutcomesReply.fromPartial({ rejected: [{ index: 0, reason: 'no' }] }));
    },
  });
  const reporter = new Reporter({ labeling: door.address });
  closing.push(() => reporter.close(), door.close);
  const outcome = { entityId: 'F1', entityTime: at, knownAt: at, value: 1 };
  const { rejected } = await reporter.outcomes('flights.late15', [outcome], at);
  expect(rejected).toMatchObject([{ index: 0, reason: 'no' }]);
  expect(heard).toMatchObject({ label: 'flights.late15', outcomes: [outcome], watermark: at });
});
