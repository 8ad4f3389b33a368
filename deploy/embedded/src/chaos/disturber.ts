/**
 * What production does to a house, drawn by a seed: processes killed and started again, records that are no events in every
 * topic, servers restarted and away.
 *
 * I1  The kinds, their order and the parts of the run at which they fall are the seed's; the moment is the machine's, as in
 *     production. They are spread over the whole run: trainings, trials and promotions get their share.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pass } from 'node:timers/promises';
import { Random } from '@driftloop/algorithms';
import { events } from '@driftloop/contracts';
import kafkajs from 'kafkajs';
import type { ProcessHouse } from '../processes.js';

export interface Plan {
  readonly seed: number;
  /** How often each process is killed. */
  readonly kills: number;
  /** A folder with `up NAME` and `down NAME` for kafka, mongo, minio; none is touched where it is left out. */
  readonly servers?: string;
  readonly brokers: readonly string[];
  readonly namespace: string;
}

export interface Done {
  kills: number;
  restarts: string[];
  /** Topics that got a record that is no event. */
  poisoned: string[];
}

type Act = () => Promise<void>;

export class Disturber {
  readonly done: Done = { kills: 0, restarts: [], poisoned: [] };
  private stopped = false;
  private running: Promise<void> | undefined;
  private readonly random: Random;
  private share = 0;
  private readonly due: { readonly act: Act; readonly at: number }[];

  constructor(
    private readonly house: ProcessHouse,
    private readonly plan: Plan,
    private readonly tell: (line: string) => void,
  ) {
    this.random = new Random(plan.seed);
    this.due = this.acts();
  }

  /** So much of the run is over, of 1: what is due is done, one thing after another. */
  reached(share: number): void {
    this.share = share;
    this.running ??= this.disturb().finally(() => {
      this.running = undefined;
    });
  }

  /** Ends after the disturbance that is under way; everything runs again when it resolves. */
  async calm(): Promise<void> {
    this.stopped = true;
    await this.running;
    for (const process of this.house.processes) if (!process.running) process.start();
  }

  private acts(): { readonly act: Act; readonly at: number }[] {
    const kills = this.house.processes.flatMap((process) =>
      Array.from({ length: this.plan.kills }, () => () => this.kill(process)),
    );
    const poison = Object.values(events).map(
      ({ topic }) =>
        () =>
          this.poison(topic),
    );
    const servers = this.plan.servers ? ['kafka', 'mongo', 'minio'] : [];
    const restarts = servers.flatMap((name) => [0, 1].map((away) => () => this.restart(name, away * 20_000)));
    const acts = [...kills, ...restarts, () => this.each(poison)];
    return acts.map((act) => ({ act, at: this.random.uniform() * 0.95 })).sort((a, b) => a.at - b.at);
  }

  private async disturb(): Promise<void> {
    while (!this.stopped && this.due.length > 0 && this.due[0].at <= this.share)
      await this.due
        .shift()!
        .act()
        .catch((error: Error) => this.tell(`a disturbance failed: ${error.message}`));
  }

  private async kill(process: ProcessHouse['processes'][number]): Promise<void> {
    const awayMs = Math.round(this.random.uniform() * 4000);
    this.tell(`kill -9 ${process.part}-${process.replica}, back in ${awayMs} ms`);
    await process.kill();
    this.done.kills++;
    await pass(awayMs);
    process.start();
  }

  private async poison(topic: string): Promise<void> {
    const { brokers, namespace } = this.plan;
    const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const physical = namespace ? `${namespace}.${topic}` : topic;
    await producer
      .send({ topic: physical, messages: [{ key: 'nobody', value: 'this is no event' }] })
      .finally(() => producer.disconnect());
    this.done.poisoned.push(topic);
  }

  private async each(acts: readonly Act[]): Promise<void> {
    for (const act of acts) await act();
    this.tell(`a record that is no event in each of ${this.done.poisoned.length} topics`);
  }

  private async restart(name: string, awayMs: number): Promise<void> {
    this.tell(`${name} restarts${awayMs ? ` and is away for ${awayMs / 1000} s` : ''}`);
    await this.command('down', name);
    await pass(awayMs);
    await this.command('up', name);
    this.done.restarts.push(name);
  }

  private command(which: 'up' | 'down', name: string): Promise<void> {
    const child = spawn(`${this.plan.servers}/${which}`, [name], { stdio: 'ignore' });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${which} ${name} ended with ${code}`))));
    });
  }
}
