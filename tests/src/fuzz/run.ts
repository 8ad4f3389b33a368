/**
 * A run: the small world, a quiet look, inputs, and what must hold during and after them.
 *
 * I1  Memory is compared with what it was after the first inputs, when everything had been loaded and compiled once.
 * I2  At the end the home is opened again: what was taken in must not keep it from it.
 */
import { createWriteStream, mkdtempSync, rmSync, type WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Control } from '@driftloop/client';
import { Bystanders, type Watched } from './bystanders.js';
import type { Making } from './calls.js';
import { Findings } from './findings.js';
import { Judge } from './judge.js';
import type { Options } from './options.js';
import { parquetOf } from './parquet.js';
import { SendingThread } from './sending-thread.js';
import { type Memory, System, token } from './system.js';
import type { Counted } from './tally.js';
import { known } from './words.js';
import { target } from './world.js';

export interface Ran {
  readonly findings: Findings;
  readonly inputs: number;
  readonly counted: Counted;
  readonly watched: Watched;
  readonly before: Memory;
  readonly after: Memory | undefined;
  readonly seconds: number;
  /** CPU that an input took after the first ones, ms: the system's, and that of sending and watching. */
  readonly cpuMs: { readonly system: number; readonly sending: number };
}

type Tell = (line: string) => void;

/** What lives after a run may be more by so much: caches of statements and plans, accepted rows. */
const memoryLimit = 50 * 2 ** 20;
/** Inputs before memory is looked at (I1). */
const warmUp = 3000;
const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

export async function fuzz(options: Options, tell: Tell): Promise<Ran> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'driftloop-fuzz-'));
  const findings = new Findings(options.failures, options.seed, tell);
  const run = new Run(options, home, findings, tell);
  try {
    return await run.run();
  } finally {
    await run.close();
    if (!options.home) rmSync(home, { recursive: true, force: true });
  }
}

class Run {
  private system: System | undefined;
  private thread: SendingThread | undefined;
  private readonly judge: Judge;
  private quietly = true;
  private readonly log: WriteStream;

  constructor(
    private readonly options: Options,
    private readonly home: string,
    private readonly findings: Findings,
    private readonly tell: Tell,
  ) {
    this.judge = new Judge([home, root]);
    this.log = createWriteStream(join(options.failures, `fuzz-${options.seed}.log`));
  }

  async run(): Promise<Ran> {
    const system = await this.open();
    this.tell('the small world is played');
    const making = await this.making(system);
    const bystanders = new Bystanders(system.described, (what, more) => void this.suspect(what, more));
    await bystanders.learn();
    await bystanders.ask();
    const champion = await this.championOf(system);
    this.quietly = false;
    const { seed, inputs, from, inFlight, minutes } = this.options;
    const order = { seed, described: system.described, making, inFlight, folders: [this.home, root] };
    const first = Math.min(warmUp, Math.ceil(inputs / 10));
    const began = performance.now();
    const until = began + minutes * 60_000;
    const before = await this.warmedUp(system, { ...order, from, to: from + first }, until);
    const ownBefore = own();
    bystanders.start();
    const sent = await this.send(system, { ...order, from: from + first, to: from + inputs }, until);
    const seconds = (performance.now() - began) / 1000;
    const sending = own() - ownBefore;
    const watched = await bystanders.stop();
    this.tell(`${sent.inputs + first} inputs are sent`);
    if (this.options.all && sent.inputs + first < inputs)
      this.findings.add(`${sent.inputs + first} of ${inputs} inputs were sent in ${minutes} minutes`);
    const after = await this.lookAfter(system, before, champion, sent.counted);
    if (!system.ended) await this.openAgain(bystanders.answers);
    const each = (ms: number) => Number((ms / Math.max(1, sent.inputs)).toFixed(2));
    const cpuMs = { system: each((after?.cpuMs ?? 0) - before.cpuMs), sending: each(sending) };
    return { findings: this.findings, ...sent, inputs: sent.inputs + first, watched, before, after, seconds, cpuMs };
  }

