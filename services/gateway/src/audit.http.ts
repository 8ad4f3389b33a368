/** The audit over HTTP: what callers have done at every service and at the gateway itself, as one list. */
import { ReadAuditReply, ReadAuditRequest, services } from '@driftloop/contracts';
import { Audit, Credentials, call } from '@driftloop/service';
import { Controller, Get, Headers } from '@nestjs/common';
import { KnownQuery } from './known-fields.js';
import { forwarded, limitOf, optionalText } from './request.js';
import { Upstreams } from './upstreams.js';

const shown = { usual: 100, most: 1000 };

@Controller('v1/audit')
export class AuditDoor {
  constructor(
    private readonly upstreams: Upstreams,
    private readonly audit: Audit,
    private readonly credentials: Credentials,
  ) {}

  /** Newest first; `before` is the id of the last one that was seen. A service that is away is an error, no gap. */
  @Get()
  async list(
    @KnownQuery('before', 'by', 'subject', 'limit') query: Record<string, unknown>,
    @Headers() headers: Record<string, string | undefined>,
  ) {
    const limit = limitOf(query, shown);
    const texts = { before: optionalText(query, 'before'), by: optionalText(query, 'by') };
    const request = ReadAuditRequest.fromPartial({ limit, ...texts, subject: optionalText(query, 'subject') });
    const { tenant } = this.credentials.caller(headers.authorization, '');
    const replies = await Promise.all([
      this.audit.read(tenant, request),
      ...services.map((service) =>
        call(this.upstreams.admin(service), 'readAudit', request, forwarded(headers)).then(({ acts }) => acts),
      ),
    ]);
    const acts = replies.flat().sort((a, b) => (a.id > b.id ? -1 : 1));
    return ReadAuditReply.toJSON({ acts: acts.slice(0, limit) });
  }
}
