/** Doors to time: the replay's, which needs its credential, and the operator's to a live clock that is in doubt. */
import { Credentials, callerName } from '@driftloop/service';
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { Clock } from './clock.js';
import { errors } from './errors.js';
import { LiveClock } from './live-clock.js';
import { optionalText, requiredTime } from './request.js';

@Controller('v1')
export class ClockDoor {
  constructor(
    private readonly clock: Clock,
    private readonly credentials: Credentials,
    private readonly live: LiveClock,
  ) {}

  @Post('clock')
  @HttpCode(200)
  async pass(@Body() body: unknown, @Headers() headers: Record<string, string | undefined>) {
    this.replayOnly(headers);
    const now = requiredTime(body, 'now');
    await this.clock.pass(now);
    return { now };
  }

  /** Goes on from the machine's clock as it is. */
  @Post('clock/accept')
  @HttpCode(200)
  async accept(@Body() body: unknown, @Headers() headers: Record<string, string | undefined>) {
    const by = callerName(this.credentials.caller(headers.authorization));
    await this.live.accept(by, optionalText(body, 'note'));
    return { by };
  }

  @Post('settled')
  @HttpCode(200)
  async settled(@Headers() headers: Record<string, string | undefined>) {
    this.replayOnly(headers);
    await this.clock.settled();
    return {};
  }

  private replayOnly(headers: Record<string, string | undefined>): void {
    if (!this.credentials.caller(headers.authorization).replay) throw errors.REPLAY_ONLY({ what: 'passing time' });
  }
}
