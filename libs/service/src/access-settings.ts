/** What the environment says of who may call: the tokens. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Secret } from './secret.js';
import type { Fault } from './secret-files.js';

const secret = z
  .string()
  .min(16, 'is shorter than 16 characters')
  .regex(/^[\x21-\x7e]+$/, 'has characters other than printable ASCII')
  .transform((value) => new Secret(value));

export const accessShape = {
  DRIFTLOOP_TOKEN: secret.optional(),
  DRIFTLOOP_REPLAY_TOKEN: secret.optional(),
  DRIFTLOOP_TOKENS_FILE: z.string().optional(),
};
type Given = z.infer<z.ZodObject<typeof accessShape>>;

export interface AccessSettings {
  /** With it every call needs a credential, health and reflection excepted; services call each other with it. */
  readonly token?: Secret;
  /** Whoever has it may say what time it is. */
  readonly replayToken?: Secret;
  /** Callers by name, in a file of one entry a line. */
  readonly tokensFile?: string;
}

/** Services of one process that have only a token file call each other with a token that nobody else is told. */
export function accessOf(given: Given): AccessSettings {
  const { DRIFTLOOP_TOKEN: token, DRIFTLOOP_TOKENS_FILE: tokensFile } = given;
  const own = tokensFile ? new Secret(randomBytes(32).toString('hex')) : undefined;
  return { token: token ?? own, replayToken: given.DRIFTLOOP_REPLAY_TOKEN, tokensFile };
}

/** In a cluster each process has only the environment to know the others' token from. */
export function accessFaults(given: Readonly<Record<string, string | undefined>>): Fault[] {
  const alone = given.DRIFTLOOP_MODE === 'cluster' && given.DRIFTLOOP_TOKENS_FILE && !given.DRIFTLOOP_TOKEN;
  const fault = 'is needed in cluster mode beside DRIFTLOOP_TOKENS_FILE: services call each other with it';
  return alone ? [{ variable: 'DRIFTLOOP_TOKEN', fault }] : [];
}
