/**
 * The audit: what callers have done at this service, in its own documents. It is outside the ledger and of wall time.
 *
 * I1  An act begins only once its attempt is kept; what came of it is kept before its caller is told. One without an outcome
 *     was under way when the service ended.
 * I2  What a caller may not do is kept once a minute for each caller and method: who asks in a loop fills no disk.
 * I3  It is bounded in age and number. Neither payloads nor notes nor credentials are in it.
 */
import { randomUUID } from 'node:crypto';
import type { AuditedAct, ReadAuditRequest, StatusName } from '@driftloop/contracts';
import { type Model, Schema } from 'mongoose';
import type { WallClock } from './clock.js';
import type { Connection } from './connection.js';
import type { Caller } from './credentials.js';
import type { Log } from './log.js';

const keptMs = 400 * 86_400_000;
const mostKept = 100_000;
/** Acts between two looks at what is too old or too much. */
const trimEvery = 100;
const refusalsEveryMs = 60_000;
const longestSubject = 200;
const shown = { usual: 100, most: 1000 };

/** Ids are of wall time, so that those of several services can be merged; later ones are greater. */
interface AuditDocument {
  _id: string;
  at: number;
  tenant: string;
  by: string;
  roles: string[];
  connection: string;
  act: string;
  method: string;
  subject: string;
  status: string;
  code: string;
  requestId: string;
}

const schema = new Schema<AuditDocument>(
  {
    ...{ _id: String, at: Number, tenant: String, by: String, roles: [String], connection: String },
    ...{ act: String, method: String, subject: String, status: String, code: String, requestId: String },
  },
  { versionKey: false },
);
schema.index({ tenant: 1, _id: -1 });
schema.index({ tenant: 1, by: 1, _id: -1 });
schema.index({ tenant: 1, subject: 1, _id: -1 });

/** What is done, by whom and from where. */
export interface Attempt {
  readonly caller: Caller;
  readonly connection: string;
  readonly act: string;
  readonly method: string;
  /** A model, a label, a group, an item of the quarantine; '' where it is not known yet. */
  readonly subject: string;
  /** The caller's own name of the request, as it came. */
  readonly requestId: string | undefined;
}

/** How an act ended. */
export interface Outcome {
  readonly status: StatusName | 'OK' | (string & {});
  readonly code: string;
  readonly subject?: string;
}

interface Parts {
  readonly service: string;
  readonly connection: Connection;
  readonly clock: WallClock;
  readonly log: Log;
}

/** Injectable. */
export class Audit {
  readonly #acts: Model<AuditDocument>;
  readonly #refusals = new Map<string, number>();
  #last = 0;
  #kept = 0;

  constructor(private readonly parts: Parts) {
    this.#acts = parts.connection.model<AuditDocument>('Audit', schema, 'audit');
  }

  /** Makes its indexes, before the first act. */
  async open(): Promise<void> {
    await this.#acts.init();
  }

  /** Keeps that an act is asked for; returns what keeps its outcome. */
  async begin(attempt: Attempt): Promise<(outcome: Outcome) => Promise<void>> {
    const _id = await this.#keep(attempt, { status: '', code: '' });
    return ({ status, code, subject }) =>
      this.#acts
        .updateOne({ _id }, { $set: { status, code, ...(subject && { subject: shortened(subject) }) } })
        .then(() => {})
        .catch((err) => this.parts.log.error({ err, id: _id, status }, 'the outcome of an act could not be kept'));
  }

  /** Keeps that a caller may not do something (I2). Does not wait, and does not fail. */
  refused(attempt: Attempt, { status, code }: Outcome): void {
    const key = `${attempt.caller.key} ${attempt.method}`;
    const now = this.parts.clock.now();
    if (Math.abs(now - (this.#refusals.get(key) ?? Number.NEGATIVE_INFINITY)) < refusalsEveryMs) return;
    if (this.#refusals.size >= shown.most) this.#refusals.clear();
    this.#refusals.set(key, now);
    const failed = (err: unknown) =>
      this.parts.log.error({ err, method: attempt.method }, 'a refusal could not be kept');
    this.#keep(attempt, { status, code }).catch(failed);
  }

  /** Newest first. */
  async read(tenant: string, { limit, before, by, subject }: ReadAuditRequest): Promise<AuditedAct[]> {
    const filter = { tenant, ...(before && { _id: { $lt: before } }), ...(by && { by }), ...(subject && { subject }) };
    const most = Math.min(limit > 0 ? limit : shown.usual, shown.most);
    const found = await this.#acts.find(filter).sort({ _id: -1 }).limit(most).lean<AuditDocument[]>().exec();
    return found.map(({ _id, at, tenant: _, ...rest }) => ({
      ...{ id: _id, at: new Date(at), service: this.parts.service },
      ...rest,
    }));
  }

  async #keep({ caller, requestId, subject, ...rest }: Attempt, outcome: Outcome): Promise<string> {
    const { tenant, name: by, roles } = caller;
    const at = this.parts.clock.now();
    this.#last = Math.max(at, this.#last + 1);
    const _id = `${String(this.#last).padStart(14, '0')}-${randomUUID().slice(0, 8)}`;
    const who = { tenant, by, roles: [...roles] };
    const named = requestId && /^[\x21-\x7e]{1,128}$/.test(requestId) ? requestId : randomUUID();
    await this.#acts.create({ _id, at, ...who, ...rest, ...outcome, subject: shortened(subject), requestId: named });
    if (this.#kept++ % trimEvery === 0) await this.#trim(at);
    return _id;
  }

  /** I3 */
  async #trim(now: number): Promise<void> {
    const oldest = String(Math.max(0, now - keptMs)).padStart(14, '0');
    await this.#acts.deleteMany({ _id: { $lt: oldest } });
    const [surplus] = await this.#acts.find({}, { _id: 1 }).sort({ _id: -1 }).skip(mostKept).limit(1).lean();
    if (surplus) await this.#acts.deleteMany({ _id: { $lte: surplus._id } });
  }
}

const shortened = (subject: string): string => subject.slice(0, longestSubject).toWellFormed();
