import { inference } from '@driftloop/contracts';
import { Metadata, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { CallFailed } from './failure.js';
import { Predictor } from './predictor.js';
import { grpcDoor } from './testing/doors.js';

type Call = ServerUnaryCall<inference.ModelInferRequest, inference.ModelInferResponse>;
type Done = sendUnaryData<inference.ModelInferResponse>;

let door: Awaited<ReturnType<typeof grpcDoor>>;
let predictor: Predictor;
let heard: Call;
let answer: (done: Done) => void;

beforeEach(async () => {
  door = await grpcDoor(inference.GRPCInferenceServiceService, {
    modelInfer: (call: Call, done: Done) => {
      heard = call;
      answer(done);
    },
  });
  predictor = new Predictor(door.address, 'secret');
});
afterEach(() => {
  predictor.close();
  door.close();
});

const string = (value: string) => ({ parameterChoice: { $case: 'stringParam' as const, value } });
const give = (reply: object) => {
  answer = (done) => done(null, inference.ModelInferResponse.fromPartial(reply as never));
};
const typed = (contents: object) => ({ name: 'probability', datatype: 'FP64', shape: [1, 1], contents });

describe('a predictor', () => {
  it('asks one row: a tensor an input, the entity and the time as parameters', async () => {
    give({ outputs: [typed({ fp64Contents: [0.25] })] });
    const due = new Date('2013-02-15T12:00:00Z');
    const inputs = { carrier: 'ÅA', distance: 94, due };
    await predictor.predict({ model: 'flights', entityId: 'F1', id: 'q1', version: 'frozen', eventTime: due, inputs });
    const { modelName, modelVersion, id, parameters, inputs: tensors } = heard.request;
    expect({ modelName, modelVersion, id }).toEqual({ modelName: 'flights', modelVersion: 'frozen', id: 'q1' });
    expect(parameters).toEqual({ entity_id: string('F1'), event_time: string('2013-02-15T12:00:00.000Z') });
    expect(tensors.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['carrier', 'BYTES', [1, 1]],
      ['distance', 'FP64', [1, 1]],
      ['due', 'BYTES', [1, 1]],
    ]);
    expect(tensors[0].contents!.bytesContents[0].toString()).toBe('ÅA');
    expect(tensors[1].contents!.fp64Contents).toEqual([94]);
    expect(tensors[2].contents!.bytesContents[0].toString()).toBe('2013-02-15T12:00:00.000Z');
    expect(heard.metadata.get('authorization')).toEqual(['Bearer secret']);
  });

  it('reads who answered, for which arm, what was imputed, and how old the features were', async () => {
    const features_behind_ms = { parameterChoice: { $case: 'int64Param' as const, value: 7_200_000 } };
    const names = { imputed: string('temp,wind_speed'), stale: string('delay_1h') };
    const parameters = { arm: string('canary'), ...names, features_behind_ms };
    give({ id: 'q1', modelVersion: 'v2', parameters, outputs: [typed({ fp64Contents: [0.25] })] });
    expect(await predictor.predict({ model: 'flights', entityId: 'F1', inputs: {} })).toEqual({
      id: 'q1',
      version: 'v2',
      probability: 0.25,
      arm: 'canary',
      imputed: ['temp', 'wind_speed'],
      stale: ['delay_1h'],
      behindMs: 7_200_000,
    });
  });

  it('reads raw contents, of the output that is asked for', async () => {
    const raw = Buffer.alloc(8);
    raw.writeDoubleLE(0.75);
    const output = { name: 'probability', datatype: 'FP64', shape: [1, 1] };
    give({ outputs: [{ ...output, name: 'label' }, output], rawOutputContents: [Buffer.alloc(8), raw] });
    expect((await predictor.predict({ model: 'm', entityId: 'e', inputs: {} })).probability).toBe(0.75);
  });

  it.each([
    ['no output', {}],
    ['another output', { outputs: [{ ...typed({ fp64Contents: [1] }), name: 'label' }] }],
    ['an output without contents', { outputs: [typed({})] }],
    ['raw contents cut off', { outputs: [{ name: 'probability' }], rawOutputContents: [Buffer.alloc(3)] }],
  ])('says that a reply with %s is malformed', async (_, reply) => {
    give(reply);
    await expect(predictor.predict({ model: 'm', entityId: 'e', inputs: {} })).rejects.toMatchObject({
      code: 'ANSWER_MALFORMED',
    });
  });
});

describe('a failed call', () => {
  const ask = async (deadlineMs?: number): Promise<CallFailed> => {
    const thrown = await predictor
      .predict({ model: 'm', entityId: 'e', inputs: {} }, deadlineMs)
      .catch((e: unknown) => e);
    expect(thrown).toBeInstanceOf(CallFailed);
    return thrown as CallFailed;
  };

  it("carries the service's own code, message, details and hope", async () => {
    const told = { code: 'QUEUE_FULL', message: 'ärger: full', retriable: true, details: { limit: 5 } };
    answer = (done) => {
      const metadata = new Metadata();
      metadata.set('driftloop-error-bin', Buffer.from(JSON.stringify(told)));
      done({ code: status.RESOURCE_EXHAUSTED, details: 'something shorter', metadata });
    };
    expect(await ask()).toMatchObject(told);
  });

  it("carries gRPC's status where the service sent none, and may be tried again only where that can help", async () => {
    answer = (done) => done({ code: status.INVALID_ARGUMENT, details: 'no' });
    expect(await ask()).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'no', retriable: false });
    answer = () => {};
    expect(await ask(50)).toMatchObject({ code: 'DEADLINE_EXCEEDED', retriable: true });
  });

  it('names whom it could not reach', async () => {
    door.close();
    const { code, message, retriable } = await ask(5_000);
    expect({ code, retriable }).toEqual({ code: 'UNREACHABLE', retriable: true });
    expect(message).toMatch(new RegExp(`^nothing answers at ${door.address} \\(.*\\); is Driftloop running\\?$`));
    expect(message).not.toMatch(/Resolution note/);
  });
});
