/**
 * A cycle in words, from what its document, the facts of the loop and the closed days say: each sentence with the
 * figures that a person can check. Nothing is computed here that was not decided upon then.
 * @freeWords
 */
import { type CycleExplanation, Decision } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { attentionOf } from './breaker.js';
import type { DayDocument } from './day-rows.js';
import { Days } from './days.documents.js';
import { deadlineOf } from './deadlines.js';
import { endingSentences, freezeSentences, remediesOf, type Surroundings, stateOf } from './explain-ending.js';
import { cause, openingSentences } from './explain-opening.js';
import { gateSentences, trainingSentences } from './explain-steps.js';
import { canarySentences, shadowSentences, type Word } from './explain-trial.js';
import { date, passage, sentence } from './explain-words.js';
import { Facts } from './facts.js';
import { HoldDocuments } from './holds.documents.js';
import { firstWholeDay, Judge } from './judge.js';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument, FactDocument } from './loop-rows.js';
import { Reading } from './reading.js';
import type { ModelView } from './view.js';

@Injectable()
export class Explaining {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly holds: HoldDocuments,
    private readonly facts: Facts,
    private readonly days: Days,
    private readonly judge: Judge,
    private readonly reading: Reading,
  ) {}

  /** Throws UNKNOWN_CYCLE, CYCLE_AMBIGUOUS, CYCLE_PREFIX_TOO_SHORT. */
  async explain(tenant: string, beginning: string): Promise<CycleExplanation> {
    const doc = await this.reading.cycleDocument(tenant, beginning);
    const view = await this.facts.viewOf(doc.series);
    const around = await this.surroundings(view, doc);
    const said = decisionsOf(doc);
    const opening = said.find(({ kind }) => kind === 'cycle.opened');
    const trained = await this.trainedOf(doc);
    const gate = said.find(({ kind }) => kind === 'gate');
    return {
      ...{ cycleId: doc._id, model: doc.model, outcome: doc.outcome },
      summary: summaryOf(doc, opening),
      passages: [
        ...passage('Why it opened', doc.opened, openingSentences(doc, opening)),
        ...passage('The training', trained?.time, trainingSentences(doc, trained)),
        ...passage('The gate', gate?.eventTime, gateSentences(doc, gate)),
        ...(await this.trial(view, doc, said)),
        ...passage('What came of it', doc.closed ?? undefined, [
          ...endingSentences(doc, around),
          ...freezeSentences(view, doc, around.now),
        ]),
      ],
      remedies: remediesOf(view, doc, around),
    };
  }

  private async surroundings(view: ModelView, doc: CycleDocument): Promise<Surroundings & { now: number }> {
    const { series } = doc;
    const now = (await this.documents.clock())?.now ?? doc.opened;
    const cycles = await this.documents.cyclesOf(series);
    const breaker = attentionOf(view, cycles, await this.documents.signalsOf(series));
    const paused = (await this.holds.last(series))?.paused ?? false;
    const { champion, rollout } = view;
    return { now, deadline: deadlineOf(view, doc, now), frozen: rollout.held, paused, breaker, champion };
  }

  /** What training said of the cycle. */
  private async trainedOf(doc: CycleDocument): Promise<FactDocument | undefined> {
    const facts = await this.documents.factsOf(doc.series);
    const ended = facts.filter(({ topic }) => topic === 'model.trained' || topic === 'training.failed');
    return ended.find(({ payload }) => (JSON.parse(payload) as { cycleId?: string }).cycleId === doc._id);
  }

  private async trial(view: ModelView, doc: CycleDocument, said: readonly Decision[]) {
    const began = view.stagesOf(doc._id);
    const judged = (stage: 'shadow' | 'canary'): Word[] =>
      said.filter((one) => one.kind === 'judgement' && stageOf(one, began) === stage).map((one) => ({ said: one }));
    const { shadow, canary } = began;
    if (!shadow) return [];
    const words = judged('shadow');
    if (doc.stage === 'shadow' && !words.length) {
      const standing = await this.judge.shadow(view, doc);
      words.push({ lacks: standing?.lacks ?? ['no whole day of it has closed'] });
    }
    const days = await this.shadowDays(view, doc, shadow.since, words.at(-1)?.said ?? said.at(-1));
    return [
      ...passage('In shadow', shadow.since, shadowSentences(view, doc, days, words)),
      ...(canary ? passage('As canary', canary.since, canarySentences(doc, canary.percent, judged('canary'))) : []),
    ];
  }

  /** The days that the judge had seen by its word, or all there are. */
  private async shadowDays(view: ModelView, doc: CycleDocument, since: number, last: Decision | undefined) {
    const days = await this.days.from(doc.series, firstWholeDay(view, since));
    const until = last && doc.stage !== 'shadow' ? last.eventTime!.getTime() : Number.POSITIVE_INFINITY;
    return days.filter((day: DayDocument) => day.day + view.timing.closing <= until);
  }
}

const decisionsOf = ({ steps }: CycleDocument): Decision[] =>
  steps.flatMap(({ decision }) => (decision === undefined ? [] : [Decision.fromJSON(decision)]));

type Stages = ReturnType<ModelView['stagesOf']>;

/** A judgement is of the stage that the trial was in. */
function stageOf({ eventTime }: Decision, { canary }: Stages): 'shadow' | 'canary' {
  return canary && eventTime!.getTime() > canary.since ? 'canary' : 'shadow';
}

function summaryOf(doc: CycleDocument, opening: Decision | undefined): string {
  const why = cause(doc, opening);
  const begun = `Cycle ${doc.number} of ${doc.model} opened on ${date(doc.opened)} because ${why}`;
  if (!doc.outcome) return sentence(`${begun}; it is ${stateOf(doc)}`);
  const ended = doc.outcome === 'promoted' ? `: ${doc.version} replaced ${doc.champion}` : '';
  return sentence(`${begun}, and closed on ${date(doc.closed!)}, ${stateOf(doc)}${ended}`);
}
