/** For specs: what stands in for the services that serving asks, at the other end of a real gRPC connection. */
import {
  type FeatureQuestion,
  FeatureStoreService,
  featureLayout,
  type GetRolloutReply,
  type ReadOnlineReply,
  type ReadOnlineRequest,
  RegistryService,
  type Rollout,
} from '@driftloop/contracts';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { flights } from './world.js';

const refusal = { code: 'INPUT_INVALID', reason: 'question 0: input "distance" must be a number' };

class StandIn {
  private readonly server = new Server();
  private port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The rest of the service's calls is not implemented. */
  protected async listen(service: typeof FeatureStoreService | typeof RegistryService, calls: object): Promise<this> {
    this.server.addService(service as never, calls as UntypedServiceImplementation);
    this.port = await new Promise((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    return this;
  }

  close(): void {
    this.server.forceShutdown();
  }
}

/** A feature store whose every feature is 7 or "seven"; entities that begin with "nobody" are unknown. */
export class FeatureStoreStandIn extends StandIn {
  readonly asked: ReadOnlineRequest[] = [];
  delayMs = 0;
  complete = true;
  behindMs = 0;
  stale: string[] = [];
  away = false;
  /** Entities that it refuses: in their own rows, or, as stores of before did, with all that was asked together. */
  refuses = (_question: FeatureQuestion) => false;
  ofBefore = false;
  /** Calls whose caller has gone before they were answered. */
  abandoned = 0;
  /** Columns in another order than serving's. */
  reversed = false;

  static open(): Promise<FeatureStoreStandIn> {
    const store = new FeatureStoreStandIn();
    const readOnline = (
      call: ServerUnaryCall<ReadOnlineRequest, ReadOnlineReply>,
      reply: sendUnaryData<ReadOnlineReply>,
    ) => {
      const { request } = call;
      call.once('cancelled', () => store.abandoned++);
      store.asked.push(request);
      if (store.away) return reply({ code: status.UNAVAILABLE, details: 'being restarted' });
      if (store.ofBefore && request.questions.some(store.refuses))
        return reply({ code: status.INVALID_ARGUMENT, details: 'a question is not valid' });
      setTimeout(() => reply(null, store.answer(request)), store.delayMs).unref();
    };
    return store.listen(FeatureStoreService, { readOnline });
  }

  private answer({ questions }: ReadOnlineRequest): ReadOnlineReply {
    const layout = featureLayout(flights);
    const inOrder = <T>(list: T[]) => (this.reversed ? list.toReversed() : list);
    const numbers = layout.numbers.map((name) => (name === 'wind_gust' ? Number.NaN : name === 'temp' ? 3 : 7));
    return {
      numberFeatures: inOrder(layout.numbers),
      textFeatures: inOrder(layout.texts),
      specRevision: 1,
      rows: questions
        .map(({ entityId, inputs }) => ({
          numbers: inOrder(numbers),
          texts: layout.texts.map(() => 'seven'),
          missing: ['wind_gust'],
          complete: this.complete,
          entityTime: inputs.sched_dep_utc ? undefined : new Date('2013-02-14T11:00:00Z'),
          unknownEntity: entityId.startsWith('nobody'),
          refusal: undefined,
          behindMs: this.behindMs,
          stale: this.stale,
        }))
        .map((row, i) => (this.refuses(questions[i]) ? { ...row, numbers: [], texts: [], refusal, stale: [] } : row)),
    };
  }
}

/** A registry that remembers rollouts, newest first. */
export class RegistryStandIn extends StandIn {
  rollouts: Rollout[] = [];
  asked = 0;

  static open(): Promise<RegistryStandIn> {
    const registry = new RegistryStandIn();
    const getRollout = (_: unknown, reply: sendUnaryData<GetRolloutReply>) => {
      registry.asked++;
      const [rollout, ...history] = registry.rollouts;
      reply(null, { tenant: 'main', model: 'flights', rollout, history });
    };
    return registry.listen(RegistryService, { getRollout });
  }
}
