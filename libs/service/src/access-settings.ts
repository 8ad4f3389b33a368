/** What the environment says of who may call, and how: tokens and TLS. */
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
  DRIFTLOOP_TLS_CERT_FILE: z.string().optional(),
  DRIFTLOOP_TLS_KEY_FILE: z.string().optional(),
  DRIFTLOOP_TLS_CA_FILE: z.string().optional(),
  DRIFTLOOP_ALLOW_PLAINTEXT: z.enum(['true', 'false'], 'is neither true nor false').default('false'),
};
type Given = z.infer<z.ZodObject<typeof accessShape>>;

export interface AccessSettings {
  /** With it every call needs a credential, health and reflection excepted; services call each other with it. */
  readonly token?: Secret;
  /** Whoever has it may say what time it is. */
  readonly replayToken?: Secret;
  /** Callers by name, in a file of one entry a line. */
  readonly tokensFile?: string;
  /** With it every server and every client of another service is encrypted. */
  readonly tls?: TlsFiles;
  /** Whether other machines may call without TLS: where the network is a closed one, or something else encrypts. */
  readonly plaintext: boolean;
}

export interface TlsFiles {
  /** PEM: the certificate, and what stands between it and its root. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Whom this process believes beside its own certificate. */
  readonly caFile?: string;
}

/** Services of one process that have only a token file call each other with a token that nobody else is told. */
export function accessOf(given: Given): AccessSettings {
  const { DRIFTLOOP_TOKEN: token, DRIFTLOOP_TOKENS_FILE: tokensFile } = given;
  const own = tokensFile ? new Secret(randomBytes(32).toString('hex')) : undefined;
  const plaintext = given.DRIFTLOOP_ALLOW_PLAINTEXT === 'true';
  return { token: token ?? own, replayToken: given.DRIFTLOOP_REPLAY_TOKEN, tokensFile, tls: tlsOf(given), plaintext };
}

function tlsOf(given: Given): TlsFiles | undefined {
  const { DRIFTLOOP_TLS_CERT_FILE: certFile, DRIFTLOOP_TLS_KEY_FILE: keyFile, DRIFTLOOP_TLS_CA_FILE: caFile } = given;
  return certFile && keyFile ? { certFile, keyFile, ...(caFile && { caFile }) } : undefined;
}

/** What cannot be alone. In a cluster each process has only the environment to know the others' token from. */
export function accessFaults(given: Readonly<Record<string, string | undefined>>): Fault[] {
  const alone = given.DRIFTLOOP_MODE === 'cluster' && given.DRIFTLOOP_TOKENS_FILE && !given.DRIFTLOOP_TOKEN;
  const fault = 'is needed in cluster mode beside DRIFTLOOP_TOKENS_FILE: services call each other with it';
  const files = ['DRIFTLOOP_TLS_CERT_FILE', 'DRIFTLOOP_TLS_KEY_FILE'];
  const missing = files.filter((variable) => !given[variable]);
  return [
    ...(alone ? [{ variable: 'DRIFTLOOP_TOKEN', fault }] : []),
    ...(missing.length === 1
      ? [{ variable: missing[0], fault: 'is not set, and the other of certificate and key is' }]
      : []),
  ];
}
