/**
 * A callback before a consumer joins its group again, which kafkajs does not have: without it a member goes on handling
 * events of a partition that another member has been given, and commits them too late.
 *
 * A consumer's assigners are its own objects, so the callback travels with them; kafkajs's one way into a group, the
 * consumer group's `joinAndSync`, is made to await it first.
 *
 * I1  A consumer that was called back joins, or ends. kafkajs takes a join that failed for a moment, as where a broker starts
 *     anew, for a failed fetch, and fetches on: the broker may still know the member, so that it never joins again, and whoever
 *     was called back would wait for its partitions for ever.
 */
import { type Assigner, AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';

const { joinAndSync } = ConsumerGroup.prototype;

ConsumerGroup.prototype.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
  for (const { beforeJoin } of this.assigners) await beforeJoin?.();
  try {
    await joinAndSync.call(this);
  } catch (error) {
    const { message } = error as Error;
    throw Object.assign(new Error(message, { cause: error }), { retriable: false }); // I1
  }
};

/** Spreads partitions over members in turn, topics and members in their names' order, and calls back before each join. */
export function assignerWith(beforeJoin: () => Promise<void>): PartitionAssigner {
  return ({ cluster }): Assigner & { beforeJoin: () => Promise<void> } => ({
    name: 'driftloop',
    version: 0,
    beforeJoin,
    async assign({ members, topics }) {
      const names = members.map(({ memberId }) => memberId).sort();
      const shares = new Map(names.map((name) => [name, {} as Record<string, number[]>]));
      const parts = [...topics]
        .sort()
        .flatMap((topic) =>
          cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partitionId })),
        );
      for (const [i, { topic, partitionId }] of parts.entries()) {
        const share = shares.get(names[i % names.length])!;
        share[topic] = [...(share[topic] ?? []), partitionId];
      }
      return [...shares].map(([memberId, assignment]) => {
        const memberAssignment = AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment,
          userData: Buffer.alloc(0),
        });
        return { memberId, memberAssignment };
      });
    },
    protocol({ topics }) {
      const metadata = AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) });
      return { name: 'driftloop', metadata };
    },
  });
}
