/**
 * The replay: plays an outside world against a running Driftloop, in event-time order, through public doors only.
 *
 * It declares the model, loads the history in bulk, then goes step by step: what became known, what was asked, and then
 * time passes. It decides nothing: retraining, gate, shadow, canary and promotion are the system's own.
 *
 * I1  Time passes to T only when every fact known and every question asked at or before T has been acknowledged.
 * I2  After a crash it goes on from the last step that it finished; facts and questions repeat with the same ids.
 * I3  With patience a door that is away is tried again: what it had not acknowledged is told and asked again, same ids.
 */
import { type CallFailed, Control, durationMs, Predictor, type Question, Reporter } from '@driftloop/client';
import { type AnswerLine, Diary, type Position } from './diary.js';
import { Hearing } from './hearing.js';
import { replayPoints } from './points.js';
import { Telling } from './telling.js';
import type { Happening, World } from './world.js';

export interface ReplayOptions {
  /** Where the doors are: the gateway's URL, "host:port" of the rest. */
  doors: { gateway: string; serving: string; featureStore: string; labeling: string };
  /** The replay credential. */
  token: string;
  /** Folder of the replay's own memory. */
  diary: string;
  /** Stop at this event time, epoch ms. */
  until?: number;
  /** Asked after each step with the event time that it came to: stop here? */
  stopWhen?: ((now: number) => Promise<boolean>) | undefined;
  onProgress?: (progress: Progress) => void;
  /** The order in which what becomes known in a step is told, and asked; the world's own where it is left out. */
  arrival?: ((due: readonly Happening[]) => Happening[]) | undefined;
  /** Questions asked at once; 64 where it is left out. */
  inFlight?: number | undefined;
  /** Wall ms for which a door that is away is tried again; none where it is left out. */
  patienceMs?: number | undefined;
  /** Rows told at once; 1,000 where it is left out. */
  batchSize?: number | undefined;
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

const minute = 60_000;
const hour = 60 * minute;
/** Wall time that a question may take: a replay waits for the feature store's watermarks rather than impute. */
const patienceMs = 120_000;

/** Plays a world, or on from where it was. Throws CallFailed where a door refuses, an Error where the world's step is too long. */
export async function replay(world: World, options: ReplayOptions): Promise<ReplayResult> {
  const player = new Player(world, options);
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
  private readonly telling: Telling;
  private readonly diary: Diary;
  private hearing: Hearing | undefined;
  private readonly began = performance.now();
  private readonly phases = { facts: 0, questions: 0, ticks: 0 };
  private readonly first: Question;
  private readonly questions: number;
  private next = 0;
  private asked = 0;
  private earlierSeconds = 0;

  constructor(
    private readonly world: World,
    private readonly options: ReplayOptions,
  ) {
    const { doors, token } = options;
    this.control = new Control(doors.gateway, token);
    this.predictor = new Predictor(doors.serving, token);
    this.reporter = new Reporter(doors, token);
    this.telling = new Telling(world, this.reporter, options.batchSize);
    this.diary = new Diary(options.diary);
    const first = world.happenings.find((h) => h.kind === 'question');
    if (first?.kind !== 'question') throw new Error(`in the world of ${world.model} nothing is asked`);
    this.first = first.question;
    this.questions = world.happenings.reduce((n, h) => n + Number(h.kind === 'question'), 0);
  }

  async play(): Promise<ReplayResult> {
    const { happenings, model, spec, step = hour } = this.world;
    const position = this.diary.position();
    const start = Math.floor(this.first.eventTime!.getTime() / hour) * hour - hour;
    await this.patiently(() => this.control.apply(spec, new Date(happenings[0].at - hour)));
    await this.patiently(() => this.control.settled());
    await this.checkStep(step);
    const firstAnswerSeconds = await this.firstAnswer();
    if (position) this.resume(position);
    const { doors } = this.options;
    this.hearing = new Hearing(doors.gateway, this.control.headers(), model, position?.heard ?? 'earliest');
    let now = position?.played ?? (await this.history(start));
    const end = Math.min(this.options.until ?? Number.POSITIVE_INFINITY, happenings.at(-1)!.at + 60 * hour);
    // The first hour in small steps: the bootstrap's request, training and gate are a tick each.
    while (now < end) {
      now = await this.step(now < start + hour ? now + 10 * minute : Math.min(now + step, end));
      if (await this.options.stopWhen?.(now)) break;
    }
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

  /** World.step */
  private async checkStep(step: number): Promise<void> {
    const { model } = this.world;
    const declared = (await this.patiently(() => this.control.models())).find((one) => one.model === model);
    const { silence } = JSON.parse(declared!.specJson).spec.monitoring;
    if (step > durationMs(silence))
      throw new Error(
        `the world of ${model} passes ${step / hour} h at once and its spec's monitoring.silence is ${silence}: make its step shorter, or the silence longer`,
      );
  }

  close(): void {
    this.hearing?.close();
    this.telling.close();
    this.predictor.close();
    this.reporter.close();
  }

  private seconds(): number {
    return this.earlierSeconds + (performance.now() - this.began) / 1000;
  }

  /** The first thing that a user would do: ask. */
  private async firstAnswer(): Promise<number> {
    await this.predictor.predict({ ...this.first, version: 'champion' });
    return (performance.now() - this.began) / 1000;
  }

  private resume({ played, seconds }: Position): void {
    this.earlierSeconds = seconds;
    this.asked = this.take(played).filter((h) => h.kind === 'question').length;
  }

  /** The history, in bulk, up to a moment before the first question. */
  private async history(start: number): Promise<number> {
    const due = this.take(start);
    await this.timed(
      'facts',
      this.patiently(() => this.telling.tell(due, start)),
    );
    await this.timed(
      'ticks',
      this.patiently(() => this.control.passTime(new Date(start))),
    );
    // Time does not go back: who comes after a crash in the first step must not begin with the history again.
    this.write([], start);
    return start;
  }

  private async step(to: number): Promise<number> {
    const due = this.take(to);
    await this.timed(
      'facts',
      this.patiently(() => this.telling.tell(due, to)),
    );
    replayPoints.told.publish(undefined);
    const answers = await this.timed('questions', this.ask(questionsIn(due)));
    replayPoints.asked.publish(undefined);
    await this.timed(
      'ticks',
      this.patiently(() => this.control.passTime(new Date(to))),
    );
    replayPoints.beforeDiary.publish(undefined);
    this.write(answers, to);
    replayPoints.afterDiary.publish(undefined);
    this.options.onProgress?.({ now: to, asked: this.asked, questions: this.questions });
    return to;
  }

  private take(to: number): Happening[] {
    const { happenings } = this.world;
    const from = this.next;
    while (this.next < happenings.length && happenings[this.next].at <= to) this.next++;
    const due = happenings.slice(from, this.next);
    return this.options.arrival?.(due) ?? due;
  }

  private async ask(questions: readonly Question[]): Promise<AnswerLine[]> {
    const answers: AnswerLine[] = [];
    let next = 0;
    const asker = async () => {
      while (next < questions.length) {
        const question = questions[next++];
        const { probability, version } = await this.patiently(() => this.predictor.predict(question, patienceMs));
        answers.push({ id: question.entityId, probability, version });
      }
    };
    await Promise.all(Array.from({ length: this.options.inFlight ?? 64 }, asker));
    this.asked += questions.length;
    return answers;
  }

  private write(answers: readonly AnswerLine[], played: number): void {
    const heard = this.hearing!.take();
    this.diary.write(answers, heard, { played, heard: this.hearing!.position, seconds: this.seconds() });
  }

  /** Waits until every logged prediction has been heard, at most ten seconds. */
  private async catchUp(played: number): Promise<void> {
    const written = this.diary.shadows();
    const known = () => written.size + this.hearing!.waitingBeside(written);
    for (let i = 0; i < 100 && known() < this.asked; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    this.write([], played);
  }

  /** I3 */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + (this.options.patienceMs ?? 0);
    for (let waitMs = 100; ; waitMs = Math.min(2000, waitMs * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!(error as CallFailed).retriable || performance.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  private async timed<T>(phase: keyof ReplayResult['phases'], work: Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await work;
    this.phases[phase] += (performance.now() - began) / 1000;
    return result;
  }
}

const questionsIn = (happenings: readonly Happening[]): Question[] =>
  happenings.flatMap((h) => (h.kind === 'question' ? [h.question] : []));
