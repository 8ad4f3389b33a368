/**
 * Who may come in: with a token in the house, whoever has one, and the role that the route needs. The services behind the
 * gateway would take a call without a credential for the gateway's own.
 */
import type { IncomingMessage } from 'node:http';
import { Audit, Credentials, checkRole, outcomeOf } from '@driftloop/service';
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
      if (needed === 'replay' && !caller.replay) throw errors.REPLAY_ONLY({ what: 'passing time' });
      checkRole(caller, needed, `${method} ${route.path}`);
    } catch (error) {
      const what = { act: route.path.slice(route.path.lastIndexOf('/') + 1), method: `${method} ${route.path}` };
      const requestId = headers['x-request-id']?.toString();
      this.audit.refused(
        { caller, connection, ...what, subject: request.params.model ?? '', requestId },
        outcomeOf(error),
      );
      throw error;
    }
    return true;
  }
}
