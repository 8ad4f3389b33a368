import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import {
  type ArmCounts,
  emptyArm,
  latencyBucket,
  latencyEdge,
  mergeArms,
  operationalCheck,
  scoreBucket,
} from './operations.js';

interface Behaviour {
  errors?: number;
  notFinite?: number;
  latency?: number;
  shift?: number;
}

/** An arm of `requests` answers: log-normal latencies around `latency` ms, scores around .25 + shift. */
function arm(
  requests: number,
  seed: number,
  { errors = 0, notFinite = 0, latency = 3, shift = 0 }: Behaviour = {},
): ArmCounts {
  const random = new Random(seed);
  const latencies = [...emptyArm().latency];
  const scores = [...emptyArm().scores];
  for (let i = 0; i < requests; i++) {
    latencies[latencyBucket(latency * Math.exp(random.normal(0, 0.4)))]++;
    scores[scoreBucket(0.25 + shift + random.normal(0, 0.12))]++;
  }
  return { requests, errors, notFinite, latency: latencies, scores };
}
const champion = arm(2700, 1, { errors: 3 });

describe('the operational check', () => {
  it.each([
    ['either arm', true, true],
    ['the canary', false, true],
    ['the champion', true, false],
  ])('says that it compared no latencies where none of %s was counted', (whose, ofChampion, ofCanary) => {
    const { latency } = emptyArm();
    const canary = arm(300, 2);
    const { health, evidence } = operationalCheck({
      champion: ofChampion ? { ...champion, latency } : champion,
      canary: ofCanary ? { ...canary, latency } : canary,
    });
    const note = `not compared: no latency of ${whose} was counted`;
    expect(evidence.find(({ test }) => test === 'latency')).toMatchObject({ statistic: 0, holds: false, note });
    expect(health).toBe('healthy');
  });

  it('finds a like canary healthy', () => {
    expect(operationalCheck({ champion, canary: arm(300, 2) })).toMatchObject({ health: 'healthy', reasons: [] });
  });

  it('finds errors, answers that are no numbers, slowness and shifted scores', () => {
    const wrong = (b: Behaviour): string[] => {
      const verdict = operationalCheck({ champion, canary: arm(300, 3, b) });
      return [verdict.health, ...verdict.evidence.filter((e) => e.holds).map((e) => e.test)];
    };
    expect(wrong({ errors: 12 })).toEqual(['unhealthy', 'error rate']);
    expect(wrong({ notFinite: 9 })).toEqual(['unhealthy', 'not-a-number rate']);
    expect(wrong({ latency: 12 })).toEqual(['unhealthy', 'latency']);
    expect(wrong({ shift: 0.2 })).toEqual(['unhealthy', 'score shift']);
  });

  it('does not cry over one error in a small arm, nor over microseconds', () => {
    expect(operationalCheck({ champion: arm(1800, 4), canary: arm(200, 5, { errors: 1 }) }).health).toBe('healthy');
    expect(
      operationalCheck({ champion: arm(1800, 4, { latency: 0.2 }), canary: arm(200, 5, { latency: 1 }) }).health,
    ).toBe('healthy');
  });

  it('waits for exposure, but not to call a burning canary unhealthy', () => {
    expect(operationalCheck({ champion, canary: arm(50, 6) })).toMatchObject({ health: 'not enough' });
    expect(operationalCheck({ champion, canary: emptyArm() }).health).toBe('not enough');
    expect(operationalCheck({ champion, canary: arm(50, 6, { errors: 25 }) }).health).toBe('unhealthy');
  });

  it('calls at most one in a hundred like canaries unhealthy', () => {
    let alarms = 0;
    for (let i = 0; i < 300; i++) {
      const random = new Random(i);
      const errors = (n: number): number =>
        Array.from({ length: n }, () => (random.uniform() < 0.01 ? 1 : 0)).reduce((a: number, b) => a + b, 0);
      const arms = {
        champion: arm(1500, 1000 + i, { errors: errors(1500) }),
        canary: arm(220, 5000 + i, { errors: errors(220) }),
      };
      if (operationalCheck(arms).health === 'unhealthy') alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(3);
  });

  it('adds up windows in any order', () => {
    const [a, b, c] = [arm(10, 7), arm(20, 8, { errors: 2 }), arm(30, 9)];
    expect(mergeArms(c, mergeArms(b, a))).toEqual(mergeArms(a, b, c));
    expect(mergeArms(a, b, c)).toMatchObject({ requests: 60, errors: 2 });
  });

  it('refuses counts that contradict each other', () => {
    expect(() => operationalCheck({ champion, canary: { ...emptyArm(), errors: 1 } })).toThrow(BadInput);
    expect(() => operationalCheck({ champion, canary: { ...emptyArm(), scores: [] } })).toThrow('emptyArm');
  });
});

describe('the buckets', () => {
  it('hold each latency at or below their edge and above the one before', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.11, max: 90_000, noNaN: true }), (ms) => {
        const b = latencyBucket(ms);
        expect(ms).toBeLessThanOrEqual(latencyEdge(b) * (1 + 1e-9));
        expect(ms).toBeGreaterThan(latencyEdge(b - 1));
      }),
      { seed: 12 },
    );
    expect([latencyBucket(0), latencyBucket(1e12), scoreBucket(0), scoreBucket(1)]).toEqual([0, 80, 0, 19]);
  });
});
