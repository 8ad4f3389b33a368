/** What is reported, whichever way it goes: rows of sources, outcomes of labels. */
import { type Outcome, SourceRow } from '@driftloop/contracts';

/** A fact about an entity: both of its times, and its columns (null is missing). */
export interface Fact {
  entityId: string;
  eventTime: Date;
  knownAt: Date;
  values: Record<string, number | string | null>;
}

export type ReportedOutcome = Partial<Outcome> & Pick<Outcome, 'entityId' | 'entityTime' | 'knownAt' | 'value'>;

export function toRow({ entityId, eventTime, knownAt, values }: Fact): SourceRow {
  const kinds = Object.entries(values).map(([name, value]) => {
    if (value === null) return [name, { kind: undefined }];
    return [name, { kind: typeof value === 'number' ? { $case: 'number', value } : { $case: 'text', value } }];
  });
  return SourceRow.fromPartial({ entityId, eventTime, knownAt, values: Object.fromEntries(kinds) });
}
