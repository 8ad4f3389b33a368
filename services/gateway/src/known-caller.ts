/**
 * Who may come in: with a token in the house, whoever has one, and the role that the route needs. The services behind the
 * gateway would take a call without a credential for the gateway's own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Role } from '@driftloop/contracts';
import { Audit, type Caller, Credentials, checkRole, outcomeOf } from '@driftloop/service';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { roleOf } from './access.js';
import { errors } from './errors.js';
import { connectionOf } from './request.js';

/** A request, and the route that it was found to be for. */
type Routed = IncomingMessage & {
  readonly route: { readonly path: string };
  readonly params: Readonly<Record<string, string | undefined>>;
};

@Injectable()
export class KnownCaller implements CanActivate {
  constructor(
    private readonly credentials: Credentials,
    private readonly audit: Audit,
  ) {}

  /** Throws CREDENTIAL_MISSING, CREDENTIAL_REFUSED, ROLE_MISSING or REPLAY_ONLY; whether the house is ready, anybody may ask. */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Routed>();
    const { method = '', headers, route } = request;
    const needed = roleOf(method, route.path);
    if (!needed) return true;
    const connection = connectionOf(request);
    const caller = this.credentials.caller(headers.authorization, connection);
    try {
      checkMay(caller, needed, `${method} ${route.path}`);
    } catch (error) {
      const what = { act: route.path.slice(route.path.lastIndexOf('/') + 1), method: `${method} ${route.path}` };
      const requestId = headers['x-request-id']?.toString();
      this.audit.refused(
        { caller, connection, ...what, subject: request.params.model ?? '', requestId },
        outcomeOf(error),
      );
      throw error;
    }
    this.holdTo(request, context.switchToHttp().getResponse<ServerResponse>(), needed);
    return true;
  }

  /** An answer that goes on is cut where its caller's token holds no more, or no longer suffices. */
  private holdTo(request: Routed, response: ServerResponse, needed: Role): void {
    const { method, headers, route } = request;
    const connection = connectionOf(request);
    const check = () =>
      checkMay(this.credentials.caller(headers.authorization, connection), needed, `${method} ${route.path}`);
    response.once(
      'close',
      this.credentials.whileHeld(check, () => response.destroy()),
    );
  }
}

/** Throws ROLE_MISSING or REPLAY_ONLY. */
function checkMay(caller: Caller, needed: Role, route: string): void {
  if (needed === 'replay' && !caller.replay) throw errors.REPLAY_ONLY({ what: 'passing time' });
  checkRole(caller, needed, route);
}
