/**
 * A page of another site must not reach the gateway through its visitor's browser: Host and Origin are checked.
 *
 * I1  Without a token the Host has to be this machine's: a name that a foreign site points here is none (DNS rebinding).
 * I2  With a token any Host will do, since a page does not have it: the house is reached by whatever name its network gives
 *     it. A page may call only where it came from.
 * I3  An origin without a host (`file://`, `data:`, `null`) is another site: nobody knows whose page it is.
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
    if (origin !== undefined && !this.sameSite(origin, host)) throw errors.FOREIGN_ORIGIN({ header: 'Origin' });
    return true;
  }

  /** I2, I3 */
  private sameSite(origin: string, host: string | undefined): boolean {
    if (!URL.canParse(origin)) return false;
    const { protocol, host: from } = new URL(origin);
    return /^https?:$/.test(protocol) && (from === host || this.own(from));
  }

  private own(host = ''): boolean {
    const name = host.replace(/:\d+$/, '');
    if (!name) return false;
    return loopback.has(name) || name === this.settings.host;
  }
}
