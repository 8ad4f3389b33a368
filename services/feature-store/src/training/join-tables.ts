/** Names of the join's tables and of their cells. */
import { quoted } from '../duckdb.js';

export const rawTable = (source: string) => quoted(`raw_${source}`);
export const rowsTable = (source: string) => quoted(`rows_${source}`);
export const keyedTable = (source: string) => quoted(`keyed_${source}`);
/** A column's cell, `of` a table's alias with its dot. */
export const cell = (column: string, of = '') => `${of}${quoted(`c_${column}`)}`;
