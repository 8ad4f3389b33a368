/** A file of rows as its format reads it: the columns that it has, and its rows as cells of text. */
import type { FileColumn } from './file-columns.js';

/** A row as cells, or why it is none. */
export type CellRow = {
  /** Where in the file it is, for people: "line 17: ". */
  readonly where: string;
  /** As a line of a CSV. */
  readonly raw: string;
} & ({ readonly cells: readonly (string | null)[] } | { readonly problem: string });

/** A file that can be read to its end. */
export interface RowFile {
  readonly found: readonly string[];
  /** The line that names its columns, where it has one. */
  readonly header: string | undefined;
  rows(columns: readonly FileColumn[]): AsyncGenerator<CellRow[]>;
}
