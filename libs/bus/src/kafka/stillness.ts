/**
 * When the bus is settled, across all processes of a house: whoever wants to know asks them all, twice.
 *
 * Every process reads the house's topic `driftloop.stillness` and answers what is asked there: who holds the bus, how far
 * its members have committed, and how much it has done so far.
 *
 * I1  Settled is: in two rounds on end whoever asks and every process with a member in a group has answered, nobody held the bus, every
 *     partition of every group was with a ready member and committed to its end, and between the rounds no process has
 *     done anything and no topic has grown. Then there was a moment between them at which all of that held at once
 *     (a double collect: Mattern, Algorithms for distributed termination detection, 1987, section 4).
 * I2  A group that must have a member and has none, as its process is away or starting, is not settled.
 * I3  A process that has died is waited for until its members' sessions end: what it had in hand is somebody's by then.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import type { Publisher } from './publisher.js';
import type { Topics } from './topics.js';
import type { Offsets, Wire } from './wire.js';

export const stillnessTopic = 'driftloop.stillness';

/** What a process says of itself. */
export interface Answer {
  readonly process: string;
  /** Why it holds the bus. */
  readonly holds: readonly string[];
  /** Holds, publishes and handler calls begun so far. */
  readonly activity: number;
  readonly members: readonly MemberState[];
}

export interface MemberState {
  readonly group: string;
  readonly topics: readonly string[];
  readonly ready: boolean;
  readonly places: readonly { readonly topic: string; readonly partition: number; readonly next: number }[];
}

type Spoken = { readonly ask: string } | { readonly ask: string; readonly answer: Answer };

/** What a round found: `unsettled` says what is waited for. */
interface Round {
  readonly unsettled: readonly string[];
  /** Equal in two rounds when nothing has happened between them. */
  readonly fingerprint: string;
}

const answerMs = 1500;
const tailWaitMs = 500;
const fetchBytes = 4 * 1024 * 1024;
const longestPauseMs = 100;

export interface StillnessParts {
  /** For the tail alone: its fetches wait for something to come. */
  readonly tail: Wire;
  readonly wire: Wire;
  readonly topics: Topics;
  readonly publisher: Publisher;
  /** Names this process; begins with `clients`, as the client ids of all processes of the house do. */
  readonly process: string;
  readonly clients: string;
  /** Commits what is handled, and describes this process. */
  readonly describe: () => Promise<Answer>;
}

export class Stillness {
  /** What the last round waited for. */
  awaited: readonly string[] = [];
  private readonly answers = new Map<string, Map<string, Answer>>();
  private wake: (() => void) | undefined;
  private closed = false;
  private tailing: Promise<void> | undefined;

  private constructor(private readonly parts: StillnessParts) {}

  static async open(parts: StillnessParts): Promise<Stillness> {
    await parts.topics.declare(stillnessTopic, { partitions: 1, keep: '0.05d' });
    const stillness = new Stillness(parts);
    const physical = parts.topics.physical(stillnessTopic);
    const [end] = (await parts.wire.ends([physical])).get(physical)!;
    stillness.tailing = stillness.follow(physical, end);
    return stillness;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake?.();
    await this.tailing;
  }

