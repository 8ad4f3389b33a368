/**
 * Questions to other services, traced and timed: a grpc-js interceptor of the asking service.
 *
 * I1  A question has a CLIENT span below the work that asks, and the other side is told of that span.
 * I2  Where the asker names the span to be told of (`traceparent` of AskOptions: a step of a cycle, whose id is known
 *     beforehand), that one is passed on as it is and no span comes between.
 */
import { InterceptingCall, type InterceptingListener, type Interceptor, type Metadata, status } from '@grpc/grpc-js';
import type { Span } from '@opentelemetry/api';
import { names } from './conventions.js';
import { traceparentOf } from './span-context.js';
import type { Telemetry } from './telemetry.js';

/** Makes the interceptor of calls to an address, `host:port`. */
export type CallsTo = (address: string) => Interceptor;

/** How a service's questions are traced. */
export function tracedCalls(telemetry: Telemetry): CallsTo {
  return (address) => {
    const [, host, port] = address.match(/^(.*):(\d+)$/) ?? [];
    const server = { [names.serverAddress]: host ?? address };
    return (options, nextCall) => {
      const method = options.method_definition.path.slice(1);
      const about = { [names.rpcSystem]: 'grpc', [names.rpcMethod]: method, ...server };
      return new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) => {
          const started = performance.now();
          const span = spanOf(telemetry, metadata, method, { ...about, [names.serverPort]: Number(port) });
          next(
            metadata,
            listening(listener, (code, details) => {
              const own = { [names.rpcStatus]: status[code] };
              const type = code === status.OK ? {} : { [names.errorType]: status[code] };
              const { metrics } = telemetry;
              metrics
                .histogram('rpc.client.call.duration')
                .record((performance.now() - started) / 1000, { ...about, ...own, ...type });
              span?.setAttributes(own);
              if (span) telemetry.end(span, code === status.OK ? undefined : { code: status[code], message: details });
            }),
          );
        },
      });
    };
  };
}

/** I1, I2 */
function spanOf(
  telemetry: Telemetry,
  metadata: Metadata,
  method: string,
  about: Record<string, string | number>,
): Span | undefined {
  if (!telemetry.enabled || metadata.get('traceparent').length > 0) return undefined;
  const span = telemetry.asked(method, about);
  metadata.set('traceparent', traceparentOf(span));
  return span;
}

/** The same listener, which tells of the end first. */
function listening(
  listener: InterceptingListener,
  ended: (code: status, details: string) => void,
): InterceptingListener {
  return {
    onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
    onReceiveMessage: (message: unknown) => listener.onReceiveMessage(message),
    onReceiveStatus: (end) => {
      ended(end.code, end.details);
      listener.onReceiveStatus(end);
    },
  };
}
