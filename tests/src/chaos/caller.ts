/**
 * Somebody who asks all the time, as a product does: live, through the addresses of all replicas of serving, with the
 * client that everybody has.
 *
 * I1  It names the version `champion`: such a question is answered like any other and logged nowhere, so that the run
 *     comes to the quiet run's ledger whoever asks.
 * I2  A question that fails is one that the client gave up: what it asks again by itself, and is answered, is none.
 * I3  At most `atOnce` questions are open; while they are, none is added.
 */
import { type CallFailed, Predictor, type Question } from '@driftloop/client';
import type { World } from '@driftloop/flights';

/** How it went. */
export interface Asked {
  asked: number;
  failed: number;
  /** The longest that an answer took, wall ms. */
  slowestMs: number;
  /** Why the first one failed. */
  reason?: string;
}

const everyMs = 50;
/** What a caller has time for: less than a replica may stand still. */
const deadlineMs = 12_000;
const atOnce = 64;
const lookMs = 2000;

export class Caller {
  readonly asked: Asked = { asked: 0, failed: 0, slowestMs: 0 };
  private readonly predictor: Predictor;
  private readonly questions: readonly Question[];
  private readonly open = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;

  /** `addresses` as `Predictor` takes them. */
  constructor(addresses: string, world: World) {
    this.predictor = new Predictor(addresses);
    this.questions = world.happenings.flatMap((happening) =>
      happening.kind === 'question' ? [{ ...happening.question, version: 'champion', eventTime: undefined }] : [],
    );
  }

  start(): void {
    this.timer ??= setInterval(() => this.askNext(), everyMs);
  }

  /** Asks nothing more; resolves when what is open has been answered. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.open);
    this.predictor.close();
  }

  /** Whether a replica answers. */
  async isAnswered(address: string): Promise<boolean> {
    const predictor = new Predictor(address);
    return predictor
      .predict(this.questions[0], lookMs)
      .then(
        () => true,
        () => false,
      )
      .finally(() => predictor.close());
  }

  private askNext(): void {
    if (this.open.size >= atOnce) return;
    const question = this.questions[this.asked.asked++ % this.questions.length];
    const asking = this.ask(question).finally(() => this.open.delete(asking));
    this.open.add(asking);
  }

  private async ask(question: Question): Promise<void> {
    const began = performance.now();
    try {
      await this.predictor.predict(question, deadlineMs);
      this.asked.slowestMs = Math.max(this.asked.slowestMs, Math.round(performance.now() - began));
    } catch (error) {
      const { code, message } = error as CallFailed;
      this.asked.failed++;
      this.asked.reason ??= `${code}: ${message}`;
    }
  }
}