  /** Resolves when the house is settled (I1); resolves too when this is closed first. */
  async settled(attended: readonly string[] = []): Promise<void> {
    let last: Round | undefined;
    for (let pauseMs = 2; !this.closed; ) {
      const round = await this.round(attended).catch((error: Error) => ({
        unsettled: [error.message],
        fingerprint: '',
      }));
      this.awaited = round.unsettled;
      const still = round.unsettled.length === 0;
      if (still && last?.fingerprint === round.fingerprint) return;
      last = still ? round : undefined;
      if (still) continue;
      await pass(pauseMs, undefined, { ref: false });
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  private async round(attended: readonly string[]): Promise<Round> {
    const ask = randomUUID();
    const answers = new Map<string, Answer>();
    this.answers.set(ask, answers);
    try {
      const [processes] = await Promise.all([this.processes(), this.say({ ask })]);
      const deadline = performance.now() + answerMs;
      const missing = () => [...processes].filter((process) => !answers.has(process));
      while (missing().length > 0 && performance.now() < deadline && !this.closed) await this.nextAnswer();
      const heard = [...answers.values()].flatMap(({ members }) => members.flatMap(({ topics }) => topics));
      const topics = [...new Set(heard)].sort();
      const ends = await this.parts.wire.ends(topics.map((topic) => this.parts.topics.physical(topic)));
      const away = attended.filter((beginning) => !isHeard(beginning, answers));
      const waited = [
        ...missing().map((process) => `${process} has not answered`),
        ...away.map((a) => `nobody hears as ${a}`),
      ];
      return roundOf(answers, waited, (topic) => ends.get(this.parts.topics.physical(topic)) ?? [], ends);
    } finally {
      this.answers.delete(ask);
    }
  }

  /** This process, and those of this house that have a member in a group. */
  private async processes(): Promise<Set<string>> {
    const { wire, topics, clients, process } = this.parts;
    const { groups } = await wire.admin.listGroups();
    const own = groups.filter(({ groupId }) => topics.logical(groupId) !== undefined).map(({ groupId }) => groupId);
    if (own.length === 0) return new Set([process]);
    const described = await wire.admin.describeGroups(own);
    const names = described.groups.flatMap(({ members }) => members.map(({ clientId }) => clientId));
    return new Set([process, ...names.filter((name) => name.startsWith(clients))]);
  }

  private async say(spoken: Spoken): Promise<void> {
    const { topics, publisher } = this.parts;
    const value = JSON.stringify(spoken);
    await publisher.publish([{ topic: topics.physical(stillnessTopic), message: { value }, bytes: value.length }]);
  }

  private async follow(physical: string, end: number): Promise<void> {
    let at = end;
    while (!this.closed) {
      try {
        for (const { value, offset } of await this.parts.tail.fetch(physical, 0, at, fetchBytes, tailWaitMs)) {
          at = Number(offset) + 1;
          await this.hear(JSON.parse(value!.toString()) as Spoken);
        }
      } catch {
        await pass(longestPauseMs, undefined, { ref: false });
        const [found] = await this.parts.tail.ends([physical]).then(
          (ends) => ends.get(physical)!,
          () => [at],
        );
        at = Math.max(at, found);
      }
    }
  }

  private async hear(spoken: Spoken): Promise<void> {
    if ('answer' in spoken) {
      this.answers.get(spoken.ask)?.set(spoken.answer.process, spoken.answer);
      this.wake?.();
    } else {
      void this.parts
        .describe()
        .then((answer) => this.say({ ask: spoken.ask, answer }))
        .catch(() => undefined);
    }
  }

  /** Resolves with the next answer to anything, or after a while. */
  private async nextAnswer(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestPauseMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function roundOf(
  answers: ReadonlyMap<string, Answer>,
  waited: readonly string[],
  endsOf: (topic: string) => readonly number[],
  ends: Offsets,
): Round {
  const all = [...answers.values()];
  const members = all.flatMap((answer) => answer.members);
  const unsettled = [
    ...waited,
    ...all.flatMap(({ holds }) => holds),
    ...[...Map.groupBy(members, ({ group }) => group)].flatMap(([group, of]) => behind(group, of, endsOf)),
  ];
  const done = all.map(({ process, activity }) => [process, activity] as const).sort();
  return { unsettled, fingerprint: JSON.stringify([done, [...ends]]) };
}

/** Whether a group whose name begins so has a member that answered. */
function isHeard(beginning: string, answers: ReadonlyMap<string, Answer>): boolean {
  return [...answers.values()].some(({ members }) => members.some(({ group }) => group.startsWith(beginning)));
}

/** What a group has still to hear, in words. */
function behind(
  group: string,
  members: readonly MemberState[],
  endsOf: (topic: string) => readonly number[],
): string[] {
  if (members.some(({ ready }) => !ready)) return [`${group} shares its partitions out`];
  const places = new Map(members.flatMap((m) => m.places.map((p) => [`${p.topic}/${p.partition}`, p.next] as const)));
  return [...new Set(members.flatMap(({ topics }) => topics))].flatMap((topic) =>
    endsOf(topic).flatMap((end, partition) => {
      const next = places.get(`${topic}/${partition}`);
      if (next === undefined) return [`${group} has nobody at ${topic}/${partition}`];
      return next < end ? [`${group} ${topic}/${partition}: ${end - next} behind`] : [];
    }),
  );
}
