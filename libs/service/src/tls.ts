/**
 * TLS of a process: its certificate at every server, and whom its clients believe.
 *
 * I1  A start needs files without a fault. They are followed: a renewed certificate is shown to the next connection; a broken
 *     one changes nothing, and `faulty` is told.
 * I2  A service at another end is believed by the CA file, and by name; one that shows this process's own certificate is this
 *     process or one that shares its key, by whatever address it was reached.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { checkPeer } from '@driftloop/contracts';
import { ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';
import { errors } from './errors.js';
import { followFiles } from './followed-file.js';
import type { TlsFiles } from './settings.js';

interface Identity {
  readonly cert: string;
  readonly key: string;
}
type Listener = experimental.IdentityCertificateUpdateListener;

/** A server's certificate, as it is now. */
export class Tls implements experimental.CertificateProvider {
  readonly #listeners = new Set<Listener>();
  readonly #followers = new Set<(identity: Identity) => void>();
  #identity: Identity;

  /** Throws TLS_INVALID. */
  constructor(private readonly files: TlsFiles) {
    this.#identity = identityOf(files);
  }

  /** Looks for renewed files until what it returns is called; `faulty` is told what is wrong with them, '' once nothing is. */
  follow(faulty: (fault: string) => void): () => void {
    return followFiles([this.files.certFile, this.files.keyFile], () => {
      try {
        this.#identity = identityOf(this.files);
      } catch (error) {
        return faulty((error as Error).message);
      }
      faulty('');
      for (const listener of this.#listeners) listener(this.#update());
      for (const follower of this.#followers) follower(this.#identity);
    });
  }

  /** What an HTTPS server is opened with. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Tells of every renewal. */
  renewed(follower: (identity: Identity) => void): void {
    this.#followers.add(follower);
  }

  serverCredentials(): ServerCredentials {
    return experimental.createCertificateProviderServerCredentials(this, null, false) as unknown as ServerCredentials;
  }

  addIdentityCertificateListener(listener: Listener): void {
    this.#listeners.add(listener);
    // gRPC hears of what it is told at once only after it has begun to listen.
    queueMicrotask(() => listener(this.#update()));
  }

  removeIdentityCertificateListener(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  addCaCertificateListener(): void {}

  removeCaCertificateListener(): void {}

  #update(): experimental.IdentityCertificateUpdate {
    const { cert, key } = this.#identity;
    return { certificate: Buffer.from(cert), privateKey: Buffer.from(key) };
  }
}

/** Of a client of services: encrypted where the process has a certificate (I2). Throws TLS_INVALID. */
export function channelCredentialsOf(files: TlsFiles | undefined): ChannelCredentials {
  if (!files) return ChannelCredentials.createInsecure();
  const { cert } = identityOf(files);
  const ca = [cert, ...(files.caFile ? [readPem('DRIFTLOOP_TLS_CA_FILE', files.caFile)] : [])];
  // Its own certificate is believed though what has signed it may not be known here.
  const secureContext = createSecureContext({ ca, allowPartialTrustChain: true });
  const isOwn = ({ raw }: PeerCertificate) => new X509Certificate(identityOf(files).cert).raw.equals(raw);
  return ChannelCredentials.createFromSecureContext(secureContext, {
    checkServerIdentity: (host, peer) => (isOwn(peer) ? undefined : checkPeer(host, peer)),
  });
}

function identityOf({ certFile, keyFile }: TlsFiles): Identity {
  const cert = readPem('DRIFTLOOP_TLS_CERT_FILE', certFile);
  const key = readPem('DRIFTLOOP_TLS_KEY_FILE', keyFile);
  try {
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw errors.TLS_INVALID({ variable: 'DRIFTLOOP_TLS_CERT_FILE', file: certFile, reason: reasonOf(code) });
  }
}

/** What OpenSSL says of a key stays here: its text is its own, its code is enough. */
const reasonOf = (code = 'unknown'): string =>
  code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
    ? 'it is not the certificate of the key'
    : `it is no PEM that can be used (${code})`;

function readPem(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw errors.TLS_INVALID({ variable, file, reason: `it cannot be read (${code})` });
  }
}
