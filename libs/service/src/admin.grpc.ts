/**
 * Every service's own door for operators: what runs here, which events it could not take, giving them back and
 * discarding them. A service answers for its own groups alone, those of its other replicas included.
 *
 * I1  What a person does to a letter is in the log, a line each, with who and why: of a letter that is discarded nothing
 *     else is left.
 */
import { Bus, type DeadLetter } from '@driftloop/bus';
import {
  type DescribeReply,
  type DiscardDeadLettersReply,
  type DiscardDeadLettersRequest,
  DeadLetter as Letter,
  type ListDeadLettersReply,
  type ListDeadLettersRequest,
  type ReadAuditReply,
  type ReadAuditRequest,
  type ReplayDeadLettersReply,
  type ReplayDeadLettersRequest,
} from '@driftloop/contracts';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Audit } from './audit.js';
import { callerName, callerOf } from './credentials.js';
import { errors } from './errors.js';
import { Identity } from './identity.js';
import { Log } from './log.js';
import { Readiness } from './readiness.js';

const defaultLetters = 100;
const mostShown = 1000;

@Controller()
export class AdminDoor {
  constructor(
    private readonly bus: Bus,
    private readonly readiness: Readiness,
    private readonly identity: Identity,
    private readonly log: Log,
    private readonly audit: Audit,
  ) {}

  @GrpcMethod('Admin', 'Describe')
  async describe(): Promise<DescribeReply> {
    const { service, replica, version } = this.identity;
    const { ready, reasons, attention } = this.readiness;
    const lags = await this.bus.lag();
    const groups = await Promise.all(
      (await this.groups()).map(async (name) => {
        const own = lags.filter(({ group }) => group === name);
        const topics = [...new Set([...own.map(({ topic }) => topic), ...(this.identity.groups().get(name) ?? [])])];
        const lag = own.reduce((sum, { lag: behind }) => sum + behind, 0);
        return { name, topics: topics.sort(), lag, dead: await this.bus.countDead(name) };
      }),
    );
    return { service, version, replica, ready, reasons, groups, attention };
  }

  /** Throws GROUP_UNKNOWN. */
  @GrpcMethod('Admin', 'ListDeadLetters')
  async list({ group, limit }: ListDeadLettersRequest): Promise<ListDeadLettersReply> {
    const names = group ? [await this.known(group)] : await this.groups();
    const most = Math.min(limit > 0 ? limit : defaultLetters, mostShown);
    let shown: DeadLetter[] = [];
    let total = 0;
    for (const name of names) {
      total += await this.bus.countDead(name);
      shown = [...shown, ...(await this.bus.dead(name, most))].sort(oldestFirst).slice(0, most);
    }
    return { letters: shown.map(letter), total };
  }

  /** Throws GROUP_UNKNOWN, or BUS_DEAD_LETTER_UNKNOWN where the group has no such letter. */
  @GrpcMethod('Admin', 'ReplayDeadLetters')
  async replay({ group, eventIds }: ReplayDeadLettersRequest, metadata: Metadata): Promise<ReplayDeadLettersReply> {
    const name = await this.known(group);
    const replayed = await this.bus.replayDead(name, eventIds.length ? eventIds : undefined);
    const by = callerName(callerOf(metadata));
    for (const event of replayed) this.log.warn({ group, event, by }, 'a person gave a dead letter back');
    return { replayed: replayed.length };
  }

  /** Throws DISCARD_UNNAMED, GROUP_UNKNOWN, or BUS_DEAD_LETTER_UNKNOWN where the group has no such letter. */
  @GrpcMethod('Admin', 'DiscardDeadLetters')
  async discard(request: DiscardDeadLettersRequest, metadata: Metadata): Promise<DiscardDeadLettersReply> {
    const { group, eventIds, all, note } = request;
    if (all === eventIds.length > 0) throw errors.DISCARD_UNNAMED({ group });
    const discarded = await this.bus.discardDead(await this.known(group), all ? undefined : eventIds);
    const by = callerName(callerOf(metadata));
    for (const event of discarded) this.log.warn({ group, event, by, note }, 'a person discarded a dead letter');
    return { discarded: discarded.length, eventIds: discarded.slice(0, mostShown) };
  }

  @GrpcMethod('Admin', 'ReadAudit')
  async readAudit(request: ReadAuditRequest, metadata: Metadata): Promise<ReadAuditReply> {
    return { acts: await this.audit.read(callerOf(metadata).tenant, request) };
  }

  /**
   * Groups of this service, sorted: those heard here, and what other replicas and earlier versions left. A product team's
   * group may have any name, that of a service before it too.
   */
  private async groups(): Promise<string[]> {
    const left = (await this.bus.lag()).filter(({ foreign }) => !foreign).map(({ group }) => group);
    const own = left.filter((group) => group.startsWith(`${this.identity.service}.`));
    return [...new Set([...this.identity.groups().keys(), ...own])].sort();
  }

  private async known(group: string): Promise<string> {
    const known = await this.groups();
    if (known.includes(group)) return group;
    throw errors.GROUP_UNKNOWN({ group, service: this.identity.service, known });
  }
}

const oldestFirst = (a: DeadLetter, b: DeadLetter): number => a.time - b.time || (a.id < b.id ? -1 : 1);

const letter = ({ group, id, topic, key, time, error, data }: DeadLetter): Letter => ({
  ...{ group, eventId: id, topic, key, eventTime: new Date(time) },
  ...{ errorCode: error.code ?? error.name, error: error.message, payloadJson: JSON.stringify(data) },
});
