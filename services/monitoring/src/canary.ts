/**
 * The canary: does the challenger answer as well as the champion, labels aside? Looked at at every tick; unhealthy
 * stops it at once, healthy promotes it when its time is over and it has been asked often enough.
 *
 * I1  Counts are taken anew from the rows since the canary began: nothing to apply twice.
 * I2  In a replay latencies are left out: they are wall time, which no decision of a replay may depend on.
 */
import { type ArmCounts, emptyArm, latencyBucket, operationalCheck, scoreBucket } from '@driftloop/algorithms';
import { durationMs, Evidence, Verdict } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import type { Standing } from './judgement.js';
import type { CycleDocument } from './loop-rows.js';
import { type PredictionRow, Rows } from './rows.documents.js';
import type { ModelView } from './view.js';

@Injectable()
export class Canary {
  constructor(private readonly rows: Rows) {}

  /** How a canary stands at `now`: its verdict, if it has earned one, or else what it lacks. */
  async check(view: ModelView, cycle: CycleDocument, now: number, replay: boolean): Promise<Standing> {
    const since = cycle.stageSince!;
    const { percent, duration, minPredictions } = view.spec.rollout.canary;
    const rows = await this.rows.predictionsBetween(view.series, since, now + view.timing.lead + 1);
    const asked = rows.filter((row) => row.eventTime > since && row.eventTime <= now);
    const champion = armOf(
      asked.filter((row) => !row.canary),
      replay,
    );
    const canary = armOf(
      asked.filter((row) => row.canary),
      replay,
    );
    // A canary of no traffic is a wait.
    const minRequests = percent > 0 ? minPredictions : 0;
    const { health, reasons, evidence: findings } = operationalCheck({ champion, canary }, { minRequests });
    const window = { windowStart: new Date(since), windowEnd: new Date(now) };
    const evidence = findings.map((finding) => Evidence.fromPartial({ ...finding, ...window }));
    if (health === 'unhealthy')
      return { judgement: { verdict: Verdict.ROLL_BACK, reasons, evidence }, evidence, lacks: [] };
    if (health !== 'healthy') return { evidence, lacks: reasons };
    if (now < since + durationMs(duration)) return { evidence, lacks: ['its time is not over'] };
    const healthy = `healthy over ${canary.requests} canary requests`;
    return { judgement: { verdict: Verdict.PROMOTE, reasons: [healthy], evidence }, evidence, lacks: [] };
  }
}

function armOf(rows: readonly PredictionRow[], replay: boolean): ArmCounts {
  const arm = emptyArm() as { -readonly [K in keyof ArmCounts]: ArmCounts[K] };
  const latency = [...arm.latency];
  const scores = [...arm.scores];
  for (const { error, probability, latencyMs } of rows) {
    arm.requests++;
    if (error) arm.errors++;
    else if (probability === null) arm.notFinite++;
    else scores[scoreBucket(probability)]++;
    if (!replay) latency[latencyBucket(latencyMs)]++;
  }
  return { ...arm, latency, scores };
}
