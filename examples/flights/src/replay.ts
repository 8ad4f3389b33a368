/**
 * The replay: plays the outside world of 2013 against a running Driftloop, in event-time order, through public doors only.
 *
 * It declares the model, loads the history in bulk, then goes hour by hour: what became known, what was asked, and then
 * time passes. It decides nothing: retraining, gate, shadow, canary and promotion are the system's own.
 *
 * I1  Time passes to T only when every fact known and every question asked at or before T has been acknowledged.
 * I2  After a crash it goes on from the last hour that it finished; facts and questions repeat with the same ids.
 */
import { readFileSync } from 'node:fs';
import { Control, type FactStream, Predictor, Reporter, subscribe } from '@driftloop/client';
import { type AnswerLine, Diary, type ShadowLine } from './diary.js';
import { type Happening, happenings } from './world.js';

export interface ReplayOptions {
  /** Where the doors are: the gateway's URL, "host:port" of the rest. */
  doors: { gateway: string; serving: string; featureStore: string; labeling: string };
  /** The replay credential. */
  token: string;
  /** Folder of the replay's own memory. */
  diary: string;
  /** Stop at this event time, epoch ms. */
  until?: number;
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** Event time, epoch ms. */
  now: number;
  asked: number;
  /** Questions of the whole replay. */
  questions: number;
}

export interface ReplayResult {
  asked: number;
  /** Wall seconds of this run and those before it, and of this run's phases. */
  seconds: number;
  phases: Record<'facts' | 'questions' | 'ticks', number>;
  firstAnswerSeconds: number;
  frozenVersion: string;
}

const model = 'flights';
const label = 'flights.late15';
const minute = 60_000;
const hour = 60 * minute;
const inFlight = 64;
const sources = ['schedule', 'departed', 'weather'] as const;

/** Plays the year, or on from where it was. Throws CallFailed where a door refuses. */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const player = new Player(options);
  try {
    return await player.play();
  } finally {
    player.close();
  }
}

class Player {
  private readonly control: Control;
  private readonly predictor: Predictor;
  private readonly reporter: Reporter;
  private readonly stream: FactStream;
  private readonly diary: Diary;
  private readonly listening = new AbortController();
  private readonly began = performance.now();
  private readonly phases = { facts: 0, questions: 0, ticks: 0 };
  private readonly world = happenings(model);
  private readonly questions = this.world.filter((h) => h.kind === 'question').length;
  private next = 0;
  private asked = 0;
  private earlierSeconds = 0;
  private heard = 'earliest';
  private shadows: ShadowLine[] = [];

  constructor(private readonly options: ReplayOptions) {
    const { doors, token } = options;
    this.control = new Control(doors.gateway, token);
    this.predictor = new Predictor(doors.serving, token);
    this.reporter = new Reporter(doors, token);
    this.stream = this.reporter.facts();
    this.diary = new Diary(options.diary);
  }

  async play(): Promise<ReplayResult> {
    const position = this.diary.position();
    const firstQuestion = this.world.find((h) => h.kind === 'question')!.at;
    const start = Math.floor(firstQuestion / hour) * hour - hour;
    const spec = readFileSync(new URL('../model.yaml', import.meta.url), 'utf8');
    await this.control.apply(spec, new Date(this.world[0].at - hour));
    await this.control.settled();
    const firstAnswerSeconds = await this.firstAnswer();
    if (position) this.resume(position);
    this.listen();
    let now = position?.played ?? (await this.history(start));
    const end = Math.min(this.options.until ?? Number.POSITIVE_INFINITY, this.world.at(-1)!.at + 60 * hour);
    // The first hour in small steps: the bootstrap's request, training and gate are a tick each.
    while (now < end) now = await this.step(now, now < start + hour ? now + 10 * minute : Math.min(now + hour, end));
    await this.catchUp(now);
    const { rollout } = await this.control.rollout(model);
    return {
      asked: this.diary.answers().size,
      seconds: this.seconds(),
      phases: this.phases,
      firstAnswerSeconds,
      frozenVersion: rollout?.frozen?.version ?? '',
    };
  }

