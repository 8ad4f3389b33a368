/** What came of a cycle, in sentences, and what a person can do now. @freeWords */
import { count, figure, instant, sentence } from './explain-words.js';
import type { CycleDocument } from './loop-rows.js';
import type { ModelView } from './view.js';

/** What stands around a cycle now. */
export interface Surroundings {
  /** By when the present stage has to be over, epoch ms. */
  readonly deadline: number;
  readonly frozen: boolean;
  readonly paused: boolean;
  /** Why no cycle opens, where the breaker is open. */
  readonly breaker: string | undefined;
  /** Who answers now. */
  readonly champion: string;
}

const words: Record<string, string> = {
  promoted: 'promoted',
  refused: 'refused by the gate',
  rolled_back: 'rolled back',
  superseded: 'superseded',
  failed: 'failed',
  expired: 'expired',
};

/** "promoted", "open, in shadow" */
export const stateOf = ({ outcome, stage }: CycleDocument): string => (outcome ? words[outcome] : `open, in ${stage}`);

/** What came of it. */
export function endingSentences(doc: CycleDocument, around: Surroundings): string[] {
  const { outcome, champion, version, reasons } = doc;
  const why = reasons.map(sentence);
  const stays = `${champion} went on answering.`;
  if (outcome === 'promoted') return [`${version} became champion in place of ${champion}.`, ...why];
  if (outcome === 'refused') return [`${version || 'The candidate'} never came before callers; ${stays}`];
  if (outcome === 'rolled_back') return [`${version} was withdrawn; ${stays}`, ...why];
  if (outcome === 'superseded')
    return [
      `The champion was moved meanwhile, so that ${version || 'the candidate'} had been compared with the wrong one.`,
      ...why,
    ];
  if (outcome === 'failed') return [`There was no candidate; ${stays}`, ...why];
  if (outcome === 'expired') return [`It came to no end in time; ${stays}`, ...why];
  const waits = around.frozen ? ' It waits as long as the champion is frozen, and its deadline stands still.' : '';
  return [`It is in ${doc.stage}, and has until ${instant(around.deadline)} for that.${waits}`];
}

/** What a person can do now: commands that would work, and what happens by itself. */
export function remediesOf(view: ModelView, doc: CycleDocument, around: Surroundings): string[] {
  const held = [
    ...(around.breaker
      ? ['The breaker is open, no cycle opens: look at the last cycles, then `driftloop resume`.']
      : []),
    ...(around.paused ? ['The loop is paused, no cycle opens: `driftloop resume` lets it go on.'] : []),
    ...(around.frozen ? ['The champion is frozen: `driftloop thaw` lets trials go on.'] : []),
  ];
  return [...byOutcome(view, doc, around), ...held];
}

function byOutcome(view: ModelView, doc: CycleDocument, { champion: now }: Surroundings): string[] {
  const { outcome, champion, version } = doc;
  const { minFreshLabels } = view.spec.retraining;
  const again = `The next attempt opens by itself, once ${count(minFreshLabels, 'fresh label')} have come and the policy's signal holds.`;
  const byHand = `\`driftloop promote ${version}\` makes ${version} champion all the same.`;
  switch (outcome) {
    case 'promoted':
      if (now !== version) return [`Nothing: ${now} has taken its place since.`];
      return [
        `Nothing needs doing. \`driftloop rollback\` puts ${champion} back; \`driftloop freeze\` keeps ${version} where it is.`,
      ];
    case 'refused':
      return [
        again,
        'If the gate is wrong about this model, change `gate` in its spec, `driftloop simulate` it, and `driftloop apply` it.',
      ];
    case 'rolled_back':
      return [again, ...(version ? [byHand] : [])];
    case 'superseded':
      return [
        `Nothing needs doing: ${now} answers, and the next cycle is compared with it.`,
        ...(version ? [byHand] : []),
      ];
    case 'failed':
      return [
        'Mend what the reason names: the spec (`driftloop apply`), the data (`driftloop quarantine`), or the machine (`driftloop services`, and the log of training).',
        again,
      ];
    case 'expired':
      return [
        'See who did not do its part: `driftloop services`, `driftloop dead`, `driftloop trace` of this cycle.',
        again,
      ];
    default:
      return whileOpen(doc);
  }
}

function whileOpen({ stage, version, champion }: CycleDocument): string[] {
  if (stage === 'training' || stage === 'gate')
    return [
      'Wait; or `driftloop freeze` so that what comes of it waits too. `driftloop pause` lets no further cycle open.',
    ];
  return [
    `Wait; or \`driftloop promote ${version} --expect ${champion}\` ends the trial with it as champion, \`driftloop rollback\` withdraws it, \`driftloop freeze\` lets it wait.`,
  ];
}

/** For how long the champion was frozen while the cycle was open. */
export function freezeSentences(view: ModelView, { opened, closed }: CycleDocument, now: number): string[] {
  const hours = view.heldMs(opened, closed ?? now) / 3_600_000;
  return hours
    ? [`The champion was frozen for ${figure(hours)} hours of it; its deadlines stood still meanwhile.`]
    : [];
}
