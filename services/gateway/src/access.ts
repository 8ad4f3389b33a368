/**
 * Who may call what over HTTP: the role that each route needs. The services behind check the caller's own credential again;
 * what the gateway does itself is checked here alone.
 */
import type { Role } from '@driftloop/contracts';

const needed: ReadonlyMap<string, Role | undefined> = new Map([
  ['GET /v1/ready', undefined], // anybody may ask
  ['POST /v1/apply', 'admin'],
  ['GET /v1/models', 'reader'],
  ['GET /v1/models/:model/versions', 'reader'],
  ['GET /v1/models/:model/rollout', 'reader'],
  ['GET /v1/models/:model/status', 'reader'],
  ['GET /v1/models/:model/drift', 'reader'],
  ['GET /v1/models/:model/jobs', 'reader'],
  ['GET /v1/models/:model/cycles', 'reader'],
  ['GET /v1/models/:model/ledger', 'reader'],
  ['GET /v1/models/:model/quarantine', 'reader'],
  ['GET /v1/models/:model/watermarks', 'reader'],
  ['GET /v1/cycles/:cycleId', 'reader'],
  ['GET /v1/cycles/:cycleId/explanation', 'reader'],
  ['GET /v1/events', 'reader'],
  ['GET /v1/services', 'reader'],
  ['GET /v1/dead', 'reader'],
  ['POST /v1/models/:model/promote', 'operator'],
  ['POST /v1/models/:model/rollback', 'operator'],
  ['POST /v1/models/:model/pause', 'operator'],
  ['POST /v1/models/:model/resume', 'operator'],
  ['POST /v1/models/:model/freeze', 'operator'],
  ['POST /v1/models/:model/thaw', 'operator'],
  ['POST /v1/models/:model/simulate', 'operator'],
  ['POST /v1/models/:model/quarantine/resolve', 'operator'],
  ['POST /v1/models/:model/watermarks/withdraw', 'operator'],
  ['POST /v1/dead/replay', 'operator'],
  ['POST /v1/dead/discard', 'operator'],
  ['GET /v1/audit', 'operator'],
  ['POST /v1/clock/accept', 'operator'],
  ['POST /v1/clock', 'replay'],
  ['POST /v1/settled', 'replay'],
]);

/** The role that a route needs, `undefined` where anybody may call. One that nobody has thought of is an admin's. */
export function roleOf(method: string, path: string): Role | undefined {
  const route = `${method === 'HEAD' ? 'GET' : method} ${path}`;
  return needed.has(route) ? needed.get(route) : 'admin';
}

/** The routes that have an entry. */
export const knownRoutes = (): string[] => [...needed.keys()];
