/** Values of request inputs and of what is derived from them: from the request, else from the entity's row. */
import { own } from '@driftloop/contracts';
import { partOf } from './derived.js';
import type { ViewPlan } from './plan.js';
import type { Cell, Row, SourceRows } from './source-rows.js';

/** A request's own inputs by name; times are epoch ms. */
export type Inputs = Readonly<Record<string, Cell>>;

export type Attribute = (inputs: Inputs, row: Row | undefined, entityTime: number | undefined) => Cell;

/** How to find the value of an input or derived input by name. */
export function attributeOf(plan: ViewPlan, rows: SourceRows, name: string): Attribute {
  const derived = plan.derived.get(name);
  if (derived) {
    const time = timeOf(plan, rows, derived.from);
    return (inputs, row, entityTime) => {
      const ms = time(inputs, row, entityTime);
      return ms === undefined ? undefined : partOf(derived, ms as number);
    };
  }
  return cellOf(rows, name);
}

/** Counting by an attribute goes by its text. */
export function keyOf(cell: Cell): string | undefined {
  return cell === undefined ? undefined : String(cell);
}

/** The entity's own time is its row's event time; another time input may be a number column (epoch ms). */
function timeOf(plan: ViewPlan, rows: SourceRows, name: string): Attribute {
  return name === plan.entityTime ? (_inputs, _row, entityTime) => entityTime : cellOf(rows, name);
}

function cellOf(rows: SourceRows, name: string): Attribute {
  const column = rows.columns.indexOf(name);
  return (inputs, row) => own(inputs, name) ?? row?.cells[column];
}
