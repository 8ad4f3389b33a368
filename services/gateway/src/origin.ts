/** A page of another site must not reach the gateway through its visitor's browser: Host and Origin are checked. */
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
    if (!this.own(host)) throw errors.FOREIGN_ORIGIN({ header: 'Host' });
    if (origin && !this.own(URL.canParse(origin) ? new URL(origin).host : origin))
      throw errors.FOREIGN_ORIGIN({ header: 'Origin' });
    return true;
  }

  private own(host = ''): boolean {
    const name = host.replace(/:\d+$/, '');
    return loopback.has(name) || name === this.settings.host;
  }
}
