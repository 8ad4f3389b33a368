/**
 * The format of what is stored, as a number, and the steps from each to the next. The number means the same of a home and of
 * a service's database: a change that concerns one of them alone is a step of the other that does nothing.
 *
 * To change what is stored: raise `currentFormat`, add a step to each list, and record a home of the release before
 * (scripts/record-home.mjs). A step stays as long as homes of its number may come.
 */
import type { DatabaseSync } from 'node:sqlite';
import { isRetriable } from '@driftloop/contracts';
import type { Connection } from 'mongoose';
import { errors } from '../errors.js';
import { tellLettersByPlace } from './letters-by-place.js';

/** What this release writes. 0 is what was written before there were numbers. */
export const currentFormat = 2;

export interface Step<Where> {
  /** The number that it leads to: one more than that of the step before. */
  readonly to: number;
  /** What it does, in a few words that a person reads. */
  readonly name: string;
  /** `start`: quick however much is stored, so that a start does it. `command`: `driftloop migrate` alone does it. */
  readonly when: 'start' | 'command';
  /** May be run again from anywhere: see home-format.ts and documents-format.ts for what each may rely on. */
  run(where: Where): void | Promise<void>;
}

/** A home's file, in the transaction that ends with the number; and its folder, whose files are in no transaction. */
export interface HomeStored {
  readonly db: DatabaseSync;
  readonly home: string;
}

/** A service's own database on mongod. */
export interface DocumentsStored {
  readonly connection: Connection;
  readonly service: string;
}

/** Nothing but the number is new in it. */
const numbered = { to: 1, name: 'what is stored has a number', when: 'start', run: () => undefined } as const;
const lettersByPlace = { to: 2, name: 'dead letters are told by the place of their event', when: 'start' } as const;

export const homeSteps: readonly Step<HomeStored>[] = [
  numbered,
  { ...lettersByPlace, run: ({ db }) => tellLettersByPlace(db) },
];
export const documentsSteps: readonly Step<DocumentsStored>[] = [numbered, { ...lettersByPlace, run: () => undefined }];

/** What was found: a number, or nothing at all yet. */
export type Found = number | 'nothing';

/** Who asks for a migration: a start does the quick steps alone. */
export type By = Step<unknown>['when'];

/** What a migration has come to. */
export interface Migrated {
  readonly found: Found;
  readonly format: Found;
  readonly done: readonly { readonly to: number; readonly name: string }[];
}

/** The number that a list leads to. Throws TypeError where its steps are not in order. */
export function latestOf(steps: readonly Step<never>[]): number {
  const gap = steps.find(({ to }, i) => i > 0 && to !== steps[i - 1].to + 1);
  if (gap) throw new TypeError(`step "${gap.name}" leads to format ${gap.to}: it does not follow the one before`);
  return steps.at(-1)?.to ?? 0;
}

/** The steps that are left from a number on. */
export const pendingAfter = <Where>(found: Found, steps: readonly Step<Where>[]): readonly Step<Where>[] =>
  found === 'nothing' ? [] : steps.filter(({ to }) => to > found);

/** Does a step's work. Throws MIGRATION_FAILED with what it threw, unless that may be tried again as it is. */
export async function doing(step: Step<never>, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isRetriable(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw errors.MIGRATION_FAILED({ what, to: step.to, name: step.name, reason });
  }
}
