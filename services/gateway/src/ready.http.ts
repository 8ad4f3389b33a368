/** Whether the gateway and the services behind it answer. Needs no credential. */
import { Controller, Get } from '@nestjs/common';
import { Upstreams } from './upstreams.js';

@Controller('v1')
export class ReadyDoor {
  constructor(private readonly upstreams: Upstreams) {}

  @Get('ready')
  async ready() {
    await this.upstreams.connected(1000);
    return { ready: true };
  }
}
