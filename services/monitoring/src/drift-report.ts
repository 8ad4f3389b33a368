/** What has moved by now, for questions: measured anew from day documents, as the newest check judged it. */
import { DriftReport, dayMs } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { Days } from './days.documents.js';
import { countedDays, movementsOf } from './diagnosis.js';
import { stand } from './drift-control.js';
import { errors } from './errors.js';
import { LoopDocuments } from './loop.documents.js';
import { Reading } from './reading.js';
import { hasRisen } from './signals.js';
import { dated, datedDays, lossChangedAt } from './when-changed.js';

const atMost = 1000;

@Injectable()
export class DriftReports {
  constructor(
    private readonly reading: Reading,
    private readonly days: Days,
    private readonly documents: LoopDocuments,
  ) {}

  /** Throws UNKNOWN_MODEL, INVALID_LIMIT. */
  async of(tenant: string, model: string, limit: number): Promise<DriftReport> {
    if (!(limit >= 0 && limit <= atMost)) throw errors.INVALID_LIMIT({ limit, atMost });
    const series = `${tenant}/${model}`;
    const view = await this.reading.declared(series, model);
    const [long, watch] = await Promise.all([
      this.days.lastWithDetails(series, datedDays),
      this.documents.watch(series),
    ]);
    const window = long.slice(-view.timing.window);
    const measured = movementsOf(view, window, hasRisen(view, window));
    const { movements, control } = stand(measured, watch?.drift ?? undefined, view.champion);
    const changed = lossChangedAt(view, long);
    return DriftReport.fromPartial({
      ...{ model, champion: view.champion, days: countedDays(view, window).length },
      windowStart: window.length ? new Date(window[0].day) : undefined,
      windowEnd: window.length ? new Date(window[window.length - 1].day + dayMs) : undefined,
      ...{ tests: movements.length, moved: movements.filter(({ moved }) => moved).length },
      ...{ rate: view.spec.monitoring.falseDiscoveryRate, level: control.level },
      movements: dated(view, movements.slice(0, limit || 50), long),
      lossChanged: changed === undefined ? undefined : new Date(changed),
    });
  }
}
