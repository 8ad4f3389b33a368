/** Inputs derived from a time: a part of it on the clock of a zone. */
import type { ModelSpec } from '@driftloop/contracts';
import { ZoneClock } from './zone-clock.js';

export type DerivedSpec = ModelSpec['spec']['derived'][string];

/** A derived input, ready to be computed. */
export interface Derived {
  readonly name: string;
  /** The time input that it is a part of. */
  readonly from: string;
  readonly part: DerivedSpec['part'];
  readonly clock: ZoneClock;
}

const clocks = new Map<string, ZoneClock>();

/** The clock of a zone; one in the process, for its changes are worth keeping. */
export function clockOf(zone: string): ZoneClock {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new ZoneClock(zone);
    clocks.set(zone, clock);
  }
  return clock;
}

export function derivedInputs(spec: ModelSpec): Map<string, Derived> {
  return new Map(
    Object.entries(spec.spec.derived).map(([name, { from, part, zone }]) => [
      name,
      { name, from, part, clock: clockOf(zone) },
    ]),
  );
}

/** minuteOfDay 0–1439, hourOfDay 0–23, dayOfWeek 0 (Sunday) – 6, of an instant (epoch ms) in the derived input's zone. */
export function partOf({ part, clock }: Derived, ms: number): number {
  const local = ms + clock.offsetAt(ms);
  const days = Math.floor(local / 86_400_000);
  if (part === 'dayOfWeek') return (((days + 4) % 7) + 7) % 7;
  const minutes = Math.floor((local - days * 86_400_000) / 60_000);
  return part === 'minuteOfDay' ? minutes : Math.floor(minutes / 60);
}
