/** Who may call a running service, and how: its exposure, the token file, its certificate. */
import type { Credentials } from './credentials.js';
import type { Ground } from './ground.js';
import type { Log } from './log.js';
import type { Readiness } from './readiness.js';
import { checkExposure } from './settings.js';
import type { Tls } from './tls.js';
import { followTokens } from './token-file.js';

interface Parts {
  readonly ground: Pick<Ground, 'settings'>;
  readonly credentials: Credentials;
  readonly readiness: Readiness;
  readonly log: Log;
  readonly tls?: Tls;
}

/** Before a door is open; for `closers` to end. Throws AUTH_REQUIRED or TOKENS_INVALID. */
export function openAccess({ ground, ...parts }: Parts, closers: (() => Promise<unknown>)[]): void {
  const { tokensFile: file } = ground.settings;
  checkExposure(ground.settings);
  const end = (stop: () => void) => closers.push(async () => stop());
  if (file) end(followTokens({ ...parts, file }));
  if (parts.tls) end(followCertificate(parts.tls, parts));
}

function followCertificate(tls: Tls, { readiness, log }: Omit<Parts, 'ground'>): () => void {
  return tls.follow((fault) => {
    readiness.attend('tls', fault && `${fault}; the certificate of before is shown`);
    if (fault) log.error({ fault }, 'the certificate is not valid: that of before is shown');
    else log.info({}, 'the certificate is renewed');
  });
}
