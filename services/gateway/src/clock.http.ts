/** The replay's door to time; needs the replay credential. */
import { callerOf } from '@driftloop/service';
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { Clock } from './clock.js';
import { errors } from './errors.js';
import { forwarded, requiredTime } from './request.js';

@Controller('v1')
export class ClockDoor {
  constructor(private readonly clock: Clock) {}

  @Post('clock')
  @HttpCode(200)
  async pass(@Body() body: unknown, @Headers() headers: Record<string, string | undefined>) {
    this.replayOnly(headers);
    const now = requiredTime(body, 'now');
    await this.clock.pass(now);
    return { now };
  }

  @Post('settled')
  @HttpCode(200)
  async settled(@Headers() headers: Record<string, string | undefined>) {
    this.replayOnly(headers);
    await this.clock.settled();
    return {};
  }

  private replayOnly(headers: Record<string, string | undefined>): void {
    if (!callerOf(forwarded(headers).metadata).replay) throw errors.REPLAY_ONLY({ what: 'passing time' });
  }
}
