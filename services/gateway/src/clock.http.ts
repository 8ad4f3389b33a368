/** Doors to time: the replay's, and the operator's to a live clock that is in doubt; who may call which is in access.ts. */
import type { IncomingMessage } from 'node:http';
import { Audit, Credentials, callerName, outcomeOf } from '@driftloop/service';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { Clock } from './clock.js';
import { JsonBody } from './known-fields.js';
import { LiveClock } from './live-clock.js';
import { connectionOf, optionalText, requiredTime } from './request.js';

@Controller('v1')
export class ClockDoor {
  constructor(
    private readonly clock: Clock,
    private readonly credentials: Credentials,
    private readonly live: LiveClock,
    private readonly audit: Audit,
  ) {}

  @Post('clock')
  @HttpCode(200)
  async pass(@JsonBody('now') body: unknown) {
    const now = requiredTime(body, 'now');
    await this.clock.pass(now);
    return { now };
  }

  /** Goes on from the machine's clock as it is. */
  @Post('clock/accept')
  @HttpCode(200)
  async accept(@JsonBody('note') body: unknown, @Req() request: IncomingMessage) {
    const { headers } = request;
    const connection = connectionOf(request);
    const caller = this.credentials.caller(headers.authorization, connection);
    const about = { act: 'accept', method: 'POST /v1/clock/accept', subject: 'clock' };
    const end = await this.audit.begin({
      caller,
      connection,
      ...about,
      requestId: headers['x-request-id']?.toString(),
    });
    const by = callerName(caller);
    try {
      await this.live.accept(by, optionalText(body, 'note'));
    } catch (error) {
      await end(outcomeOf(error));
      throw error;
    }
    await end({ status: 'OK', code: '' });
    return { by };
  }

  @Post('settled')
  @HttpCode(200)
  async settled(@JsonBody() _body: unknown) {
    await this.clock.settled();
    return {};
  }
}
