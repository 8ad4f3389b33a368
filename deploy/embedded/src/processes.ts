/**
 * The house as processes: each service and the gateway alone, on Kafka, MongoDB and S3 (`DRIFTLOOP_MODE=cluster`), in one
 * replica or more. What a process says goes to a file of the home.
 *
 * I1  Ports are chosen once and kept over restarts: a process that comes back is where it was.
 * I2  Nobody is left running when the house is closed, or when it cannot be opened.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { services } from '@driftloop/contracts';
import { healthPortName, variableOf } from '@driftloop/service';
import { type Doors, untilReady } from './doors.js';
import { freePorts } from './ports.js';
import { secretOf } from './secret.js';

type Part = (typeof services)[number] | 'gateway';
type Environment = Readonly<Record<string, string | undefined>>;

/** One replica of a part of the house. */
export interface Process {
  readonly part: Part;
  readonly replica: number;
  /** Of its gRPC door, or of the gateway's HTTP door. */
  readonly port: number;
  readonly running: boolean;
  /** Ends it at once, as a crash does; resolves when it has gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again. */
  start(): void;
  /** Stops it where it stands, as a machine does that swaps: it keeps its connections and answers nothing. */
  suspend(): void;
  /** It goes on where it stood, and does not know that time has passed. */
  resume(): void;
}

export interface ProcessHouse extends Doors {
  readonly processes: readonly Process[];
  close(): Promise<void>;
}

export interface ProcessOptions {
  /** The servers (KAFKA_BROKERS, MONGODB_URI, S3_…) and what else the services read. */
  readonly environment: Environment;
  /** How many of each part; 1 where it is left out. */
  readonly replicas?: Partial<Record<Part, number>>;
  /** Told when a process ends that nobody has ended. */
  readonly onExit?: (process: Process, how: string) => void;
  /** Starts such a process again after so long, ms; not at all where it is left out. */
  readonly restartMs?: number;
}

const parts: readonly Part[] = [...services, 'gateway'];
const closeMs = 20_000;
const openMs = 300_000;

/** Starts the house; resolves when the gateway reaches every service. Throws with the end of the log of one that ended. */
export async function openProcesses(home: string, options: ProcessOptions): Promise<ProcessHouse> {
  const folder = resolve(home);
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const replayToken = secretOf(folder, 'replay.token');
  const places = await placesOf(options.replicas ?? {});
  const common = { ...environmentOf(places), ...options.environment, ...fixed(replayToken) };
  const processes = places.map((place) => new Running(place, common, folder, options));
  const close = () => Promise.all(processes.map((process) => process.stop())).then(() => undefined);
  const secure = Boolean(options.environment.DRIFTLOOP_TLS_CERT_FILE);
  const at = (service: string) =>
    places
      .filter(({ part }) => part === service)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',');
  const address = (service: string) => `${secure ? 'grpcs://' : ''}${at(service)}`;
  const url = `${secure ? 'https' : 'http'}://${at('gateway').split(',')[0]}`;
  try {
    for (const process of processes) process.start();
    await answering(url, processes, options.restartMs !== undefined);
  } catch (error) {
    await close();
    throw error;
  }
  return { home: folder, replayToken, address, url, processes, close };
}

interface Place {
  readonly part: Part;
  readonly replica: number;
  readonly port: number;
}

class Running implements Process {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    readonly place: Place,
    private readonly environment: Environment,
    private readonly home: string,
    private readonly options: ProcessOptions,
  ) {}

  get part(): Part {
    return this.place.part;
  }
  get replica(): number {
    return this.place.replica;
  }
  get port(): number {
    return this.place.port;
  }
  get running(): boolean {
    return this.child !== undefined;
  }
  get logFile(): string {
    return join(this.home, 'logs', `${this.part}-${this.replica}.log`);
  }

  start(): void {
    this.stopping = false;
    const { part, replica, port } = this.place;
    const log = createWriteStream(this.logFile, { flags: 'a' });
    const child = fork(mainOf(part), {
      execArgv: ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'],
      env: {
        ...(this.environment as NodeJS.ProcessEnv),
        [variableOf(part, 'PORT')]: String(port),
        [variableOf(healthPortName(part), 'PORT')]: '0',
        DRIFTLOOP_REPLICA: `${part}-${replica}`,
        DRIFTLOOP_HOME: join(this.home, `${part}-${replica}`),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        log.end();
        this.child = undefined;
        resolve();
        if (!this.stopping) this.endedByItself(signal ?? `code ${code}`);
      });
    });
  }

  private endedByItself(how: string): void {
    const { onExit, restartMs } = this.options;
    onExit?.(this, how);
    if (restartMs === undefined) return;
    setTimeout(() => {
      if (!this.stopping && !this.running) this.start();
    }, restartMs).unref();
  }

  suspend(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.stopping = true;
    this.child?.kill(signal);
    await this.ended;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.resume();
    this.child?.kill('SIGTERM');
    await Promise.race([this.ended, pass(closeMs, undefined, { ref: false })]);
    this.child?.kill('SIGKILL');
    await this.ended;
  }
}

/** The compiled main of a part, wherever npm has linked it. */
function mainOf(part: Part): string {
  return fileURLToPath(import.meta.resolve(`@driftloop/${part}/main`));
}

async function placesOf(replicas: Partial<Record<Part, number>>): Promise<Place[]> {
  const wanted = parts.flatMap((part) =>
    Array.from({ length: replicas[part] ?? 1 }, (_, replica) => ({ part, replica })),
  );
  const ports = await freePorts(wanted.length);
  return wanted.map((place, i) => ({ ...place, port: ports[i] }));
}

function environmentOf(places: readonly Place[]): Environment {
  const byPart = Map.groupBy(places, ({ part }) => part);
  return Object.fromEntries(
    services.map((service) => {
      const at = byPart.get(service)!.map(({ port }) => `127.0.0.1:${port}`);
      return [variableOf(service, 'ADDRESS'), at.join(',')];
    }),
  );
}

/** What the house itself says, whatever its environment does. */
function fixed(replayToken: string): Environment {
  const { PATH, HOME } = process.env;
  const mode = { DRIFTLOOP_MODE: 'cluster', DRIFTLOOP_CLOCK: 'replay' };
  return { PATH, HOME, TMPDIR: process.env.TMPDIR, ...mode, DRIFTLOOP_REPLAY_TOKEN: replayToken };
}

/** Resolves when the gateway reaches every service; throws with the log of a process that ended and is not started again. */
async function answering(url: string, processes: readonly Running[], restarts: boolean): Promise<void> {
  await untilReady(url, openMs, () => {
    const gone = processes.find((process) => !process.running);
    if (gone && !restarts) throw new Error(`${gone.part} ended while starting:\n${endOf(gone.logFile)}`);
  });
}

function endOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-2000) : '(it has written nothing)';
}
