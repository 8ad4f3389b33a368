/** Tells the loop as it happens: event time, what was seen, its evidence in one line, what followed. */
import type {
  CycleClosed,
  Decision,
  DriftDetected,
  Evidence,
  LoopHeld,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  ModelTrained,
  PerformanceDegraded,
  QuarantineChanged,
  RetrainingRequested,
  RolloutChanged,
  RolloutFailed,
  RolloutJudged,
  SilenceChanged,
  TrainingFailed,
} from '@driftloop/contracts';
import { events, Stage, Verdict } from '@driftloop/contracts';

/** Topics that the narration is made of. */
export const toldTopics = [
  events.retrainingRequested,
  events.modelTrained,
  events.trainingFailed,
  events.modelApproved,
  events.modelRefused,
  events.rolloutChanged,
  events.rolloutFailed,
  events.rolloutJudged,
  events.modelPromoted,
  events.modelRolledBack,
  events.cycleClosed,
  events.driftDetected,
  events.performanceDegraded,
  events.silenceChanged,
  events.loopHeld,
  events.quarantineChanged,
].map((event) => event.topic);

type Tell = (payload: never) => string | undefined;

const tellers: Record<string, Tell> = {
  'retraining.requested': ({ purpose, cycleId, decision }: RetrainingRequested) =>
    `${purpose === 'bootstrap' ? 'enough labels for a first model' : reasonsOf(decision)} → retraining requested (cycle ${short(cycleId)})`,
  'model.trained': ({ metrics, lineage, comparison }: ModelTrained) =>
    `trained on ${count(lineage?.datasetRows)} rows; on ${comparison?.days.length ?? 0} embargoed days AUC ${metric(metrics, 'auc')}, log loss ${metric(metrics, 'log_loss')} → the gate decides`,
  'training.failed': ({ code, reason }: TrainingFailed) => `training failed: ${code}, ${reason}`,
  'model.approved': ({ version, decision }: ModelApproved) => `${version} passed the gate: ${strongest(decision)}`,
  'model.refused': ({ version, decision }: ModelRefused) => `${version} refused by the gate: ${reasonsOf(decision)}`,
  'rollout.changed': ({ rollout }: RolloutChanged) =>
    rollout?.stage === Stage.CANARY
      ? `${rollout.challenger?.version} answers ${rollout.canaryPercent}% of the traffic as canary`
      : undefined,
  'rollout.failed': ({ version, reason }: RolloutFailed) => `${version} cannot be served: ${reason}`,
  'rollout.judged': ({ version, stage, verdict, decision }: RolloutJudged) =>
    `${version} in ${stage === Stage.SHADOW ? `shadow: ${strongest(decision)}` : `canary: ${reasonsOf(decision)}`} → ${verdicts[verdict]}`,
  'model.promoted': ({ version, previous }: ModelPromoted) => `${version} promoted, ${previous} retired`,
  'model.rolled-back': ({ version, champion, outcome, decision }: ModelRolledBack) =>
    `${version} ${outcome.replace('_', ' ')} (${reasonsOf(decision)}); ${champion} goes on answering`,
  'cycle.closed': ({ cycleId, outcome, opened, closed }: CycleClosed) =>
    `cycle ${short(cycleId)} closed: ${outcome.replace('_', ' ')} after ${((closed!.getTime() - opened!.getTime()) / 86_400_000).toFixed(1)} days`,
  'drift.detected': ({ decision }: DriftDetected) => `drift: ${reasonsOf(decision)}`,
  'silence.changed': ({ decision }: SilenceChanged) => reasonsOf(decision),
  'loop.held': ({ by, decision }: LoopHeld) => `${by}: ${reasonsOf(decision)}`,
  'quarantine.changed': ({ decision }: QuarantineChanged) => `quarantine: ${reasonsOf(decision)}`,
  'performance.degraded': ({ decision }: PerformanceDegraded) => `performance: ${reasonsOf(decision)}`,
} as Record<string, Tell>;

const verdicts: Record<Verdict, string> = {
  [Verdict.UNSPECIFIED]: 'nothing',
  [Verdict.ADVANCE]: 'canary',
  [Verdict.PROMOTE]: 'promote',
  [Verdict.ROLL_BACK]: 'roll back',
  [Verdict.UNRECOGNIZED]: 'a word that is not known here',
};

/** One line about an event, or undefined for one that tells nothing new. */
export function narrate(topic: string, source: string, time: Date, payload: unknown): string | undefined {
  const text = tellers[topic]?.(payload as never);
  const when = time.toISOString().slice(0, 16).replace('T', ' ');
  return text && `${when}  ${source.replace('/driftloop/', '').padEnd(10)}  ${text}`;
}

const short = (id: string) => id.slice(0, 8);
const count = (n = 0) => n.toLocaleString('en');
const metric = (metrics: { name: string; value: number }[], name: string) =>
  metrics.find((m) => m.name === name)?.value.toFixed(4) ?? '?';
const figure = (x: number) =>
  Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : Number(x.toPrecision(3)).toString();

function shown({ test, subject, statistic, threshold, rows, days }: Evidence): string {
  const size = rows ? `, ${count(rows)} rows${days ? ` in ${days} days` : ''}` : '';
  return `${test}${subject ? ` (${subject})` : ''} ${figure(statistic)} against ${figure(threshold)}${size}`;
}

function reasonsOf(decision: Decision | undefined): string {
  const reasons = decision?.reasons ?? [];
  const more = reasons.length > 2 ? ` and ${reasons.length - 2} more` : '';
  return reasons.length ? reasons.slice(0, 2).join('; ') + more : strongest(decision);
}

/** Tests that say most about a decision, the most telling first. */
const telling = [
  'gross harm',
  'harm',
  'score shift',
  'error rate',
  'good enough at the limit',
  'better',
  'not worse by the margin',
  'non-inferior',
];

/** The most telling piece of evidence that held, or else the first. */
function strongest(decision: Decision | undefined): string {
  const rank = ({ test }: Evidence) => (telling.indexOf(test) + telling.length + 1) % (telling.length + 1);
  const held = decision?.evidence.filter((e) => e.holds).sort((a, b) => rank(a) - rank(b));
  const evidence = held?.[0] ?? decision?.evidence[0];
  return evidence ? shown(evidence) : (decision?.reasons.join('; ') ?? '');
}
