/**
 * Whoever else there is while the system is fuzzed: somebody who asks the same questions all the time, and somebody who looks whether it is
 * well.
 *
 * I1  Answers are compared with those of a quiet run bit by bit. The questions are dated and name the champion: what they are
 *     answered with hangs on nothing that anybody else may change.
 * I2  A look that is not answered within `patienceMs` is a fault; how long the others took is a figure. Machines are noisy, and
 *     500 ms are missed on a busy one with nothing wrong; what stalls an event loop for seconds, nothing of ours does.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { Control } from '@driftloop/client';
import { GetRolloutReply, Ledger, ListVersionsReply, ReadOnlineRequest } from '@driftloop/contracts';
import { Connections } from './connections.js';
import type { Call } from './input.js';
import { asked, inferRequest } from './real.js';
import type { Described } from './system.js';
import { framed } from './wire.js';
import { bystander } from './world.js';

export const patienceMs = 5000;
const lookEveryMs = 250;
const askEveryMs = 50;
const questionCount = 40;

export interface Watched {
  /** Looks at health, and how long the slowest and the one of a hundred took, ms. */
  looks: number;
  slowestMs: number;
  p99Ms: number;
  /** Those above 500 ms. */
  above500: number;
  /** Questions of bystanders. */
  asked: number;
}

interface Question {
  readonly name: string;
  ask(): Promise<string>;
}

export class Bystanders {
  private readonly calls: Connections;
  private readonly questions: readonly Question[];
  private readonly quiet = new Map<string, string>();
  private readonly took: number[] = [];
  private askedCount = 0;
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly described: Described,
    private readonly fault: (what: string, more?: string) => void,
  ) {
    this.calls = new Connections(Object.fromEntries(described.doors.map(({ name, address }) => [name, address])));
    this.questions = this.allQuestions();
  }

  /** Asks everything once in quiet: what the answers are from then on. */
  async learn(): Promise<void> {
    for (const { name, ask } of this.questions) this.quiet.set(name, await ask());
    const failed = [...this.quiet].find(([, answer]) => /^[A-Z_]+: |^failed/.test(answer));
    if (failed) throw new Error(`in quiet, ${failed.join(' is answered with ')}`);
  }

  /** What they were answered with in quiet, for another system on the same home. */
  get answers(): ReadonlyMap<string, string> {
    return this.quiet;
  }

  /** Asks everything once and compares with what they were answered with in quiet. */
  async ask(quiet: ReadonlyMap<string, string> = this.quiet): Promise<void> {
    for (const question of this.questions) await this.askOne(question, quiet);
  }

  start(): void {
    const looks = this.described.doors.flatMap(({ name, health, address }) => [
      { name: `${name}'s /livez`, look: () => livez(health) },
      ...(address ? [{ name: `${name}'s gRPC health`, look: () => this.health(name) }] : []),
    ]);
    this.running = Promise.all([...looks.map((one) => this.keepLooking(one)), this.keepAsking()]);
  }

  async stop(): Promise<Watched> {
    this.stopped = true;
    await this.running;
    this.calls.close();
    const sorted = [...this.took].sort((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    const above500 = sorted.filter((ms) => ms > 500).length;
    return { looks: sorted.length, slowestMs: at(1), p99Ms: at(0.99), above500, asked: this.askedCount };
  }

  private async keepLooking({ name, look }: { name: string; look: () => Promise<string> }): Promise<void> {
    while (!this.stopped) {
      const began = performance.now();
      const well = await Promise.race([look(), pass(patienceMs, 'late' as const)]);
      if (this.stopped) return;
      this.took.push(performance.now() - began);
      if (well === 'late') this.fault(`${name} does not answer within ${patienceMs / 1000} s`);
      else if (well !== 'well') this.fault(`${name} does not say that it is well`, well);
      await pass(lookEveryMs);
    }
  }

  private async keepAsking(): Promise<void> {
    for (let i = 0; !this.stopped; i++) {
      await this.askOne(this.questions[i % this.questions.length], this.quiet);
      await pass(askEveryMs);
    }
  }

  private async askOne({ name, ask }: Question, quiet: ReadonlyMap<string, string>): Promise<void> {
    const answer = await ask().catch((error: Error) => `failed: ${error.message}`);
    this.askedCount++;
    if (!this.stopped && answer !== quiet.get(name))
      this.fault(`a bystander's answer is another one: ${name}`, `${answer} in place of ${quiet.get(name)}`);
  }

  private async health(service: string): Promise<string> {
    const { status, body, text } = await this.call(service, '/grpc.health.v1.Health/Check', new Uint8Array());
    const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
    return status === 'OK' && body.equals(serving) ? 'well' : `${status}, ${body.toString('hex')}: ${text}`;
  }

  private call(service: string, path: string, message: Uint8Array) {
    const headers = { ':path': path, authorization: `Bearer ${this.described.replayToken}`, 'grpc-timeout': '60S' };
    const call: Call = { door: 'grpc', service, headers, pieces: [framed(message)], end: 'ended' };
    return this.calls.send(call);
  }

  private allQuestions(): Question[] {
    const control = new Control(this.described.url, this.described.replayToken);
    const json = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
    const questions = asked().slice(0, questionCount);
    const rpc = (name: string, service: string, path: string, message: Uint8Array): Question => ({
      name,
      ask: async () => {
        const { status, body, text } = await this.call(service, path, message);
        return status === 'OK' ? body.toString('base64') : `${status}: ${text.slice(0, 200)}`;
      },
    });
    return [
      ...questions.map((question) => {
        const message = inferRequest(question, bystander, 'champion');
        return rpc(
          `ModelInfer of ${question.entityId}`,
          'serving',
          '/inference.GRPCInferenceService/ModelInfer',
          message,
        );
      }),
      ...questions.map(({ entityId, eventTime }) => {
        const request = { model: bystander, deadlineMs: 30_000, questions: [{ entityId, eventTime }] };
        const message = ReadOnlineRequest.encode(ReadOnlineRequest.fromPartial(request as never)).finish();
        return rpc(`ReadOnline of ${entityId}`, 'feature-store', '/driftloop.v1.FeatureStore/ReadOnline', message);
      }),
      { name: 'ledger', ask: async () => json(Ledger.toJSON(await control.ledger(bystander))) },
      { name: 'rollout', ask: async () => json(GetRolloutReply.toJSON(await control.rollout(bystander))) },
      {
        name: 'versions',
        ask: async () => json(ListVersionsReply.toJSON({ versions: await control.versions(bystander) })),
      },
    ];
  }
}

const livez = (url: string): Promise<string> =>
  fetch(`${url}/livez`).then(
    async (reply) => {
      const text = await reply.text();
      return reply.ok ? 'well' : text;
    },
    (error: Error) => String(error.cause ?? error),
  );
