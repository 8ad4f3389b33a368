/** The replay's door to time; needs the replay credential. */
import { Credentials } from '@driftloop/service';
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { Clock } from './clock.js';
import { errors } from './errors.js';
import { requiredTime } from './request.js';

@Controller('v1')
export class ClockDoor {
  constructor(
    private readonly clock: Clock,
    private readonly credentials: Credentials,
  ) {}

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
    if (!this.credentials.caller(headers.authorization, '').replay) throw errors.REPLAY_ONLY({ what: 'passing time' });
  }
}
