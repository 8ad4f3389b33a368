/**
 * Numbers as texts, by one strict grammar. `Number` makes 0 of blanks, 16 of "0x10" and 3 of "0b11".
 */

const decimal = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/;
const infinite = /^([+-]?)(?:inf|infinity)$/i;

/** A decimal number, signed and with an exponent if need be; infinite by its word; undefined where it is none. */
export function decimalOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (decimal.test(trimmed)) return Number(trimmed);
  const sign = infinite.exec(trimmed)?.[1];
  if (sign === undefined) return undefined;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
