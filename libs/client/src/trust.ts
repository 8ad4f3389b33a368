/** Whom the clients of a process believe, beside those that its Node does. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { CallFailed } from './failure.js';

/**
 * Believes what the certificates of a PEM file have signed, in every later call of this process, gRPC and HTTP alike; before
 * the first call. On a Node that cannot (before 22.19), NODE_EXTRA_CA_CERTS in the environment does the same. Throws
 * FILE_UNREADABLE or CA_INVALID.
 */
export function trust(file: string): void {
  const pem = read(file);
  try {
    new X509Certificate(pem);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem]);
  } catch (error) {
    const reason =
      typeof tls.setDefaultCACertificates === 'function' ? (error as NodeJS.ErrnoException).code : undefined;
    throw new CallFailed(
      'CA_INVALID',
      `${file}: ${reason ?? 'set NODE_EXTRA_CA_CERTS to it, this Node knows no other way'}`,
      false,
    );
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CallFailed('FILE_UNREADABLE', `${(error as Error).message}; name a PEM file`, false);
  }
}
