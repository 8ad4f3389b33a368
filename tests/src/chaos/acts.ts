/**
 * What can be done to a house: a process killed and started again, or stopped for a while; events delivered again and out
 * of order; records that are no events in every topic; a server restarted, or away.
 *
 * I1  No replica of serving is touched before another one answers.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pass } from 'node:timers/promises';
import { Random } from '@driftloop/algorithms';
import type { Process, ProcessHouse } from '@driftloop/embedded';
import type { Caller } from './caller.js';
import type { Topics } from './topics.js';

/** What was done. */
export interface Done {
  kills: number;
  stops: number;
  /** Of the stops, those that outlast a session. */
  outlasting: number;
  restarts: string[];
  /** Topics that got a record that is no event. */
  poisoned: string[];
  repeated: number;
  /** What was planned and could not be done. */
  undone: string[];
}

/** What the acts reach. */
export interface Reach {
  readonly house: ProcessHouse;
  readonly topics: Topics;
  readonly caller: Caller;
  /** A folder with `up NAME` and `down NAME` for kafka, mongo, minio. */
  readonly servers: string | undefined;
  readonly tell: (line: string) => void;
}

/** A member is thrown out of its group after 10 s, and a leader is deposed after 15 s. */
const stopMs = { short: 3000, outlasting: 18_000 };
const longestDeathMs = 4000;
const repeatedShare = 1 / 3;

export class Acts {
  readonly done: Done = { kills: 0, stops: 0, outlasting: 0, restarts: [], poisoned: [], repeated: 0, undone: [] };
  /** Of its own: how many events there are to draw from is the machine's. */
  private readonly repeating: Random;

  constructor(
    private readonly reach: Reach,
    private readonly random: Random,
    seed: number,
  ) {
    this.repeating = new Random(`${seed}/repeats`);
  }

  async kill(process: Process): Promise<void> {
    const awayMs = Math.round(this.random.uniform() * longestDeathMs);
    await this.othersAnswer(process);
    this.reach.tell(`kill -9 ${nameOf(process)}, back in ${awayMs} ms`);
    await process.kill();
    this.done.kills++;
    await pass(awayMs);
    process.start();
  }

  /** A slow consumer; one that is thrown out of its group goes on with what it had in hand when it is let go. */
  async stop(one: Process, outlasts: boolean): Promise<void> {
    const ms = outlasts ? stopMs.outlasting : stopMs.short;
    await this.othersAnswer(one);
    this.reach.tell(`${nameOf(one)} stands still for ${ms / 1000} s`);
    const resume = () => one.resume();
    // Whoever ends this run in between must not leave somebody behind who cannot even hear of it.
    process.once('exit', resume);
    one.suspend();
    await pass(ms).finally(resume);
    process.off('exit', resume);
    this.done.stops++;
    this.done.outlasting += Number(outlasts);
  }

  async repeat(): Promise<void> {
    const repeated = await this.reach.topics.repeat(repeatedShare, this.repeating);
    this.done.repeated += repeated;
    this.reach.tell(`${repeated} events come again, in another order`);
  }

  async poison(): Promise<void> {
    this.done.poisoned.push(...(await this.reach.topics.poison()));
    this.reach.tell(`a record that is no event in each of ${this.done.poisoned.length} topics`);
  }

  async restart(name: string, awayMs: number): Promise<void> {
    this.reach.tell(`${name} restarts${awayMs ? ` and is away for ${awayMs / 1000} s` : ''}`);
    await this.command('down', name);
    await pass(awayMs);
    await this.command('up', name);
    this.done.restarts.push(name);
  }

  /** I1 */
  private async othersAnswer(process: Process): Promise<void> {
    const others = this.reach.house.processes.filter((one) => one.part === process.part && one !== process);
    if (process.part !== 'serving' || others.length === 0) return;
    for (;;) {
      const looks = others.map(({ port }) => this.reach.caller.isAnswered(`127.0.0.1:${port}`));
      if ((await Promise.all(looks)).some(Boolean)) return;
      await pass(100);
    }
  }

  private command(which: 'up' | 'down', name: string): Promise<void> {
    const child = spawn(`${this.reach.servers}/${which}`, [name], { stdio: 'ignore' });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${which} ${name} ended with ${code}`))));
    });
  }
}

const nameOf = ({ part, replica }: Process): string => `${part}-${replica}`;
