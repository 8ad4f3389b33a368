/** Span ids: random ones, except where the next span's are given (I1 of telemetry.ts). */
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

export class GivenIds implements IdGenerator {
  private readonly random = new RandomIdGenerator();
  next: { readonly traceId: string; readonly spanId: string } | undefined;

  generateTraceId(): string {
    return this.next?.traceId ?? this.random.generateTraceId();
  }
  generateSpanId(): string {
    return this.next?.spanId ?? this.random.generateSpanId();
  }
}
