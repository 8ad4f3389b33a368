/** Parts of kafkajs 2.2.4 that it does not export, as far as they are used here. */
declare module 'kafkajs/src/consumer/consumerGroup.js' {
  import type { Assigner } from 'kafkajs';
  export default class ConsumerGroup {
    readonly assigners: readonly (Assigner & { readonly beforeJoin?: () => Promise<void> })[];
    joinAndSync(): Promise<void>;
  }
}
declare module 'kafkajs/src/broker/index.js' {
  type Request = (...request: unknown[]) => Promise<unknown>;
  export default class Broker {
    heartbeat: Request;
    joinGroup: Request;
  }
}
