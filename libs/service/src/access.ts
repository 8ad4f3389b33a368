/** Who may call a running service: its exposure, and the token file. */
import type { Credentials } from './credentials.js';
import type { Ground } from './ground.js';
import type { Log } from './log.js';
import type { Readiness } from './readiness.js';
import { checkExposure } from './settings.js';
import { followTokens } from './token-file.js';

interface Parts {
  readonly ground: Pick<Ground, 'settings'>;
  readonly credentials: Credentials;
  readonly readiness: Readiness;
  readonly log: Log;
}

/** Before a door is open; for `closers` to end. Throws AUTH_REQUIRED or TOKENS_INVALID. */
export function openAccess({ ground, ...parts }: Parts, closers: (() => Promise<unknown>)[]): void {
  const { tokensFile: file } = ground.settings;
  checkExposure(ground.settings);
  if (!file) return;
  const end = followTokens({ ...parts, file });
  closers.push(async () => end());
}
