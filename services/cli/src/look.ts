/** Commands that look: status, cycles, cycle. */
import type { Control } from '@driftloop/client';
import type { Command } from 'commander';
import { columns, show, when } from './output.js';

type Connect = () => Control;
interface Options {
  json?: boolean;
  model: string;
}

export function addLooking(program: Command, connect: Connect): void {
  program
    .command('status')
    .description('what a model is doing: who answers, what is watched, what is open')
    .option('-m, --model <name>', 'the model', 'flights')
    .option('--json', 'as JSON')
    .action((options: Options) => status(connect(), options));
  program
    .command('cycles')
    .description('the cycles of a model, newest last')
    .option('-m, --model <name>', 'the model', 'flights')
    .option('--json', 'as JSON')
    .action((options: Options) => cycles(connect(), options));
  program
    .command('cycle')
    .description('one cycle, step by step')
    .argument('<id>', 'its id, or a unique beginning of it')
    .option('--json', 'as JSON')
    .action((id: string, options: Options) => cycle(connect(), id, options));
}

async function status(control: Control, { model, json }: Options): Promise<void> {
  const [state, { rollout }] = await Promise.all([control.status(model), control.rollout(model)]);
  show(json, { ...state, rollout }, () =>
    [
      `${model} at ${when(state.now)}: ${state.champion} answers${rollout?.challenger ? `, ${rollout.challenger.version} is on trial` : ''}`,
      `${state.freshLabels} fresh labels, ${state.trainedLabels} trained on; ${state.openCycle ? `cycle ${state.openCycle.slice(0, 8)} is open` : 'no cycle is open'}`,
      '',
      columns(
        ['signal', 'of', 'value', 'threshold', 'crossed'],
        state.signals.map((s) => [s.test, s.subject, round(s.statistic), round(s.threshold), s.holds ? 'yes' : 'no']),
      ),
    ].join('\n'),
  );
}

async function cycles(control: Control, { model, json }: Options): Promise<void> {
  const found = await control.cycles(model);
  show(json, found, () =>
    columns(
      ['cycle', 'opened', 'closed', 'signal', 'version', 'outcome'],
      found.map((c) => [
        c.cycleId.slice(0, 8),
        when(c.opened),
        when(c.closed),
        c.signal,
        c.version || '–',
        c.outcome || c.stage,
      ]),
    ),
  );
}

async function cycle(control: Control, id: string, { json }: Options): Promise<void> {
  const found = await control.cycle(id);
  show(json, found, () =>
    [
      `cycle ${found.cycleId} of ${found.model}: ${found.outcome || `open, in ${found.stage}`}`,
      ...found.reasons.map((reason) => `  ${reason}`),
      '',
      ...found.steps.flatMap(({ eventTime, service, what, decision }) => [
        `${when(eventTime)}  ${service.padEnd(10)}  ${what}`,
        ...(decision?.reasons ?? []).map((reason) => `${' '.repeat(30)}${reason}`),
        ...(decision?.evidence ?? []).map(
          (e) =>
            `${' '.repeat(30)}${e.test} ${e.subject} ${round(e.statistic)} against ${round(e.threshold)}, ${e.rows} rows${e.days ? ` in ${e.days} days` : ''}`,
        ),
      ]),
    ].join('\n'),
  );
}

const round = (x: number): number => Number(x.toPrecision(4));
