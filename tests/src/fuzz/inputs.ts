/** The inputs of a run, by their numbers: every method, route and topic in turn, each with a generator of its own (input.ts, I1). */
import { Random } from '@driftloop/algorithms';
import { callInput, type Making } from './calls.js';
import type { Input } from './input.js';
import { inboundTopics, type Method } from './methods.js';
import { publicationInput } from './publications.js';
import { fieldNames, requestInput } from './requests.js';

/** What takes a second of a core where it is taken, and what leaves something for ever, comes once in so many of its turns. */
const rarely: readonly (readonly [method: RegExp, turns: number])[] = [
  [/simulate$/i, 50],
  [/BuildTrainingSet$/, 20],
  [/IngestFile$|\/events$/, 8],
  [/(Promote|RollBack|Freeze|Pause|Apply)$|(promote|rollback|freeze|thaw|pause|resume|apply)$/, 4],
];
const turnsOf = (name: string): number => rarely.find(([method]) => method.test(name))?.[1] ?? 1;

/** Doors of a kind have a share of the turns, whatever their number. */
const shares = { calls: 14, routes: 3, topics: 1 };

type Make = (number: number, random: Random) => Input;

export class Inputs {
  private readonly kinds: { share: number; of: { name: string; make: Make }[] }[];
  private readonly whole: number;

  constructor(
    private readonly seed: number,
    methods: readonly Method[],
    routes: readonly string[],
    making: Making,
  ) {
    const fields = fieldNames(methods);
    const calls = methods.map((method) => ({ name: method.path, make: call(method, making) }));
    const http = routes.map((route) => ({ name: route, make: request(route, fields, making) }));
    const topics = inboundTopics().map((topic) => ({
      name: topic.topic,
      make: (number: number, random: Random) => publicationInput(number, topic, making.known, random),
    }));
    this.kinds = [
      { share: shares.calls, of: calls },
      { share: shares.routes, of: http },
      { share: shares.topics, of: topics },
    ];
    this.whole = shares.calls + shares.routes + shares.topics;
  }

  /** How many doors there are. */
  get doors(): number {
    return this.kinds.reduce((sum, { of }) => sum + of.length, 0);
  }

  at(number: number): Input {
    const random = new Random(`${this.seed}/${number}`);
    for (;;) {
      const { name, make } = this.drawn(random);
      if (random.integer(turnsOf(name)) === 0) return make(number, random);
    }
  }

  private drawn(random: Random): { name: string; make: Make } {
    let at = random.integer(this.whole);
    const kind = this.kinds.find(({ share }) => {
      at -= share;
      return at < 0;
    })!;
    return kind.of[random.integer(kind.of.length)];
  }
}

const call =
  (method: Method, making: Making): Make =>
  (number, random) =>
    callInput(number, method, making, random);

const request =
  (route: string, fields: readonly string[], making: Making): Make =>
  (number, random) =>
    requestInput(number, route, fields, making, random);
