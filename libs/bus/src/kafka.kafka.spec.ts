/** The bus on Kafka holds the bus's contract. */
import { describeOn } from '@driftloop/contracts/testing';
import { describeBus } from './bus.contract.js';
import { kafkaGround } from './contract/kafka-ground.js';

describeOn(['kafka'], 'the bus on Kafka', ({ kafka: { brokers } }) => {
  describeBus('the bus on Kafka', { open: () => kafkaGround(brokers), skip: [] });
});
