/**
 * Whether the disks that a service writes to have room: the home's, and that of temporary files (uploads, what DuckDB spills).
 *
 * I1  A disk is full below a floor, before a write fails: what is under way can then still be written.
 * I2  The service is live and not ready while one is full; it goes on by itself when there is room.
 * I3  A disk that cannot be asked is not said to be full: whoever writes there is told.
 */
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Readiness } from './readiness.js';
import type { Metrics } from './telemetry/metrics.js';

/** What a file system says of itself; bavail is what those who are not root may use. */
export interface FileSystem {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
}

export type Statfs = (folder: string) => Promise<FileSystem>;

const betweenLooksMs = 5000;
/** The floor: this much, and on a small disk a sixteenth. */
const floorBytes = 64 * 1024 ** 2;
const floorShare = 1 / 16;

interface Found {
  readonly disk: string;
  readonly free: number;
  readonly floor: number;
}

export class DiskSpace {
  #found: Found[] = [];

  constructor(
    /** By what the disk is of. */
    private readonly folders: Readonly<Record<string, string>>,
    private readonly readiness: Pick<Readiness, 'paused' | 'resumed'>,
    private readonly ask: Statfs = statfs,
  ) {}

  /** The disks that have too little room left. */
  get full(): readonly string[] {
    return this.#found.filter(isFull).map(({ disk }) => disk);
  }

  /** I2 */
  async look(): Promise<void> {
    const all = Object.entries(this.folders).map(([disk, folder]) => this.#lookAt(disk, folder));
    this.#found = (await Promise.all(all)).filter((one) => one !== undefined);
    for (const disk of Object.keys(this.folders)) {
      const full = this.#found.find((one) => one.disk === disk && isFull(one));
      if (full) this.readiness.paused(placeOf(disk), reasonOf(full));
      else this.readiness.resumed(placeOf(disk));
    }
  }

  /** Looks from time to time, and tells the metrics; resolves to what ends it. */
  async watch(metrics: Metrics): Promise<() => void> {
    const each = (value: (found: Found) => number) => () =>
      this.#found.map((found) => ({ value: value(found), labels: { 'driftloop.disk': found.disk } }));
    metrics.observe(
      'driftloop.disk.free',
      each(({ free }) => free),
    );
    metrics.observe(
      'driftloop.disk.full',
      each((found) => (isFull(found) ? 1 : 0)),
    );
    await this.look();
    const timer = setInterval(() => void this.look(), betweenLooksMs).unref();
    return () => clearInterval(timer);
  }

  /** I3 */
  async #lookAt(disk: string, folder: string): Promise<Found | undefined> {
    const found = await this.ask(folder).catch(() => undefined);
    if (!found) return undefined;
    const { bsize, blocks, bavail } = found;
    return { disk, free: bsize * bavail, floor: Math.min(floorBytes, bsize * blocks * floorShare) };
  }
}

/** The disks of a service: its home's (in a cluster its cache's), and that of temporary files. */
export const disksOf = (home: string): Record<string, string> => ({ home, 'temporary files': tmpdir() });

const isFull = ({ free, floor }: Found): boolean => free < floor;
const placeOf = (disk: string): string => `writing to the disk of the ${disk}`;

function reasonOf({ disk, free, floor }: Found): string {
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MB`;
  return `the disk of the ${disk} is full: ${megabytes(free)} are free, and ${megabytes(floor)} are needed; make room`;
}
