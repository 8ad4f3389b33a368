/** The replay's door to time; needs the role replay (access.ts). */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Clock } from './clock.js';
import { requiredTime } from './request.js';

@Controller('v1')
export class ClockDoor {
  constructor(private readonly clock: Clock) {}

  @Post('clock')
  @HttpCode(200)
  async pass(@Body() body: unknown) {
    const now = requiredTime(body, 'now');
    await this.clock.pass(now);
    return { now };
  }

  @Post('settled')
  @HttpCode(200)
  async settled() {
    await this.clock.settled();
    return {};
  }
}
