/**
 * The bus on Kafka against bare kafkajs at the same acks and batch, in the same run and in turns: publishing, catching up on
 * a backlog; and the time from publish to handler and of `settled` on a quiet bus. Prints JSON; needs KAFKA_BROKERS. Exit code
 * 1 where one of them is below .7 of the bare one.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/kafka.js [events]`
 */
import type { OutgoingEvent } from '@driftloop/bus';
import { KafkaBus } from '@driftloop/bus/kafka';
import { cloudEventHeaders } from '@driftloop/contracts';
import kafkajs from 'kafkajs';
import { holdTo } from './floor.js';

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',').filter(Boolean);
if (brokers.length === 0) throw new Error('KAFKA_BROKERS names no broker');
const count = Number(process.argv[2] ?? 20_000);
const [batch, rounds, partitions] = [500, 5, 2];
const leastRatio = 0.7;
const namespace = `bench-${process.pid}`;
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });

const eventOf = (topic: string, i: number): OutgoingEvent => ({
  ...{ id: `event-${i}`, topic, key: `main/flights-${i % 16}`, time: 1_362_000_000_000 + i, source: 'serving' },
  data: { tenant: 'main', model: 'flights', predictionId: `p-${i}`, score: i / count, features: [1, 2, 3, 4, 5, 6] },
});
const batches = (topic: string) =>
  Array.from({ length: count / batch }, (_, b) =>
    Array.from({ length: batch }, (_, i) => eventOf(topic, b * batch + i)),
  );

async function perSecond(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1000);
}

/** The same records, by a producer that nothing is wrapped around. */
async function barePublishing(producer: kafkajs.Producer, topic: string): Promise<number> {
  const made = batches(topic);
  return perSecond(async () => {
    for (const events of made) {
      const messages = events.map((event) => {
        return { key: event.key, value: JSON.stringify(event.data), headers: cloudEventHeaders(event) };
      });
      await producer.send({ topic: `${namespace}.${topic}`, messages, acks: -1 });
    }
  });
}

async function publishing(bus: KafkaBus, topic: string): Promise<number> {
  const made = batches(topic);
  return perSecond(async () => {
    for (const events of made) await bus.publish(events);
  });
}

/** From the first record to the last: joining a group is not what is measured. */
class Stopwatch {
  private heard = 0;
  private started = 0;
  private readonly done = Promise.withResolvers<number>();
  hear(): void {
    if (this.heard++ === 0) this.started = performance.now();
    if (this.heard === count) this.done.resolve(count / ((performance.now() - this.started) / 1000));
  }
  get rate(): Promise<number> {
    return this.done.promise;
  }
}

/** Each message parsed and handed to an async handler, its offset resolved: what any consumer has to do. */
async function bareCatchingUp(topic: string, round: number): Promise<number> {
  const watch = new Stopwatch();
  const consumer = kafka.consumer({ groupId: `${namespace}-bare-${round}`, maxWaitTimeInMs: 250 });
  await consumer.connect();
  await consumer.subscribe({ topics: [`${namespace}.${topic}`], fromBeginning: true });
  const handle = async (_data: unknown) => watch.hear();
  await consumer.run({
    partitionsConsumedConcurrently: 16,
    eachMessage: async ({ message }) => handle(JSON.parse(message.value!.toString())),
  });
  const rate = await watch.rate;
  await consumer.disconnect();
  return rate;
}

async function catchingUp(bus: KafkaBus, topic: string, round: number): Promise<number> {
  const watch = new Stopwatch();
  const handle = async () => watch.hear();
  const member = await bus.subscribe({ group: `catching-up-${round}`, topics: [topic], handle });
  const rate = await watch.rate;
  await member.close();
  return rate;
}

/** One event at a time on a quiet bus, ms. */
async function latencies(bus: KafkaBus, times: number) {
  await bus.declare('quiet', { partitions: 1, keep: '1d' });
  const heard: number[] = [];
  const settled: number[] = [];
  let [start, told] = [0, Promise.withResolvers<void>()];
  const handle = async () => {
    heard.push(performance.now() - start);
    told.resolve();
  };
  await bus.subscribe({ group: 'quiet', topics: ['quiet'], handle });
  for (let i = 0; i < times; i++) {
    told = Promise.withResolvers();
    start = performance.now();
    await bus.publish([eventOf('quiet', i)]);
    await told.promise;
    const asked = performance.now();
    await bus.settled();
    settled.push(performance.now() - asked);
  }
  const at = (of: number[], share: number) => rounded([...of].sort((a, b) => a - b)[Math.floor(of.length * share)]);
  return { p50: at(heard, 0.5), p99: at(heard, 0.99), settledP50: at(settled, 0.5) };
}

const median = (of: number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)];
const rounded = (x: number) => Math.round(x * 100) / 100;
const compared = (ours: number[], bare: number[]) => {
  const ratio = median(ours.map((rate, i) => rate / bare[i]));
  return { perSecond: Math.round(median(ours)), barePerSecond: Math.round(median(bare)), ratio: rounded(ratio) };
};

const bus = await KafkaBus.open({ servers: { brokers }, name: 'bench', namespace });
const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
await producer.connect();
const [publish, consume] = [
  { ours: [] as number[], bare: [] as number[] },
  { ours: [] as number[], bare: [] as number[] },
];
for (let round = 0; round < rounds; round++) {
  const [ours, bare] = [`ours-${round}`, `bare-${round}`];
  for (const topic of [ours, bare]) await bus.declare(topic, { partitions, keep: '1d' });
  publish.bare.push(await barePublishing(producer, bare));
  publish.ours.push(await publishing(bus, ours));
  consume.bare.push(await bareCatchingUp(bare, round));
  consume.ours.push(await catchingUp(bus, ours, round));
}
const latency = await latencies(bus, 1000);
const [published, consumed] = [compared(publish.ours, publish.bare), compared(consume.ours, consume.bare)];
console.log(
  JSON.stringify({
    events: count,
    batch,
    publish: published,
    consume: consumed,
    latencyMs: latency,
  }),
);
holdTo('publishing against bare kafkajs', published.ratio, leastRatio);
holdTo('consuming against bare kafkajs', consumed.ratio, leastRatio);
await producer.disconnect();
await bus.close();
const admin = kafka.admin();
await admin.connect();
await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`)) });
await admin.disconnect();
