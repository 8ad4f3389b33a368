/** What operators do, as typed calls of the gateway: services, dead letters, pause, freeze, explanations. */
import {
  type AuditedAct,
  CycleExplanation,
  DescribeReply,
  DiscardDeadLettersReply,
  ListDeadLettersReply,
  ModelStatus,
  ReadAuditReply,
  ReplayDeadLettersReply,
  RolloutReply,
} from '@driftloop/contracts';
import type { Control } from './control.js';

/** Which dead letters are wanted: of a service, or of one of its groups; of all where neither is named. */
export interface DeadLetterQuery {
  readonly service?: string;
  readonly group?: string;
  /** At most 1,000; 100 where it is left out. */
  readonly limit?: number;
}

/** Which acts are wanted. */
export interface AuditQuery {
  /** Of this caller. */
  readonly by?: string;
  /** About this model, label, group or item of the quarantine. */
  readonly subject?: string;
  /** Older than the act with this id. */
  readonly before?: string;
  /** At most 1,000; 100 where it is left out. */
  readonly limit?: number;
}

/** What operators ask of a house, through the gateway that `control` talks to. Every call throws CallFailed, as Control's do. */
export class Operations {
  constructor(private readonly control: Control) {}

  /** Every service as it describes itself; one that does not answer is not ready, with that as the reason. */
  async services(): Promise<DescribeReply[]> {
    const reply = (await this.control.send('GET', '/v1/services')) as { services?: unknown[] };
    return (reply.services ?? []).map((service) => DescribeReply.fromJSON(service));
  }

  /** Events that their groups could not take, oldest first, and how many there are in all. */
  async dead(query: DeadLetterQuery = {}): Promise<ListDeadLettersReply> {
    return ListDeadLettersReply.fromJSON(await this.control.send('GET', `/v1/dead?${textOf(query)}`));
  }

  /** What callers have done and were refused, at every service, newest first. */
  async audit(query: AuditQuery = {}): Promise<AuditedAct[]> {
    return ReadAuditReply.fromJSON(await this.control.send('GET', `/v1/audit?${textOf(query)}`)).acts;
  }

  /** Gives dead letters back to their group, and to it alone: those named, or its oldest 10,000. Resolves to their number. */
  async replay(group: string, eventIds: readonly string[] = []): Promise<number> {
    const reply = await this.control.send('POST', '/v1/dead/replay', { group, eventIds });
    return ReplayDeadLettersReply.fromJSON(reply).replayed;
  }

  /**
   * Throws dead letters away, for good: those named, or with 'all' the group's oldest 10,000. Resolves to their number and the
   * ids of the first 1,000. Rejects with BUS_DEAD_LETTER_UNKNOWN where one is not there, and discards none then.
   */
  async discard(group: string, events: readonly string[] | 'all', note = ''): Promise<DiscardDeadLettersReply> {
    const which = events === 'all' ? { eventIds: [], all: true } : { eventIds: events, all: false };
    const reply = await this.control.send('POST', '/v1/dead/discard', { group, ...which, note });
    return DiscardDeadLettersReply.fromJSON(reply);
  }

  /** Lets the live clock go on from the machine's, however far that is from the time that was known. */
  async acceptClock(note = ''): Promise<void> {
    await this.control.send('POST', '/v1/clock/accept', { note });
  }

  /** Lets no cycle open from the next tick on, until it is resumed; one that is open goes on. */
  pause(model: string, note = ''): Promise<ModelStatus> {
    return this.hold(model, 'pause', note);
  }

  /** Lets the loop go on, and closes its breaker. */
  resume(model: string, note = ''): Promise<ModelStatus> {
    return this.hold(model, 'resume', note);
  }

  /** Keeps the champion where it is, until it is thawed; a challenger that does harm is withdrawn all the same. */
  freeze(model: string, note = ''): Promise<RolloutReply> {
    return this.keep(model, 'freeze', note);
  }

  thaw(model: string, note = ''): Promise<RolloutReply> {
    return this.keep(model, 'thaw', note);
  }

  /** A cycle in sentences, by its id or a unique beginning of it. */
  async explain(cycle: string): Promise<CycleExplanation> {
    const path = `/v1/cycles/${encodeURIComponent(cycle)}/explanation`;
    return CycleExplanation.fromJSON(await this.control.send('GET', path));
  }

  private async hold(model: string, act: 'pause' | 'resume', note: string): Promise<ModelStatus> {
    const path = `/v1/models/${encodeURIComponent(model)}/${act}`;
    return ModelStatus.fromJSON(await this.control.send('POST', path, { note }));
  }

  private async keep(model: string, act: 'freeze' | 'thaw', note: string): Promise<RolloutReply> {
    const path = `/v1/models/${encodeURIComponent(model)}/${act}`;
    return RolloutReply.fromJSON(await this.control.send('POST', path, { note }));
  }
}

function textOf(query: object): URLSearchParams {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
}
