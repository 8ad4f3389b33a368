/** Happenings that are made when they are looked at: a long world as objects would be some hundred megabytes. */
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import type { Happening } from './world.js';

export class Later<Kind extends Happening['kind'], Of> {
  constructor(
    readonly kind: Kind,
    readonly at: number,
    readonly of: Of,
    private readonly make: (of: Of) => unknown,
    readonly source = '',
  ) {}
  get fact(): Fact {
    return this.make(this.of) as Fact;
  }
  get outcome(): ReportedOutcome {
    return this.make(this.of) as ReportedOutcome;
  }
  get question(): Question {
    return this.make(this.of) as Question;
  }
}

/** In the order in which they become known. */
export const inOrder = (happenings: Happening[]): Happening[] => happenings.sort((a, b) => a.at - b.at);

/** A row of a source. */
export function fact(entityId: string, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}
