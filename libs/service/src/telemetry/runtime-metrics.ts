/** The process as metrics: event loop, memory, processor. Services that share a process each tell the same of it. */
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.js';

/** Begins to watch; resolves to what ends it. */
export function observeRuntime(metrics: Metrics): () => void {
  if (!metrics.enabled) return () => {};
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  metrics.observe('nodejs.eventloop.delay.p99', () => [{ value: p99Of(delay) }]);
  let before = performance.eventLoopUtilization();
  metrics.observe('nodejs.eventloop.utilization', () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return [{ value: utilization }];
  });
  metrics.observe('process.memory.usage', () => [{ value: process.memoryUsage.rss() }]);
  metrics.observe('v8js.memory.heap.used', () => [{ value: process.memoryUsage().heapUsed }]);
  metrics.observe('process.cpu.time', () => {
    const { user, system } = process.cpuUsage();
    const second = (micros: number, mode: string) => ({ value: micros / 1e6, labels: { 'cpu.mode': mode } });
    return [second(user, 'user'), second(system, 'system')];
  });
  metrics.observe('process.uptime', () => [{ value: process.uptime() }]);
  return () => delay.disable();
}

/** Seconds since the last reading. */
function p99Of(delay: IntervalHistogram): number {
  const nanos = delay.percentile(99);
  delay.reset();
  return Number.isFinite(nanos) ? nanos / 1e9 : 0;
}
