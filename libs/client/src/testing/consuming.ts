/** Consumptions of a spec on real brokers, and what they heard. */
import { setTimeout as pass } from 'node:timers/promises';
import { type ConsumedEvent, type Consumption, type ConsumptionOptions, consume, type KafkaServers } from '../kafka.js';
import { type Brokers, brokersOf } from './brokers.js';

export type Scene = Awaited<ReturnType<typeof sceneOn>>;

/** Brokers with a way to consume there; what was begun ends with the scene. */
export async function sceneOn(brokers: readonly string[]) {
  const ground: Brokers = await brokersOf(brokers);
  const begun: Consumption[] = [];
  const start = async (
    options: Omit<ConsumptionOptions, 'servers'>,
    servers: Partial<KafkaServers> = {},
  ): Promise<Consumption> => {
    const reached = { ...ground.servers, ...servers };
    const consumption = await consume({ servers: reached, retryDelayMs: 1, sessionMs: 6000, ...options });
    consumption.ended.catch(() => undefined);
    begun.push(consumption);
    return consumption;
  };
  const stopAll = () => Promise.all(begun.splice(0).map((one) => one.stop()));
  return { ...ground, start, stopAll };
}

/** A scene for the facts around it, given before the first; what each fact began is stopped after it. */
export function openScene(brokers: readonly string[], give: (scene: Scene) => void): void {
  let scene: Scene;
  beforeAll(async () => {
    scene = await sceneOn(brokers);
    give(scene);
  });
  afterEach(() => scene.stopAll());
  afterAll(() => scene.close());
}

/** A handler that collects, and a wait for a number of events. */
export function collector<T = unknown>() {
  const heard: ConsumedEvent<T>[] = [];
  const handle = (event: ConsumedEvent<T>) => void heard.push(event);
  const ids = () => heard.map(({ id }) => id);
  const until = async (count: number) => {
    while (heard.length < count) await pass(10);
    return ids();
  };
  return { heard, handle, until, ids };
}
