/** The gateway's HTTP door as typed calls: declare, look, act. Replies are the contracts' messages. */
import {
  ApplyReply,
  Cycle,
  DeclaredModel,
  DriftReport,
  GetRolloutReply,
  Ledger,
  ListCyclesReply,
  ListJobsReply,
  ListModelsReply,
  ListVersionsReply,
  ModelStatus,
  RolloutReply,
} from '@driftloop/contracts';
import { CallFailed } from './failure.js';

/**
 * A house's gateway at `url`, with its bearer token. Every call throws CallFailed: the service's own code (UNKNOWN_MODEL,
 * ALIAS_MOVED …), or UNREACHABLE, retriable, where the gateway does not answer.
 */
export class Control {
  constructor(
    private readonly url = 'http://127.0.0.1:3000',
    private readonly token?: string,
  ) {}

  /** Declares or changes a model from its spec (YAML or JSON). */
  async apply(spec: string, eventTime?: Date): Promise<ApplyReply> {
    return ApplyReply.fromJSON(await this.send('POST', '/v1/apply', { spec, eventTime }));
  }
  async models(): Promise<DeclaredModel[]> {
    return ListModelsReply.fromJSON(await this.send('GET', '/v1/models')).models;
  }
  async versions(model: string): Promise<ListVersionsReply['versions']> {
    return ListVersionsReply.fromJSON(await this.send('GET', `/v1/models/${encodeURIComponent(model)}/versions`))
      .versions;
  }
  async rollout(model: string): Promise<GetRolloutReply> {
    return GetRolloutReply.fromJSON(await this.send('GET', `/v1/models/${encodeURIComponent(model)}/rollout`));
  }
  async status(model: string): Promise<ModelStatus> {
    return ModelStatus.fromJSON(await this.send('GET', `/v1/models/${encodeURIComponent(model)}/status`));
  }
  /** What has moved against the champion's reference, moved ones first. `limit`: at most 1,000; 0 is 50. */
  async drift(model: string, limit = 0): Promise<DriftReport> {
    const path = `/v1/models/${encodeURIComponent(model)}/drift?limit=${limit}`;
    return DriftReport.fromJSON(await this.send('GET', path));
  }
  async jobs(model: string): Promise<ListJobsReply['jobs']> {
    return ListJobsReply.fromJSON(await this.send('GET', `/v1/models/${encodeURIComponent(model)}/jobs`)).jobs;
  }
  async cycles(model: string): Promise<Cycle[]> {
    return ListCyclesReply.fromJSON(await this.send('GET', `/v1/models/${encodeURIComponent(model)}/cycles`)).cycles;
  }
  /** A cycle by its id, or by a unique beginning of it. */
  async cycle(id: string): Promise<Cycle> {
    return Cycle.fromJSON(await this.send('GET', `/v1/cycles/${encodeURIComponent(id)}`));
  }
  /** Every decision up to the ledger's watermark, all pages of it. */
  async ledger(model: string): Promise<Ledger> {
    const entries: Ledger['entries'] = [];
    for (;;) {
      const page = await this.ledgerPage(model, entries.length);
      entries.push(...page.entries);
      // What comes to it while it is read stands at the end, and is read with it.
      if (!page.entries.length || entries.length >= page.total) return { ...page, entries };
    }
  }
  /** Decisions behind a position; at most 1,000, or `limit`. */
  async ledgerPage(model: string, after = 0, limit = 0): Promise<Ledger> {
    const path = `/v1/models/${encodeURIComponent(model)}/ledger?after=${after}&limit=${limit}`;
    return Ledger.fromJSON(await this.send('GET', path));
  }
  async promote(
    model: string,
    version: string,
    expectedChampion = '',
    note = '',
    force = false,
  ): Promise<RolloutReply> {
    const body = { version, expectedChampion, note, ...(force && { force }) };
    return RolloutReply.fromJSON(await this.send('POST', `/v1/models/${encodeURIComponent(model)}/promote`, body));
  }
  /**
   * Withdraws the challenger, or else the champion. `expected`: whom the caller believes in; a call that is made again
   * should name them, since it would withdraw one more. Throws CallFailed: NOTHING_TO_ROLL_BACK, FROZEN, ALIAS_MOVED.
   */
  async rollBack(
    model: string,
    note = '',
    force = false,
    expected: { champion?: string; challenger?: string } = {},
  ): Promise<RolloutReply> {
    const { champion: expectedChampion, challenger: expectedChallenger } = expected;
    const body = { note, ...(force && { force }), expectedChampion, expectedChallenger };
    return RolloutReply.fromJSON(await this.send('POST', `/v1/models/${encodeURIComponent(model)}/rollback`, body));
  }
  /** Passes event time in a replay: waits until all before it is heard, and until the tick is. Needs the replay credential. */
  async passTime(now: Date): Promise<void> {
    await this.send('POST', '/v1/clock', { now });
  }
  /** Waits until everything published so far has been heard by everyone. Needs the replay credential. */
  async settled(): Promise<void> {
    await this.send('POST', '/v1/settled', {});
  }
  /** Whether the gateway answers, and each service is ready. */
  async ready(): Promise<boolean> {
    return this.send('GET', '/v1/ready').then(
      () => true,
      () => false,
    );
  }

  /** The headers of a call: the credential. */
  headers(): Record<string, string> {
    return this.token ? { authorization: `Bearer ${this.token}` } : {};
  }

  /** One call of the gateway's: a path with its query, and a JSON body. Throws CallFailed. */
  async send(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { ...this.headers(), ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(this.url + path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : undefined,
    }).catch((error: Error) => {
      throw new CallFailed('UNREACHABLE', `no gateway at ${this.url} (${cause(error)}); is Driftloop running?`, true);
    });
    const reply = parsed(await response.text());
    if (!reply) throw new CallFailed('NOT_DRIFTLOOP', `${this.url} does not answer as Driftloop's gateway does`, false);
    if (response.ok) return reply;
    throw new CallFailed(
      reply.code ?? `HTTP_${response.status}`,
      reply.message ?? response.statusText,
      reply.retriable,
      reply.details,
    );
  }
}

/** A JSON object, or undefined. */
function parsed(text: string): Record<string, never> | undefined {
  try {
    const value = JSON.parse(text || '{}');
    return value && typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

const cause = (error: Error) => (error.cause as Error | undefined)?.message ?? error.message;
