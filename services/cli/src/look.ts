/** Commands that look: status, cycles, cycle. */
import type { Control, Cycle, ModelStatus } from '@driftloop/client';
import type { Command } from 'commander';
import { type Open, withModel } from './doors.js';
import { columns, evidence, figure, shortId, show, when } from './output.js';
import { signalLines } from './signal-lines.js';

interface Options {
  json?: boolean;
  model?: string;
}

const shownDays = 7;

export function addLooking(program: Command, open: Open): void {
  withModel(program.command('status').description('what a model is doing: who answers, what is watched, what is open'))
    .option('--json', 'as JSON')
    .action(async ({ model, json }: Options) => {
      const doors = open();
      await status(doors.control, await doors.model(model), json);
    });
  withModel(program.command('cycles').description('the cycles of a model, newest last'))
    .option('--json', 'as JSON')
    .action(async ({ model, json }: Options) => {
      const doors = open();
      const name = await doors.model(model);
      const found = await doors.control.cycles(name);
      show(json, found, () => (found.length ? table(found) : `${name} has had no cycle yet`));
    });
  program
    .command('cycle')
    .description('one cycle, step by step')
    .argument('<id>', 'its id, or a unique beginning of it')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: Options) => {
      const found = await open().control.cycle(id);
      show(json, found, () => story(found));
    });
}

async function status(control: Control, model: string, json: boolean | undefined): Promise<void> {
  const [state, { rollout }] = await Promise.all([control.status(model), control.rollout(model)]);
  const trial = rollout?.challenger ? `, ${rollout.challenger.version} is on trial` : '';
  const open = state.openCycle ? `cycle ${shortId(state.openCycle)} is open` : 'no cycle is open';
  const champion = rollout?.champion?.version || state.champion;
  const signals = signalLines(state, champion);
  show(json, { ...state, rollout }, () =>
    [
      `${model}${state.now ? ` at ${when(state.now)}` : ''}: ${answers(state, champion)}${trial}`,
      `${state.freshLabels} fresh labels, ${state.trainedLabels} trained on; ${open}`,
      ...warnings(state),
      ...(signals.length ? ['', ...signals] : []),
      ...(state.days.length ? ['', days(state)] : []),
    ].join('\n'),
  );
}

/** Who really answers, which is not the champion where a replica could not follow. */
function answers({ answering }: ModelStatus, champion: string): string {
  if (!answering.length || (answering.length === 1 && answering[0] === champion)) return `${champion} answers`;
  const others = answering.length > 1 ? `${answering.join(' and ')} answer` : `${answering[0]} answers`;
  return `${others}, though ${champion} is champion`;
}

/** What holds the loop, and what a person should look at. */
function warnings({ paused, pausedNote, frozen, frozenNote, attention }: ModelStatus): string[] {
  return [
    ...(paused ? [`paused ${pausedNote}: no cycle opens (driftloop resume)`] : []),
    ...(frozen ? [`${frozenNote}: the champion stays, trials wait (driftloop thaw)`] : []),
    ...attention.map((text) => `! ${text}`),
  ];
}

/** The latest closed days: what callers were given, beside the model that is never renewed. */
function days({ days }: ModelStatus): string {
  const rows = days.slice(-shownDays).map(({ day, predictions, labelled, versions }) => {
    const loss = (role: string) => {
      const found = versions.find((version) => version.role === role);
      return found?.rows ? figure(found.lossNano / found.rows / 1e9) : '–';
    };
    return [when(day).slice(0, 10), predictions, labelled, loss('returned'), loss('frozen')];
  });
  return columns(['day', 'asked', 'labelled', 'log loss', 'frozen'], rows);
}

function table(cycles: readonly Cycle[]): string {
  return columns(
    ['cycle', 'opened', 'closed', 'signal', 'version', 'outcome'],
    cycles.map(({ cycleId, opened, closed, signal, version, outcome, stage }) => [
      shortId(cycleId),
      when(opened),
      when(closed),
      signal,
      version || '–',
      outcome ? outcome.replace('_', ' ') : `open, in ${stage}`,
    ]),
  );
}

/** What a decision rests on, line by line. */
const grounds = (decision: Cycle['steps'][number]['decision']): string[] => [
  ...(decision?.reasons ?? []),
  ...(decision?.evidence ?? []).map((found) => `· ${evidence(found)}`),
];

/** A cycle told in order; what a step shares with the one before it is not told again. */
function story({ cycleId, model, outcome, stage, reasons, steps }: Cycle): string {
  const indent = ' '.repeat(30);
  return [
    `cycle ${cycleId} of ${model}: ${outcome ? outcome.replace('_', ' ') : `open, in ${stage}`}`,
    ...reasons.map((reason) => `  ${reason}`),
    '',
    ...steps.flatMap(({ eventTime, service, what, decision }, i) => [
      `${when(eventTime)}  ${service.padEnd(10)}  ${what}`,
      ...grounds(decision)
        .filter((ground) => !what.includes(ground) && !grounds(steps[i - 1]?.decision).includes(ground))
        .map((ground) => indent + ground),
    ]),
  ].join('\n');
}
