/** Whether the gateway and the services behind it answer, and decisions are made. Needs no credential. */
import { Controller, Get } from '@nestjs/common';
import { errors } from './errors.js';
import { LiveClock } from './live-clock.js';
import { Upstreams } from './upstreams.js';

@Controller('v1')
export class ReadyDoor {
  constructor(
    private readonly upstreams: Upstreams,
    private readonly clock: LiveClock,
  ) {}

  @Get('ready')
  async ready() {
    await this.upstreams.connected(1000);
    const doubt = await this.clock.doubt();
    if (doubt) throw errors.CLOCK_HELD({ doubt });
    return { ready: true };
  }
}
