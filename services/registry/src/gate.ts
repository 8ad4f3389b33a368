/** The gate: a candidate's figures against the champion's, as the algorithms judge them; a pure reading of what training sent. */
import { gate } from '@driftloop/algorithms';
import { type DayScore, type Decision, decision, type ModelSpec, type ModelTrained } from '@driftloop/contracts';

const daySums = (days: readonly DayScore[]) =>
  days.map(({ day, rows, lossDifferenceNano }) => ({ day: day!.toISOString(), rows, sum: lossDifferenceNano }));

/** Decides on a candidate at an event time (epoch ms). The outcome is "approved" or "refused", with every rule's evidence. */
export function gateDecision(trained: ModelTrained, version: string, spec: ModelSpec, time: number): Decision {
  const { gate: rules } = spec.spec;
  const subject = `${trained.tenant}/${trained.model}/${version}`;
  if (!rules.enabled)
    return decision({
      kind: 'gate',
      outcome: 'approved',
      subject,
      time,
      reasons: ['the gate is switched off by the spec'],
    });
  const days = daySums(trained.comparison?.days ?? []);
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  const verdict = gate(
    {
      days,
      slices: (trained.comparison?.slices ?? []).map(({ slice, days: d }) => ({ slice, days: daySums(d) })),
      features: trained.comparison?.features ?? [],
      parity: { rows, maxDifference: trained.graphError, notFinite: Number.isFinite(trained.graphError) ? 0 : 1 },
    },
    {
      level: 1 - rules.confidence,
      minDays: rules.embargo.minDays,
      minRows: rules.embargo.minRows,
      sliceMinRows: rules.sliceMinRows,
      leakAuc: rules.maxSingleFeatureAuc,
    },
  );
  const outcome = verdict.approved ? 'approved' : 'refused';
  return decision({ kind: 'gate', outcome, subject, time, reasons: verdict.reasons, evidence: verdict.evidence });
}
