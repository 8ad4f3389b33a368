/**
 * Dead letters after a run: each record that is no event lies with every group that heard its topic; given back it is
 * refused and lies there again; and a good event that came too early is taken when it is given back.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { Control, Operations } from '@driftloop/client';
import { KafkaReporter } from '@driftloop/client/kafka';
import { type DescribeReply, events, services } from '@driftloop/contracts';
import type { ProcessHouse } from '@driftloop/embedded';
import type { World } from '@driftloop/flights';
import type { Topics } from './topics.js';

/** What is wrong; undefined where nothing is. */
type Against = string | undefined;

export interface LettersGround {
  readonly house: ProcessHouse;
  readonly topics: Topics;
  readonly world: World;
  readonly brokers: readonly string[];
  readonly namespace: string;
  readonly poisoned: readonly string[];
}

const most = 1000;
const attempts = 60;
/** As the record was heard; as it is given back, when it is a letter whose text is read. */
const codes = { heard: 'CLOUD_EVENT_INVALID', givenBack: 'PAYLOAD_INVALID' };
const early = { group: 'feature-store.when-entities-observed', code: 'REPORT_OF_UNKNOWN_MODEL' };

export class Letters {
  private readonly control: Control;
  private readonly operations: Operations;

  constructor(private readonly ground: LettersGround) {
    this.control = new Control(ground.house.url, ground.house.replayToken);
    this.operations = new Operations(this.control);
  }

  /** Whether each group holds the poison that it heard, once, and nothing else. */
  async lie(): Promise<Against> {
    return this.areAll(codes.heard);
  }

  /** Gives everything back: it is refused again, by a handler this time, and lies there as before. */
  async areRefusedAgain(): Promise<Against> {
    for (const { name, dead } of await this.groups()) {
      const replayed = dead ? await this.operations.replay(name) : 0;
      if (replayed !== dead) return `of ${dead} dead letters of ${name} ${replayed} were given back`;
    }
    await this.control.settled();
    return this.areAll(codes.givenBack);
  }

  /** Reports rows of a model that is not there yet, declares it, and gives the letter back. */
  async areTakenWhenMended(): Promise<Against> {
    const { world } = this.ground;
    const fact = world.happenings.find(({ kind }) => kind === 'fact');
    const at = new Date(world.happenings.at(-1)!.at);
    if (fact?.kind !== 'fact') return `in the world of ${world.model} there is no fact`;
    const model = `${world.model}-later`;
    const id = await this.report(model, fact.source, { ...fact.fact, knownAt: at }, at);
    if ((await this.letter(id))?.errorCode !== early.code) return `rows of ${model} are no dead letter ${early.code}`;
    await this.control.apply(world.spec.replace(/(metadata:\s*\{?\s*name:\s*)[\w-]+/, `$1${model}`), at);
    await this.control.settled();
    await this.operations.replay(early.group, [id]);
    await this.control.settled();
    const left = await this.letter(id);
    if (left) return `given back it is a dead letter again: ${left.errorCode} ${left.error}`;
    await this.ground.topics.caughtUp();
    const told = this.ground.topics.published(events.featuresIngested.topic).map(({ value }) => String(value));
    return told.some((text) => JSON.parse(text).model === model) ? undefined : `${model} has taken nothing in`;
  }

  private async report(model: string, source: string, fact: Parameters<KafkaReporter['facts']>[2][0], at: Date) {
    const { brokers, namespace } = this.ground;
    const reporter = await KafkaReporter.open({ brokers, namespace });
    try {
      const [id] = await reporter.facts(model, source, [fact], { watermark: at });
      await this.control.settled();
      return id;
    } finally {
      await reporter.close();
    }
  }

  private async letter(id: string) {
    const { letters } = await this.operations.dead({ group: early.group, limit: most });
    return letters.find(({ eventId }) => eventId === id);
  }

  /** Of every service: one that has not answered in time is asked again, since what it holds would not be looked at. */
  private async groups() {
    const known = new Map<string, DescribeReply['groups']>();
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (const { service, groups } of await this.operations.services()) if (groups.length) known.set(service, groups);
      if (services.every((service) => known.has(service))) return [...known.values()].flat();
      await pass(1000);
    }
    throw new Error(`${services.filter((service) => !known.has(service))} did not say which groups they have`);
  }

  private async areAll(code: string): Promise<Against> {
    for (const { name, topics } of await this.groups()) {
      const { letters } = await this.operations.dead({ group: name, limit: most });
      const found = letters.map(({ topic, errorCode }) => `${topic} ${errorCode}`).sort();
      const poisoned = this.ground.poisoned.filter((topic) => topics.includes(topic));
      const expected = poisoned.map((topic) => `${topic} ${code}`).sort();
      if (String(found) !== String(expected)) return `${name} holds [${found}], not [${expected}]`;
    }
    return undefined;
  }
}
