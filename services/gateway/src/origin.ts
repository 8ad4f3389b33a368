/**
 * A page of another site must not reach the gateway through its visitor's browser: Host and Origin are checked.
 *
 * I1  Without a token the Host has to be this machine's: a name that a foreign site points here is none (DNS rebinding).
 * I2  With a token any Host will do, since a page does not have it: the house is reached by whatever name its network gives
 *     it. A page may call only where it came from.
 */
import type { IncomingMessage } from 'node:http';
import { Settings } from '@driftloop/service';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { errors } from './errors.js';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

@Injectable()
export class SameSite implements CanActivate {
  constructor(private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const { host, origin } = context.switchToHttp().getRequest<IncomingMessage>().headers;
    if (!this.settings.token && !this.own(host)) throw errors.FOREIGN_ORIGIN({ header: 'Host' });
    const from = origin && URL.canParse(origin) ? new URL(origin).host : origin;
    if (from && from !== host && !this.own(from)) throw errors.FOREIGN_ORIGIN({ header: 'Origin' });
    return true;
  }

  private own(host = ''): boolean {
    const name = host.replace(/:\d+$/, '');
    return loopback.has(name) || name === this.settings.host;
  }
}
