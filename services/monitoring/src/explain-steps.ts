/** What was trained and what the gate compared, in sentences. @freeWords */
import { type Decision, type Evidence, ModelTrained, TrainingFailed } from '@driftloop/contracts';
import { count, date, figure, finding, found, instant, list, sentence } from './explain-words.js';
import type { CycleDocument, FactDocument } from './loop-rows.js';

/** The others are in the version. */
const shownMetrics = ['log_loss', 'auc', 'brier', 'ece'];

/** What was trained, on how many rows, and how it does on days that it has not seen. */
export function trainingSentences(doc: CycleDocument, fact: FactDocument | undefined): string[] {
  if (fact?.topic === 'training.failed') {
    const { code, reason } = TrainingFailed.fromJSON(JSON.parse(fact.payload));
    return [`The training failed with ${code}: ${sentence(reason)}`];
  }
  if (!fact) {
    if (doc.stage === 'training')
      return [`It runs; its result is due at ${instant(doc.due)}, whatever the wall clock says.`];
    return doc.outcome === 'expired' ? ['It told of no result.'] : [];
  }
  const trained = ModelTrained.fromJSON(JSON.parse(fact.payload));
  const { lineage, metrics, comparison } = trained;
  const rows = lineage?.datasetRows ?? 0;
  const known = lineage?.knowledgeCutoff ? ` that were known by ${instant(lineage.knowledgeCutoff)}` : '';
  const scores = metrics
    .filter(({ name }) => shownMetrics.includes(name))
    .map(({ name, value }) => `${name.replaceAll('_', ' ')} ${figure(value)}`);
  const days = comparison?.days.length ?? 0;
  const unseen = lineage?.embargoStart ? ` from ${date(lineage.embargoStart)} on` : '';
  return [
    `The released model learned from all ${count(rows, 'row')}${known}.`,
    ...(lineage?.excludedRows ? [`${count(lineage.excludedRows, 'row')} held in quarantine were left out.`] : []),
    ...(scores.length
      ? [`Its twin, kept from the ${count(days, 'day')}${unseen}, reached there: ${list(scores)}.`]
      : []),
  ];
}

/** What the gate compared, and what it found. */
export function gateSentences(doc: CycleDocument, said: Decision | undefined): string[] {
  if (!said) return [];
  const { outcome, reasons } = said;
  const main = found(said, 'non-inferior', 'superior');
  return [
    ...(main ? [compared(doc, main)] : []),
    ...(outcome === 'refused' ? reasons.map((reason) => sentence(`it refused: ${reason}`)) : []),
    ...(outcome === 'approved' ? approvals(said) : []),
    ...said.evidence.filter((e) => failed(e, main)).map((e) => sentence(finding(e))),
  ];
}

function compared({ champion, version }: CycleDocument, e: Evidence): string {
  const mean = Number(/mean δ (\S+?),? se/.exec(e.note)?.[1]);
  const by = mean ? `${mean < 0 ? 'higher' : 'lower'} by ${figure(Math.abs(mean))} a row than` : 'compared with';
  const needed = `t ${figure(e.statistic)}, and ${figure(e.threshold)} is the least that passes`;
  return `Over ${count(e.days, 'whole day')} with ${count(e.rows, 'row')} that neither had seen, the loss of ${version || 'the candidate'}'s twin was ${by} that of ${champion} (${needed}).`;
}

/** Checks that an approval rests on, in one sentence. */
function approvals(said: Decision): string[] {
  const leak = found(said, 'leak');
  const parity = found(said, 'parity');
  const slices = said.evidence.filter(({ test }) => test === 'slice harm').length;
  const checks = [
    ...(slices ? [`none of ${count(slices, 'slice')} is harmed`] : []),
    ...(leak
      ? [
          `no feature alone ranks the label better than ${figure(leak.threshold)} (the strongest, ${leak.subject.replace('feature ', '')}: ${figure(leak.statistic)})`,
        ]
      : []),
    ...(parity ? [`the graph answers as its trainer does, to within ${figure(parity.statistic)}`] : []),
  ];
  const reasons = said.reasons.length ? said.reasons.map((reason) => sentence(reason)) : [];
  return [
    ...(checks.length ? [sentence(`it approved: ${list(checks)}`)] : ['It approved.']),
    ...(checks.length ? [] : reasons),
  ];
}

/** Of a slice or a leak to hold is bad; of the rest not to hold. */
const failed = (e: Evidence, main: Evidence | undefined): boolean =>
  e !== main && (['slice harm', 'leak'].includes(e.test) ? e.holds : !e.holds);
