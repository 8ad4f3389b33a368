/** Why a cycle opened, in sentences: the signal against its threshold, what else held, what had moved, what was held back. @freeWords */
import { type Decision, type Evidence, QuarantineWindow } from '@driftloop/contracts';
import { basis, count, figure, list, sentence, stretch } from './explain-words.js';
import type { CycleDocument } from './loop-rows.js';

type Say = (evidence: Evidence, champion: string) => string;

/** What was found, and what the policy asks for. */
const signals: Record<string, Say> = {
  bootstrap: ({ rows, threshold }, champion) =>
    `No training had made ${champion}, and ${rows} labels were known; ${figure(threshold)} are enough for a first model.`,
  growth: (e, champion) =>
    `${count(e.rows, 'fresh label')} had become known since ${champion} was trained, ${figure(e.statistic)} times as many as it was trained on${asked(e)}.`,
  calibrationGap: (e, champion) =>
    `What ${champion} predicted and what came true lay ${figure(e.statistic)} apart on average${basis(e)}${asked(e)}.`,
  performance: (e, champion) => `The loss of ${champion} had risen by ${figure(e.statistic)}${basis(e)}${asked(e)}.`,
  featureDrift: (e) =>
    `The distribution of ${e.subject} had moved by a PSI of ${figure(e.statistic)}${basis(e)}${asked(e)}.`,
  predictionDrift: (e) =>
    `The distribution of the predictions had moved by a PSI of ${figure(e.statistic)}${basis(e)}${asked(e)}.`,
  calendar: (e) => `${figure(e.statistic)} days had passed since the last cycle${asked(e)}.`,
};

/** The threshold, and how clear the finding is; where it does not hold, that it opened nothing. */
function asked({ threshold, holds, note }: Evidence): string {
  const [, z, least] = /^z (\S+) against ([\d.]+)/.exec(note ?? '') ?? [];
  const clear = z === undefined ? '' : ` at a z of ${least}, and it was ${z}`;
  const policy = `the policy asks for ${figure(threshold)}${clear}`;
  return holds ? `; ${policy}` : `; ${policy}: that alone would have opened nothing`;
}

/** In half a sentence, for the summary. */
export function cause({ signal, champion }: CycleDocument, said: Decision | undefined): string {
  if (signal === 'bootstrap') return `no training had made the champion ${champion}`;
  const first = said?.evidence.find((e) => signals[e.test] && e.holds);
  if (!first) return `of ${signal}`;
  const { test, statistic, threshold } = first;
  return `${test.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} was ${figure(statistic)}, at or above ${figure(threshold)}`;
}

/** Why it opened. */
export function openingSentences(doc: CycleDocument, said: Decision | undefined): string[] {
  const { champion, attempt, number } = doc;
  const triggers = (said?.evidence ?? []).filter(({ test }) => signals[test]);
  const causes = triggers.map((evidence) => signals[evidence.test](evidence, champion));
  const which = attempt > 1 ? `, the ${ordinal(attempt)} attempt against ${champion}` : ` against ${champion}`;
  return [
    ...(causes.length ? causes : (said?.reasons ?? []).map(sentence)),
    ...moved(said),
    ...held(doc),
    `It is cycle ${number} of ${doc.model}${which}.`,
  ];
}

/** What had moved: a diagnosis, which opens nothing by itself. */
function moved(said: Decision | undefined): string[] {
  const movements = (said?.evidence ?? []).filter(({ test }) => test === 'movement');
  if (!movements.length) return [];
  const words = movements.map(({ subject, note }) => `${subject} (${note})`);
  return [`What had moved most meanwhile: ${list(words)}.`];
}

function held({ quarantined = [] }: CycleDocument): string[] {
  if (!quarantined.length) return [];
  const stretches = quarantined.map((window) => stretch(QuarantineWindow.fromJSON(window)));
  const are = stretches.length === 1 ? 'One stretch was' : `${stretches.length} stretches were`;
  return [`${are} held in quarantine, counted as no fresh labels, and not learned from: ${list(stretches)}.`];
}

const ordinal = (n: number): string => {
  const ends = ['th', 'st', 'nd', 'rd'];
  return `${n}${(n % 100 > 10 && n % 100 < 14 ? undefined : ends[n % 10]) ?? 'th'}`;
};