  /** Waits until every logged prediction has been heard, at most ten seconds. */
  private async catchUp(played: number): Promise<void> {
    for (let i = 0; i < 100 && this.diary.shadows().size + this.shadows.length < this.asked; i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    this.diary.write([], this.shadows.splice(0), { played, heard: this.heard, seconds: this.seconds() });
  }

  close(): void {
    this.listening.abort();
    this.stream.close();
    this.predictor.close();
    this.reporter.close();
  }

  private seconds(): number {
    return this.earlierSeconds + (performance.now() - this.began) / 1000;
  }

  /** The first thing that a user would do: ask. */
  private async firstAnswer(): Promise<number> {
    const first = this.world.find((h) => h.kind === 'question')!;
    if (first.kind === 'question') await this.predictor.predict({ ...first.question, version: 'champion' });
    return (performance.now() - this.began) / 1000;
  }

  private resume({ played, heard, seconds }: { played: number; heard: string; seconds: number }): void {
    this.heard = heard;
    this.earlierSeconds = seconds;
    while (this.next < this.world.length && this.world[this.next].at <= played) this.next++;
    this.asked = this.world.slice(0, this.next).filter((h) => h.kind === 'question').length;
  }

  /** The history, in bulk, up to a moment before the first question. */
  private async history(start: number): Promise<number> {
    await this.tell(this.take(start), start);
    await this.pass(start);
    return start;
  }

  private async step(from: number, to: number): Promise<number> {
    const due = this.take(to);
    await this.tell(due, to);
    const answers = await this.ask(due);
    await this.pass(to);
    this.diary.write(answers, this.shadows.splice(0), { played: to, heard: this.heard, seconds: this.seconds() });
    this.options.onProgress?.({ now: to, asked: this.asked, questions: this.questions });
    return Math.max(to, from);
  }

  private take(to: number): Happening[] {
    const from = this.next;
    while (this.next < this.world.length && this.world[this.next].at <= to) this.next++;
    return this.world.slice(from, this.next);
  }

  /** Tells what became known, with each source's promise that there is no more up to `to`. */
  private async tell(due: readonly Happening[], to: number): Promise<void> {
    const began = performance.now();
    const watermark = new Date(to);
    const facts = sources.map((source) => {
      const rows = due.flatMap((h) => (h.kind === source ? [h.fact] : []));
      return batches(rows).map((batch, i, all) =>
        this.stream.send(model, source, batch, i === all.length - 1 ? watermark : undefined).then(refused),
      );
    });
    const outcomes = due.flatMap((h) => (h.kind === 'outcome' ? [h.outcome] : []));
    const told = batches(outcomes).map(
      (batch, i, all) => () =>
        this.reporter.outcomes(label, batch, i === all.length - 1 ? watermark : undefined).then(refused),
    );
    const inOrder = (async () => {
      for (const tell of told) await tell();
    })();
    await Promise.all([...facts.flat(), inOrder]);
    this.phases.facts += (performance.now() - began) / 1000;
  }

  private async ask(due: readonly Happening[]): Promise<AnswerLine[]> {
    const began = performance.now();
    const questions = due.flatMap((h) => (h.kind === 'question' ? [h.question] : []));
    const answers: AnswerLine[] = [];
    let next = 0;
    const asker = async () => {
      while (next < questions.length) {
        const question = questions[next++];
        const { probability, version } = await this.predictor.predict(question, 120_000);
        answers.push({ id: question.entityId, probability, version });
      }
    };
    await Promise.all(Array.from({ length: inFlight }, asker));
    this.asked += questions.length;
    this.phases.questions += (performance.now() - began) / 1000;
    return answers;
  }

  private async pass(to: number): Promise<void> {
    const began = performance.now();
    await this.control.passTime(new Date(to));
    this.phases.ticks += (performance.now() - began) / 1000;
  }

  /** Hears the logged predictions, as a product team would: what every version would have said. */
  private listen(): void {
    const { doors } = this.options;
    const heard = subscribe(doors.gateway, this.control.headers(), {
      topics: ['predictions.made'],
      after: this.heard,
      signal: this.listening.signal,
    });
    void (async () => {
      for await (const { data, position } of heard) {
        const { predictions } = data as { predictions: LoggedPrediction[] };
        for (const { id, version, probability, shadows } of predictions)
          this.shadows.push({
            id,
            scores: Object.fromEntries([[version, probability], ...shadows.map((s) => [s.version, s.probability])]),
          });
        this.heard = position;
      }
    })();
  }
}

interface LoggedPrediction {
  id: string;
  version: string;
  probability: number;
  shadows: { version: string; probability: number }[];
}

/** At least one batch, so that a promise goes out even where nothing happened. */
function batches<T>(rows: readonly T[], size = 1000): T[][] {
  const parts = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size));
  return parts.length ? parts : [[]];
}

/** The world's own data is right: a refused row is a defect. */
function refused(reply: { rejected: { index: number; reason: string }[] }): void {
  const [first] = reply.rejected;
  if (first)
    throw new Error(`${reply.rejected.length} rows were refused, the first: row ${first.index}, ${first.reason}`);
}
