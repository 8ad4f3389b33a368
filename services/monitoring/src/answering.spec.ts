import { RolloutFailed, RolloutFollowed } from '@driftloop/contracts';
import { fallenBack, replicasOf } from './answering.js';
import type { FactDocument } from './loop-rows.js';

const told = { tenant: 'main', model: 'parcels', replica: 'a', revision: 2 };
const factOf = (topic: string, payload: unknown) => ({ topic, payload: JSON.stringify(payload) }) as FactDocument;
const followed = (report: number) =>
  factOf('rollout.followed', RolloutFollowed.toJSON(RolloutFollowed.fromPartial({ ...told, version: 'v1', report })));
const why = { version: 'v1', answering: 'v0', code: 'MODEL_CORRUPT', reason: 'its bytes were changed' };
const failed = (report: number) =>
  factOf('rollout.failed', RolloutFailed.toJSON(RolloutFailed.fromPartial({ ...told, ...why, report })));

describe('who answers', () => {
  it.each([
    ['a version that was spoiled after it was followed', [followed(1), failed(2)], 'v0'],
    ['as it was reported last, in whatever order it was heard', [failed(2), followed(1)], 'v0'],
    ['a version that was restored', [followed(1), failed(2), followed(3)], 'v1'],
    ['who followed, where replicas of before keep no count', [failed(0), followed(0)], 'v1'],
    ['who followed, where replicas of before keep no count, however it was heard', [followed(0), failed(0)], 'v1'],
  ])('is told of %s', (_what, facts, version) => {
    const replicas = replicasOf(facts);
    expect(replicas.map(({ answering }) => answering)).toEqual([version]);
    const attention = /replica a cannot serve v1 \(MODEL_CORRUPT.*it goes on answering with v0/;
    expect(fallenBack(replicas)).toEqual(version === 'v0' ? [expect.stringMatching(attention)] : []);
  });
});
