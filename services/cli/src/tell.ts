/** Commands that tell of one cycle: trace, as a tree of what was done where; explain, in sentences. */
import type { Cycle, CycleExplanation } from '@driftloop/client';
import type { Command } from 'commander';
import type { Open } from './doors.js';
import { show, when } from './output.js';
import { traceLines } from './trace.js';

export function addTelling(program: Command, open: Open): void {
  program
    .command('trace')
    .description('one cycle as a tree: each step in whichever service did it, how long it took, what went wrong')
    .argument('<id>', 'its id, or a unique beginning of it')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const cycle = await open().control.cycle(id);
      const { cycleId, traceId, spans } = cycle;
      show(json, { cycleId, traceId, spans }, () => tree(cycle));
    });
  program
    .command('explain')
    .description('one cycle in words: why it opened, what was learned and compared, what came of it, what to do now')
    .argument('<id>', 'its id, or a unique beginning of it')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const told = await open().operations.explain(id);
      show(json, told, () => story(told));
    });
}

function tree({ cycleId, model, traceId, outcome, stage, spans }: Cycle): string {
  const state = outcome ? outcome.replace('_', ' ') : `open, in ${stage}`;
  const head = `cycle ${cycleId} of ${model}: ${state}; trace ${traceId}`;
  return [head, ...(spans.length ? traceLines(spans) : ['it has no spans: it was made by an earlier version'])].join(
    '\n',
  );
}

const width = 100;

function story({ summary, passages, remedies }: CycleExplanation): string {
  const told = passages.flatMap(({ title, eventTime, sentences }) => [
    '',
    `${title}${eventTime ? ` (${when(eventTime)})` : ''}`,
    ...sentences.flatMap((sentence) => wrapped(sentence, '  ')),
  ]);
  const now = remedies.length
    ? ['', 'What you can do now', ...remedies.flatMap((r) => wrapped(r, '  - ', '    '))]
    : [];
  return [...wrapped(summary, ''), ...told, ...now].join('\n');
}

/** A text in lines of about a hundred characters. */
function wrapped(text: string, first: string, rest = first): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.trim() && line.length + word.length + 1 > width && line !== first && line !== rest) {
      lines.push(line);
      line = rest;
    }
    line += `${line === first || line === rest ? '' : ' '}${word}`;
  }
  return [...lines, line];
}
