/** What the bus asks of brokers that have just started: real ones settle in their first seconds, and only then. */
import type { Admin } from 'kafkajs';
import { isSettling, Wire } from './wire.js';

const settling = ['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP'];
const answer = [{ topic: 't', partitions: [{ partition: 0, offset: '7', metadata: null }] }];
const failure = (type: string) => Object.assign(new Error(type), { type });

/** A wire to brokers that give these answers in turn; an error is thrown. */
function wireTo(answers: unknown[]) {
  let asked = 0;
  const next = async () => {
    const given = answers[Math.min(asked++, answers.length - 1)];
    if (given instanceof Error) throw given;
    return given;
  };
  const cluster = {
    connect: async () => undefined,
    refreshMetadata: async () => undefined,
    findGroupCoordinator: async () => ({ offsetCommit: next }),
  };
  const made = Wire as unknown as new (cluster: object, admin: Pick<Admin, 'fetchOffsets'>) => Wire;
  return { wire: new made(cluster, { fetchOffsets: next as Admin['fetchOffsets'] }), asked: () => asked };
}

it.each(settling)('asks for places again while brokers answer %s', async (type) => {
  const { wire } = wireTo([failure(type), failure(type), answer]);
  expect(await wire.committed('g')).toEqual(new Map([['t', new Map([[0, 7]])]]));
});

it.each(settling)('sets places again while brokers answer %s', async (type) => {
  const { wire, asked } = wireTo([failure(type), failure(type), undefined]);
  await wire.place('g', [{ topic: 't', partition: 0, offset: 7 }]);
  expect(asked()).toBe(3);
});

it('leaves its own place to a group that has members, and asks once more after anything else', async () => {
  const taken = wireTo([failure('UNKNOWN_MEMBER_ID')]);
  await taken.wire.place('g', [{ topic: 't', partition: 0, offset: 7 }]);
  const broken = wireTo([new Error('closed connection')]);
  await expect(broken.wire.committed('g')).rejects.toThrow('closed connection');
  expect(broken.asked()).toBe(2);
});

it('finds what brokers say under what kafkajs gives up with', () => {
  const cause = failure('NOT_LEADER_FOR_PARTITION');
  expect(isSettling(new Error('too many retries', { cause }))).toBe(true);
  expect(isSettling(new Error('anything'))).toBe(false);
});
