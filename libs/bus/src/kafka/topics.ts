/**
 * Topics in a namespace of the brokers: made with the event map's partitions, retention and compaction.
 *
 * I1  A record's timestamp is when the broker took it: retention runs on wall time, event time is in `ce_time`.
 * I2  A topic once seen is remembered with its partitions, which never change (keys would move).
 */
import { setTimeout as pass } from 'node:timers/promises';
import { dayMs } from '@driftloop/contracts';
import kafkajs from 'kafkajs';
import type { TopicOptions } from '../bus.js';
import { errors } from '../errors.js';
import { isSettling, settleMs, type Wire } from './wire.js';

/** A send packs what a partition gets into one batch. */
const largestBatch = 16 * 1024 * 1024;

export interface TopicSettings {
  /** Before each topic's and group's name, with a dot. */
  readonly namespace: string;
  /** Copies of each partition; −1 is the brokers' own default. */
  readonly replicationFactor: number;
}

export class Topics {
  /** Those that this process has declared: the house's, whatever else is at the brokers. */
  readonly declared = new Set<string>();
  private readonly known = new Map<string, number>();

  constructor(
    private readonly wire: Wire,
    private readonly settings: TopicSettings,
  ) {}

  /** The name of a topic or a group at the brokers. */
  physical(name: string): string {
    return this.settings.namespace ? `${this.settings.namespace}.${name}` : name;
  }

  /** The name in the house of a topic or group at the brokers; undefined where it is of another house. */
  logical(physical: string): string | undefined {
    const prefix = this.physical('');
    return physical.startsWith(prefix) ? physical.slice(prefix.length) : undefined;
  }

  /** Topics that exist, as far as they were asked for. */
  get names(): string[] {
    return [...this.known.keys()];
  }

  /** Makes a topic where there is none, and brings its retention up to date. Throws BUS_TOPIC_CONFLICT. */
  async declare(topic: string, { partitions, keep }: TopicOptions, largest = largestBatch): Promise<void> {
    const config = { ...configOf(keep), 'max.message.bytes': String(largest) };
    const made = await this.wire.admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic: this.physical(topic),
          numPartitions: partitions,
          replicationFactor: this.settings.replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    const found = await this.seen(topic);
    if (found !== partitions) throw errors.BUS_TOPIC_CONFLICT({ topic, expected: partitions, found });
    if (!made) await onceThere(() => this.bringUpToDate(this.physical(topic), config));
    this.declared.add(topic);
  }

  /** How many partitions a topic has. Throws BUS_TOPIC_UNKNOWN. */
  async partitions(topic: string): Promise<number> {
    if (!this.known.has(topic)) await this.look();
    const partitions = this.known.get(topic);
    if (partitions === undefined) throw errors.BUS_TOPIC_UNKNOWN({ topic });
    return partitions;
  }

  /**
   * A topic that was made at this moment, here or by another process, is there, though not every broker says so yet. That
   * is no failure: kafkajs's own wait for leaders takes it for one where several processes make topics at once.
   */
  private async seen(topic: string): Promise<number> {
    const deadline = performance.now() + settleMs;
    while (!this.known.has(topic) && performance.now() < deadline) {
      await onceThere(() => this.look());
      if (!this.known.has(topic)) await pass(50);
    }
    return this.partitions(topic);
  }

  private async look(): Promise<void> {
    const { topics } = await this.wire.admin.fetchTopicMetadata();
    for (const { name, partitions } of topics) {
      const topic = this.logical(name);
      if (topic !== undefined) this.known.set(topic, partitions.length);
    }
  }

  private async bringUpToDate(physical: string, config: Record<string, string>): Promise<void> {
    const described = await this.wire.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: physical, configNames: Object.keys(config) }],
    });
    const entries = described.resources[0]?.configEntries ?? [];
    const current = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    if (Object.entries(config).every(([name, value]) => current.get(name) === value)) return;
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.wire.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: physical, configEntries }],
    });
  }
}

/** Asks again while a broker does not know a topic that was just made. */
async function onceThere(ask: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + settleMs; ; await pass(50)) {
    try {
      return await ask();
    } catch (error) {
      if (!isSettling(error) || performance.now() >= deadline) throw error;
    }
  }
}

function configOf(keep: TopicOptions['keep']): Record<string, string> {
  const common = { 'message.timestamp.type': 'LogAppendTime' };
  if (keep === 'compact') return { ...common, 'cleanup.policy': 'compact' };
  return { ...common, 'cleanup.policy': 'delete', 'retention.ms': String(Math.round(Number.parseFloat(keep) * dayMs)) };
}
