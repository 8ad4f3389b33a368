/**
 * The table that boosting trains on and predicts: columns of equal length, side by side.
 *
 * I1  A numeric cell that is NaN is missing; a categorical code below 0 is missing. No other value means missing.
 * I2  Columns are known by name, never by position: a dataset may list them in any order, and a categorical column may
 *     carry any dictionary, since codes are translated through the category's text.
 */
import { BadInput, demand } from '../bad-input.js';

export interface NumericColumn {
  readonly name: string;
  readonly kind: 'numeric';
  /** One value a row; NaN is missing. */
  readonly values: Float64Array;
}

export interface CategoricalColumn {
  readonly name: string;
  readonly kind: 'categorical';
  /** One code a row: an index into `categories`, or a negative number where the category is missing. */
  readonly codes: Int32Array;
  /** The dictionary; texts are unique. */
  readonly categories: readonly string[];
}

export type Column = NumericColumn | CategoricalColumn;

export interface Dataset {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** One label a row: 0 or 1 for the logistic loss, any finite number for the squared loss. */
  readonly labels: Float64Array | Uint8Array;
}

/** A dataset whose labels are not needed: what prediction takes. */
export type Features = Omit<Dataset, 'labels'>;

/** Checks shapes and dictionaries. @throws BadInput naming the column at fault. */
export function checkFeatures(data: Features): void {
  demand(
    Number.isInteger(data.rows) && data.rows >= 0,
    'dataset.rows',
    () => `it is ${data.rows}`,
    'pass the number of rows',
  );
  const names = new Set<string>();
  for (const column of data.columns) {
    const where = `column ${column.name}`;
    demand(!names.has(column.name), where, () => 'the name occurs twice', 'give each column its own name');
    names.add(column.name);
    const length = column.kind === 'numeric' ? column.values.length : column.codes.length;
    demand(
      length === data.rows,
      where,
      () => `it has ${length} cells and the dataset ${data.rows} rows`,
      'pass one cell for each row',
    );
    if (column.kind === 'categorical') checkCodes(column, where);
  }
}

function checkCodes(column: CategoricalColumn, where: string): void {
  const { codes, categories } = column;
  const size = categories.length;
  demand(
    new Set(categories).size === size,
    where,
    () => 'its dictionary lists a category twice',
    'list each category once',
  );
  for (let row = 0; row < codes.length; row++) {
    if (codes[row] >= size)
      throw new BadInput(
        where,
        `row ${row} has code ${codes[row]} and the dictionary ${size} categories`,
        'use codes below the number of categories, or -1 for missing',
      );
  }
}

/** Checks a training or validation set: the features, and one label a row that the loss can take. @throws BadInput */
export function checkDataset(data: Dataset, loss: 'logistic' | 'squared', where = 'dataset'): void {
  checkFeatures(data);
  demand(
    data.labels.length === data.rows,
    `${where}.labels`,
    () => `${data.labels.length} labels for ${data.rows} rows`,
    'pass one label for each row',
  );
  for (let row = 0; row < data.rows; row++) {
    const y = data.labels[row];
    if (loss === 'logistic' ? y !== 0 && y !== 1 : !Number.isFinite(y))
      throw new BadInput(
        `${where}.labels`,
        `row ${row} has label ${y}`,
        loss === 'logistic' ? 'pass labels 0 or 1, and leave out rows without a label' : 'pass finite labels',
      );
  }
}

/** Checks that each of `wanted` is among `found`, by name and kind. @throws BadInput */
export function matchColumns(
  wanted: readonly { name: string; kind: string }[],
  found: readonly Column[],
  where: string,
): void {
  const kinds = new Map(found.map((column) => [column.name, column.kind]));
  for (const { name, kind } of wanted)
    demand(
      kinds.get(name) === kind,
      `${where}: column ${name}`,
      () => (kinds.has(name) ? `it is ${kinds.get(name)} and the model's is ${kind}` : 'it is missing'),
      'pass the columns that the model was trained on',
    );
}

/**
 * The rows at `indices`, in that order, as a new dataset; an index may occur more than once. Dictionaries are shared, cells are copied.
 * @throws BadInput when an index is no row
 */
export function selectRows(data: Dataset, indices: ArrayLike<number>): Dataset {
  const rows = indices.length;
  for (let i = 0; i < rows; i++) {
    const row = indices[i];
    if (!(Number.isInteger(row) && row >= 0 && row < data.rows))
      throw new BadInput(
        'selectRows',
        `index ${row} at position ${i}, and the dataset has ${data.rows} rows`,
        'pass row numbers from 0',
      );
  }
  const take = <T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T => {
    for (let i = 0; i < rows; i++) to[i] = from[indices[i]];
    return to;
  };
  const columns = data.columns.map(
    (column): Column =>
      column.kind === 'numeric'
        ? { ...column, values: take(column.values, new Float64Array(rows)) }
        : { ...column, codes: take(column.codes, new Int32Array(rows)) },
  );
  const labels =
    data.labels instanceof Uint8Array
      ? take(data.labels, new Uint8Array(rows))
      : take(data.labels, new Float64Array(rows));
  return { rows, columns, labels };
}