  async close(): Promise<void> {
    await this.thread?.end();
    await this.system?.kill();
    this.log.end();
  }

  private async open(): Promise<System> {
    this.system = await System.open(this.home, (line) => {
      this.log.write(`${line}\n`);
      const what = this.quietly ? undefined : this.judge.ofLine(line);
      if (what) void this.suspect(what, line);
    });
    return this.system;
  }

  private async making(system: System): Promise<Making> {
    const { replayToken } = system.described;
    const [asked, parquet] = await Promise.all([known(system.described), parquetOf()]);
    return { known: asked, token, replayToken, parquet };
  }

  /** A fault that no single answer shows: all that is in flight is suspected of it. */
  private suspect(what: string, more = ''): Promise<void> {
    return this.findings.suspect(what, async () => (await this.thread?.inFlight()) ?? [], more);
  }

  private async send(system: System, order: ConstructorParameters<typeof SendingThread>[1], until: number) {
    this.thread = new SendingThread(system, order, this.findings);
    const sent = await this.thread.sent(until);
    if (system.ended) this.findings.add(`the system ended: ${system.ended}`, sent.open);
    else if (sent.open.length) this.findings.add('the system answers nothing any more', sent.open);
    await this.thread.end();
    return sent;
  }

  private async warmedUp(
    system: System,
    order: ConstructorParameters<typeof SendingThread>[1],
    until: number,
  ): Promise<Memory> {
    await this.send(system, order, until);
    return this.quietMemory(system);
  }

  private async quietMemory(system: System): Promise<Memory> {
    await system.settled();
    return system.memory();
  }

  /** The target's rollout, and how far its ledger has come. */
  private async championOf({ described: { url, replayToken } }: System): Promise<string> {
    const control = new Control(url, replayToken);
    const { rollout } = await control.rollout(target);
    const { sha256 } = await control.ledger(target);
    return `${rollout?.champion?.version} at revision ${rollout?.revision}, ledger ${sha256.slice(0, 16)}`;
  }

  /** What must hold when all has been answered. */
  private async lookAfter(
    system: System,
    before: Memory,
    champion: string,
    counted: Counted,
  ): Promise<Memory | undefined> {
    try {
      await system.settled();
      for (const reason of await system.reasons()) this.findings.add(`it is not ready afterwards: ${reason}`);
      const now = await this.championOf(system);
      if (now !== champion && !commanded(counted))
        this.findings.add(`what was refused moved the champion: ${champion} to ${now}`);
      const after = await system.memory();
      if (after.live - before.live > memoryLimit)
        this.findings.add(`memory does not come back: ${grown(before, after)}`);
      return after;
    } catch (error) {
      this.findings.add(`it does not come to rest: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** I2 */
  private async openAgain(quiet: ReadonlyMap<string, string>): Promise<void> {
    await this.system?.close();
    this.quietly = true;
    try {
      const again = await this.open();
      const bystanders = new Bystanders(again.described, (what, more) =>
        this.findings.add(`after a start: ${what}`, [], more),
      );
      await bystanders.ask(quiet);
      await bystanders.stop();
    } catch (error) {
      this.findings.add('the home does not open again', [], (error as Error).message);
    }
  }
}

const commands = /(Promote|RollBack|promote|rollback)$/;
const refusals = /^(INVALID|UNAUTH|NOT_FOUND|FAILED_PRE|PERMISSION|UNIMPL|HTTP 4)/;

/** Whether a command that moves the champion was taken, or may have been. */
const commanded = ({ statuses }: Counted): boolean =>
  Object.entries(statuses).some(
    ([method, of]) => commands.test(method) && Object.keys(of).some((status) => !refusals.test(status)),
  );

function own(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const grown = (before: Memory, after: Memory): string =>
  `${mebibytes(before.live)} MiB lived before, ${mebibytes(after.live)} live after`;
