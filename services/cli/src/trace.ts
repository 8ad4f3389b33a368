/** A cycle's trace as a tree: event time, how long it took on the wall clock, who did what, and what went wrong. */
import type { CycleSpan } from '@driftloop/client';
import { when } from './output.js';

interface Branch {
  span: CycleSpan;
  /** What stands before the name: the tree's lines. */
  stem: string;
}

/** The lines of a trace. A span whose parent is not there (yet) stands beside the root. */
export function traceLines(spans: readonly CycleSpan[]): string[] {
  const branches = walk(spans);
  const width = Math.max(...branches.map(({ span, stem }) => stem.length + span.name.length));
  const service = Math.max(...spans.map((span) => span.service.length));
  return branches.map(({ span, stem }) => {
    const named = `${stem}${span.name}`.padEnd(width);
    const facts = [when(span.eventTime), named, span.service.padEnd(service), took(span).padStart(8), gist(span)];
    return facts
      .filter((fact) => fact)
      .join('  ')
      .trimEnd();
  });
}

/** Depth first, siblings in the order given. */
function walk(spans: readonly CycleSpan[]): Branch[] {
  const ids = new Set(spans.map((span) => span.spanId));
  const below = Map.groupBy(spans, (span) => (ids.has(span.parentSpanId) ? span.parentSpanId : ''));
  const visit = (span: CycleSpan, stem: string, indent: string): Branch[] => {
    const children = below.get(span.spanId) ?? [];
    return [
      { span, stem },
      ...children.flatMap((child, i) => {
        const last = i === children.length - 1;
        return visit(child, `${indent}${last ? '└─ ' : '├─ '}`, `${indent}${last ? '   ' : '│  '}`);
      }),
    ];
  };
  return (below.get('') ?? []).flatMap((root) => visit(root, '', ''));
}

/** Wall time, for people. */
function took({ started, ended }: CycleSpan): string {
  const ms = (ended?.getTime() ?? 0) - (started?.getTime() ?? 0);
  if (ms < 1000) return `${ms} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

const told = [
  ['driftloop.version', (value: string) => value],
  ['driftloop.decision.outcome', (value: string) => value.replaceAll('_', ' ')],
  ['driftloop.dataset.rows', (value: string) => `${value} rows`],
  ['driftloop.search.trials', (value: string) => `${value} trials`],
  ['driftloop.canary.percent', (value: string) => `${value}% of the traffic`],
  ['driftloop.loaded', (value: string) => `loaded ${value}`],
  ['driftloop.replica', (value: string) => `replica ${value}`],
] as const;

function gist({ attributes, error }: CycleSpan): string {
  const facts = told.flatMap(([name, say]) => (attributes[name] ? [say(attributes[name])] : []));
  return [...new Set(facts), ...(error ? [`failed: ${error}`] : [])].join(', ');
}
