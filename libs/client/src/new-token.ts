/** A caller's token, made where it will be used: the token file gets its digest and nothing else. */
import { createHash, randomBytes } from 'node:crypto';
import { type Role, roles, type TokenEntry, tokenLine } from '@driftloop/contracts';
import { CallFailed } from './failure.js';

export { roles };

/**
 * A new token of a caller, and the line of the token file (DRIFTLOOP_TOKENS_FILE) that lets it in. Throws TOKEN_INVALID where
 * the name, a role or the tenant is none.
 *
 * @example
 * const { token, line } = newToken({ name: 'ci', roles: ['operator'] });
 */
export function newToken(given: { name: string; roles: readonly string[]; tenant?: string }) {
  const token = `dl_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token).digest('hex');
  try {
    return { token, line: tokenLine({ ...given, roles: given.roles as Role[], sha256 }) };
  } catch (error) {
    const { issues } = error as { issues: { path: (keyof TokenEntry)[]; message: string }[] };
    const faults = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new CallFailed('TOKEN_INVALID', faults.join('; '), false);
  }
}
