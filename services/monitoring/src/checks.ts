/** Checks: what a tick does about the signals: measures them, sounds alarms, and asks the policy when it is time. */
import { Evidence } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Alarms } from './alarms.js';
import { Cycles } from './cycle.js';
import { LoopDocuments } from './loop.documents.js';
import type { ModelMemory } from './memory.js';
import { Policy } from './policy.js';
import { type Measured, Signals } from './signals.js';
import { atAGlance } from './stability.js';

@Injectable()
export class Checks {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly signals: Signals,
    private readonly alarms: Alarms,
    private readonly policy: Policy,
    private readonly cycles: Cycles,
  ) {}

  async look(memory: ModelMemory, now: number, cause: Cause): Promise<void> {
    const { view, progress, watch } = memory;
    const due = this.policy.isDue(view, watch.checked, now);
    const news = progress.closed !== undefined && progress.closed !== watch.signalled;
    const untrained = view.training === undefined && !memory.cycle && !memory.paused;
    if (!due && !news && !untrained) return;
    const measured = await this.signals.measure(view, progress, now, { control: watch.drift ?? undefined, news });
    const alerts = news ? await this.alarms.sound(view, measured, watch.alerts, now, cause) : watch.alerts;
    if ((due || untrained) && !memory.cycle && !memory.paused) await this.ask(memory, measured, now, cause);
    if (!due && !news) return;
    memory.watch = {
      ...watch,
      now,
      alerts,
      ...(due && { checked: now }),
      signalled: progress.closed ?? null,
      trial: memory.cycle?.stage === 'shadow' ? watch.trial : [],
      latest: glanceOf(measured).map((evidence) => Evidence.toJSON(Evidence.fromPartial(evidence))),
      latestOf: view.champion,
      drift: measured.control,
    };
    await this.documents.keepWatch(memory.watch);
  }

  private async ask(memory: ModelMemory, measured: Measured, now: number, cause: Cause): Promise<void> {
    const opening = await this.policy.decide(memory.view, measured, now);
    if (!opening) return;
    await this.cycles.open(memory.view, opening, now, cause);
    memory.cycle = await this.cycles.openOf(memory.view.series);
  }
}

const glanceOf = ({ signals, movements, control }: Measured) =>
  atAGlance(
    signals.map(({ evidence }) => evidence),
    movements,
    control,
  );
