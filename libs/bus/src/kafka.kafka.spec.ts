/** The bus on Kafka holds the bus's contract. */
import { describeBus } from './bus.contract.js';
import { brokers, kafkaGround } from './contract/kafka-ground.js';

const reason = 'KAFKA_BROKERS names no broker';
if (brokers.length > 0) describeBus('the bus on Kafka', { open: () => kafkaGround(), skip: [] });
else it.skip(`the bus on Kafka holds the bus's contract (skipped: ${reason})`, () => undefined);
