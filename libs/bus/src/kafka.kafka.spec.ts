/** The bus on Kafka holds the bus's contract. */
import { describeOn } from '@driftloop/testing/servers';
import { describeBus } from './bus.contract.js';
import { kafkaGround } from './testing/kafka-ground.js';

describeOn(['kafka'], 'the bus on Kafka', ({ kafka: { brokers } }) => {
  // Nobody dies in the contract, and a member that a busy machine holds up is not taken for dead: it would hear events again.
  const open = () => kafkaGround(brokers, { sessionMs: 30_000 });
  describeBus('the bus on Kafka', { open, skip: [] });
});
