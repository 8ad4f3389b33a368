/** Which columns of a file are read, and as what: by the names that the source declares. */
import type { ModelSpec } from '@driftloop/contracts';
import { errors } from '../errors.js';

export type SourceSpec = ModelSpec['spec']['sources'][string];

/** What a column is for. */
export type Role = 'entity' | 'event time' | 'known-at' | 'number' | 'text';

export interface FileColumn {
  readonly name: string;
  readonly role: Role;
}

export interface FileColumns {
  /** The entity, its two times, and the declared columns that the file has. */
  readonly read: readonly FileColumn[];
  /** Columns that the source does not declare. */
  readonly unknown: readonly string[];
}

/** Throws FILE_COLUMN_TWICE or FILE_COLUMN_MISSING. */
export function fileColumns(found: readonly string[], { file, columns }: SourceSpec): FileColumns {
  const twice = found.filter((name, i) => name !== '' && found.indexOf(name) !== i);
  if (twice.length) throw errors.FILE_COLUMN_TWICE({ twice: [...new Set(twice)] });
  const declared: FileColumn[] = [
    { name: file.entity, role: 'entity' },
    { name: file.eventTime, role: 'event time' },
    { name: file.knownAt, role: 'known-at' },
    ...Object.entries(columns).map(([name, role]) => ({ name, role })),
  ];
  const missing = declared.filter(({ name }) => !found.includes(name) && !file.optional?.includes(name));
  const named = missing.map(({ name }) => name);
  if (named.length) throw errors.FILE_COLUMN_MISSING({ missing: named, found: [...found] });
  const names = new Set(declared.map(({ name }) => name));
  return {
    read: declared.filter(({ name }) => found.includes(name)),
    unknown: found.filter((name) => !names.has(name)),
  };
}
