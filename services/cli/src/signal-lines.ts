/**
 * The signals of a status as a table: whether each has reached its threshold, and whether it holds, which some tests ask
 * more for (a z, a false-discovery rate): where the two differ the note says what.
 */
import type { ModelStatus } from '@driftloop/client';
import { columns, figure } from './output.js';

const header = ['signal', 'of', 'value', 'threshold', 'reached', 'holds', ''];

/** The lines, none where nothing has been measured. What was measured of an earlier champion is said to be that. */
export function signalLines({ signals, signalsOf }: Pick<ModelStatus, 'signals' | 'signalsOf'>, champion: string) {
  if (!signals.length) return [];
  const rows = signals.map(({ test, subject, statistic, threshold, holds, note }) => {
    const reached = statistic >= threshold;
    const name = test.replaceAll('_', ' ');
    const figures = [name, subject, figure(statistic), figure(threshold), yes(reached), yes(holds)];
    return [...figures, reached === holds ? '' : note];
  });
  const earlier = signalsOf !== '' && signalsOf !== champion;
  return [
    ...(earlier ? [`${champion} has not been checked yet; the last check was of ${signalsOf}:`] : []),
    columns(header, rows),
  ];
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');
