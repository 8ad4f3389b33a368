/**
 * The file of tokens: one JSON object a line, whom a token stands for. Lines are what a shell can append and take away; empty
 * ones and those that begin with # are passed over. It holds digests alone: whoever reads it cannot call with it.
 */
import { z } from 'zod';
import { roles } from './roles.js';

const entry = z.strictObject(
  {
    name: z
      .string('is no text')
      .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'is not 1 to 64 of A-Z a-z 0-9 . _ @ -, a letter or digit first'),
    sha256: z
      .string('is no text')
      .regex(/^[0-9a-f]{64}$/, "is not 64 digits of 0-9 a-f, the SHA-256 of the token's text"),
    roles: z
      .array(z.enum(roles, `is none of ${roles.join(', ')}`), 'is no list')
      .min(1, 'is empty: a token without a role may do nothing'),
    tenant: z
      .string('is no text')
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'is not 1 to 32 of a-z 0-9 -')
      .default('main'),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `has unknown fields: ${issue.keys.join(', ')}` : 'is no object',
  },
);

/** Whom a token stands for, by the SHA-256 of the token in hex. */
export type TokenEntry = z.infer<typeof entry>;

/** What is wrong with a line; `name` is '' where it has none that can be read. */
export interface TokenFault {
  readonly line: number;
  readonly name: string;
  readonly fault: string;
}

/** Names that callers without an entry have. */
const taken = new Set(['token', 'main']);

/** The entries of a file's text and everything that is wrong with it. No value of a line is in a fault but its name. */
export function readTokenEntries(text: string): { entries: TokenEntry[]; faults: TokenFault[] } {
  const [entries, faults]: [TokenEntry[], TokenFault[]] = [[], []];
  const [names, digests] = [new Set(taken), new Set<string>()];
  for (const [i, content] of text.split('\n').entries()) {
    if (!content.trim() || content.trimStart().startsWith('#')) continue;
    const raw = parsed(content);
    const { data, error } = entry.safeParse(raw);
    const faulty = (fault: string) => faults.push({ line: i + 1, name: nameIn(raw), fault });
    for (const { path, message } of error?.issues ?? []) faulty([path.join('.'), message].filter(Boolean).join(': '));
    if (!data) continue;
    if (names.has(data.name)) faulty(taken.has(data.name) ? 'name: is reserved' : 'name: another line has it');
    if (digests.has(data.sha256)) faulty("sha256: another line has it: a token is one caller's");
    names.add(data.name);
    digests.add(data.sha256);
    entries.push(data);
  }
  return { entries, faults };
}

/** A line of the file. Throws what zod does where the entry is not valid. */
export const tokenLine = (given: z.input<typeof entry>): string => JSON.stringify(entry.parse(given));

/** What is no JSON becomes what no schema takes. JSON's own error repeats the text. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const named = z.looseObject({ name: entry.shape.name });
const nameIn = (raw: unknown): string => named.safeParse(raw).data?.name ?? '';
