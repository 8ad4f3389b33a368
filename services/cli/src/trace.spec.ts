import type { CycleSpan } from '@driftloop/client';
import { traceLines } from './trace.js';

const at = Date.UTC(2013, 1, 15, 21);
const span = (spanId: string, parentSpanId: string, name: string, facts: Partial<CycleSpan> = {}): CycleSpan => ({
  ...{ traceId: 't', spanId, parentSpanId, name, service: 'training', eventTime: new Date(at) },
  ...{ started: new Date(0), ended: new Date(20), links: [], attributes: {}, error: '', ...facts },
});

describe('a trace', () => {
  it('is drawn as a tree, with event times, services and how long each step took', () => {
    const spans = [
      span('1', '', 'cycle opened', { service: 'monitoring', attributes: { 'driftloop.decision.outcome': 'retrain' } }),
      span('2', '1', 'training', { ended: new Date(14_200), attributes: { 'driftloop.dataset.rows': '500' } }),
      span('3', '2', 'dataset'),
      span('4', '3', 'training set', { service: 'feature-store', ended: new Date(180_000) }),
      span('5', '2', 'train'),
      span('6', '1', 'gate', { service: 'registry', attributes: { 'driftloop.version': 'v2' } }),
    ];
    expect(traceLines(spans)).toEqual([
      '2013-02-15 21:00  cycle opened           monitoring        20 ms  retrain',
      '2013-02-15 21:00  ├─ training            training         14.2 s  500 rows',
      '2013-02-15 21:00  │  ├─ dataset          training          20 ms',
      '2013-02-15 21:00  │  │  └─ training set  feature-store   3.0 min',
      '2013-02-15 21:00  │  └─ train            training          20 ms',
      '2013-02-15 21:00  └─ gate                registry          20 ms  v2',
    ]);
  });

  it('says what failed, and puts a step whose parent is missing beside the root', () => {
    const spans = [
      span('1', '', 'cycle opened'),
      span('2', 'gone', 'export', { error: 'DISK_FULL: no space is left' }),
    ];
    expect(traceLines(spans)).toEqual([
      '2013-02-15 21:00  cycle opened  training     20 ms',
      '2013-02-15 21:00  export        training     20 ms  failed: DISK_FULL: no space is left',
    ]);
  });
});
