/**
 * A metric's name and labels as Prometheus has them, by OpenTelemetry's rules for Prometheus: what dashboards and alerts
 * ask for. A counter ends in `_total`, a histogram has `_bucket`, `_count` and `_sum`, the unit is in the name.
 */
import type { MetricDefinition } from './metric-catalogue.js';

const units: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', ms: 'milliseconds' };

/** `rpc.method` → `rpc_method` */
export const prometheusLabel = (label: string): string => label.replaceAll(/[^A-Za-z0-9_]/g, '_');

/** The series that a metric becomes. */
export function prometheusSeries(name: string, { kind, unit }: Pick<MetricDefinition, 'kind' | 'unit'>): string[] {
  const base = name.replaceAll(/[^A-Za-z0-9_:]/g, '_');
  const suffix = unit === '1' && kind === 'gauge' ? 'ratio' : units[unit];
  const whole = suffix && !base.endsWith(`_${suffix}`) ? `${base}_${suffix}` : base;
  if (kind === 'histogram') return [`${whole}_bucket`, `${whole}_count`, `${whole}_sum`];
  return kind === 'gauge' ? [whole] : [`${whole}_total`];
}
