/**
 * How long a text from outside may be, by its kind: what one door has taken, the next must not refuse, and nothing is kept that
 * an event, a log line or a page cannot carry. A text that is longer is refused by name, never cut: what a caller said is not
 * changed behind its back. What others' programs say of their faults is cut (`shortened`).
 */
export const textLimits = {
  /** Names of models, labels, sources, versions, groups; ids of entities, requests, cycles, jobs. */
  name: 256,
  /** A cell: what a column, an input or an attribute holds; ids that outsiders give their events. */
  text: 1000,
  /** What a person says beside a command, and why. */
  note: 2000,
  /** A ModelSpec, as YAML or JSON. */
  spec: 256 * 1024,
} as const;

/** Texts in one field of a request that takes several. */
export const mostTexts = 10_000;

export type TextKind = keyof typeof textLimits;

/** What a field of a request holds, by its name; any other is a text. */
const kinds: ReadonlyMap<string, TextKind> = new Map<string, TextKind>([
  ...['spec', 'specJson'].map((field): [string, TextKind] => [field, 'spec']),
  ...['note', 'reason'].map((field): [string, TextKind] => [field, 'note']),
  ...[
    'model',
    'label',
    'source',
    'version',
    'expectedChampion',
    'state',
    'format',
    'id',
    'entityId',
    'cycleId',
    'jobId',
  ].map((field): [string, TextKind] => [field, 'name']),
]);

/** A text of a request that is longer than its kind may be. */
export interface LongText {
  readonly field: string;
  readonly length: number;
  readonly limit: number;
}

/** What is wrong with the length of a field's text; undefined where nothing is. */
export function longText(field: string, text: string): LongText | undefined {
  const limit = textLimits[kinds.get(field) ?? 'text'];
  return text.length > limit ? { field, length: text.length, limit } : undefined;
}

/** The first field of a message, not of what is inside of it, that is too long. */
export function longTextIn(message: object): LongText | undefined {
  for (const [field, value] of Object.entries(message)) {
    const found =
      typeof value === 'string' ? longText(field, value) : Array.isArray(value) ? inList(field, value) : undefined;
    if (found) return found;
  }
  return undefined;
}

function inList(field: string, values: readonly unknown[]): LongText | undefined {
  if (typeof values[0] !== 'string') return undefined;
  if (values.length > mostTexts) return { field: `${field} (texts)`, length: values.length, limit: mostTexts };
  for (const value of values) {
    const found = longText(field, value as string);
    if (found) return found;
  }
  return undefined;
}

/**
 * Whether a text is one that every engine keeps whole. A NUL ends a string for ONNX Runtime, so that "AA\0x" would be the
 * category "AA"; half a surrogate pair is no character, and two such texts are the same once they are encoded.
 */
export function isWholeText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** What a text has to be, for whoever sent another. */
export const wholeTextAdvice = 'send text in UTF-8 without NUL characters';

/** The beginning of a text that others made: well-formed, and at most so many characters. */
export function shortened(text: string, most: number = textLimits.note): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;
}
