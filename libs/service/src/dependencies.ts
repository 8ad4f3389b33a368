/**
 * What a service cannot work without: the bus, its documents, the objects. Asked whether they answer when somebody wants to
 * know, not all the time.
 *
 * I1  An answer is taken from memory for a second, so that many probes cost no more than one.
 * I2  One that does not answer within two seconds is away.
 */
import type { Ground } from './ground.js';
import { redactedWithin } from './telemetry/redaction.js';

const rememberedMs = 1000;
const patienceMs = 2000;
/** A key that nobody writes: asking for it costs one look. */
const nobodysKey = 'health/probe';

/** Something that a service needs, and how to find out whether it is there. */
export interface Dependency {
  readonly name: string;
  /** Rejects with the reason where it is away. */
  readonly answer: () => Promise<unknown>;
}

/** The dependencies of a ground. */
export function dependenciesOf(
  { bus, connection, objects }: Pick<Ground, 'bus' | 'connection' | 'objects'>,
  topic: string,
): Dependency[] {
  return [
    { name: 'bus', answer: () => bus.ends(topic) },
    { name: 'documents', answer: async () => pinged(connection) },
    { name: 'objects', answer: () => objects.exists(nobodysKey) },
  ];
}

/** The embedded driver has no server to ask: there the file is open or it is not. */
async function pinged({ db, readyState }: Ground['connection']): Promise<void> {
  if (readyState !== 1) throw new Error('not connected');
  await db?.admin?.().ping();
}

/** Tells which dependencies are away. */
export class Dependencies {
  #asked: Promise<string[]> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly dependencies: readonly Dependency[],
    /** Wall ms. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Why not all of them are there, a line each; empty where they are. */
  away(): Promise<string[]> {
    if (this.#asked && this.now() - this.#askedAt < rememberedMs) return this.#asked;
    this.#askedAt = this.now();
    this.#asked = Promise.all(this.dependencies.map(reasonOf)).then((reasons) =>
      reasons.filter((reason) => reason !== ''),
    );
    return this.#asked;
  }
}

/** '' where it answers. */
async function reasonOf({ name, answer }: Dependency): Promise<string> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs).unref();
  });
  try {
    await Promise.race([Promise.resolve().then(answer), patience]);
    return '';
  } catch (error) {
    return `${name}: ${redactedWithin(300, (error as Error).message)}`;
  } finally {
    clearTimeout(late);
  }
}
