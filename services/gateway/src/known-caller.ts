/**
 * Who may come in: with a token in the house, whoever has one. The services behind the gateway would take a call without a
 * credential for the gateway's own.
 */
import type { IncomingMessage } from 'node:http';
import { Credentials } from '@driftloop/service';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ReadyDoor } from './ready.http.js';

@Injectable()
export class KnownCaller implements CanActivate {
  constructor(private readonly credentials: Credentials) {}

  /** Throws CREDENTIAL_MISSING or CREDENTIAL_REFUSED; whether the house is ready, anybody may ask. */
  canActivate(context: ExecutionContext): boolean {
    const { headers, socket } = context.switchToHttp().getRequest<IncomingMessage>();
    if (context.getClass() !== ReadyDoor)
      this.credentials.caller(headers.authorization, `${socket.remoteAddress}:${socket.remotePort}`);
    return true;
  }
}
