/**
 * Asks once more where an answer was lost after it had begun: gRPC's own retries end with the first header of an answer
 * (gRFC A6, "commit"), so that a server which dies between header and message would cost its caller the question.
 *
 * I1  Only a call of one question and one answer that may be asked twice, and only where the answer has not arrived.
 * I2  A server that refuses says why in trailers of its own and is believed; what is lost has none.
 * I3  Once: the second attempt has gRPC's retries, and the first one's deadline.
 */
import { InterceptingCall, type Interceptor, type Metadata, type StatusObject, status } from '@grpc/grpc-js';

/** Interceptor for the methods that `mayBeAskedTwice` (by path, "/package.Service/Method") allows. */
export const onceMore =
  (mayBeAskedTwice: (path: string) => boolean): Interceptor =>
  (options, nextCall) => {
    const { path, requestStream, responseStream } = options.method_definition;
    if (requestStream || responseStream || !mayBeAskedTwice(path)) return new InterceptingCall(nextCall(options));
    let sent: unknown;
    let call = nextCall(options);
    const first = call;
    let isCancelled = false;
    return new InterceptingCall(first, {
      start(metadata, listener, next) {
        let begun = false;
        let answered = false;
        const asked = metadata.clone();
        next(metadata, {
          onReceiveMetadata(headers, pass) {
            begun = true;
            pass(headers);
          },
          onReceiveMessage(message, pass) {
            answered = message !== null && message !== undefined;
            pass(message);
          },
          onReceiveStatus(ended, pass) {
            if (isCancelled || answered || !begun || !isLost(ended)) return pass(ended);
            call = nextCall(options);
            call.start(asked, {
              onReceiveMessage: (message) => listener.onReceiveMessage(message),
              onReceiveStatus: (second) => listener.onReceiveStatus(second),
            });
            call.sendMessage(sent);
            call.halfClose();
          },
        });
      },
      sendMessage(message, next) {
        sent = message;
        next(message);
      },
      cancel(next) {
        isCancelled = true;
        if (call === first) next();
        else call.cancelWithStatus(status.CANCELLED, 'Cancelled on client');
      },
    });
  };

const isLost = (ended: StatusObject) => ended.code === status.UNAVAILABLE && isSilent(ended.metadata);
const isSilent = (trailers: Metadata) => trailers.get('driftloop-error-bin').length === 0;
