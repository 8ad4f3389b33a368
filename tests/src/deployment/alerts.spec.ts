/**
 * Alerts by themselves: what they do over time by Prometheus' own tests, the errors that they name, and a page for each.
 * What they ask for is held against a collector's in metrics.spec.ts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { alertsIn, read, root } from './alerts.js';

const rules = () => alertsIn(parse(read('deploy/prometheus/alerts.yml')));

/** Rows of an error catalogue, from its source. */
function rowsOf(file: string) {
  const row = /^ {2}([A-Z_]+): \{\n {4}status: '([A-Z_]+)',\n {4}retriable: (true|false),$/gm;
  const source = read(file);
  const rows = [...source.matchAll(row)].map(([, code, status, retriable]) => ({ code, status, retriable }));
  expect([file, rows.length]).toEqual([file, source.match(/^ {2}[A-Z_]+: \{$/gm)!.length]);
  return rows;
}

/** What serving may throw that is about a rollout: never the fault of who asks. */
const aboutRollouts = ['ROLLOUT_INVALID', 'COLUMNS_CHANGED', 'MODEL_CORRUPT'];

it('names errors that there are', () => {
  const catalogues = ['services', 'libs'].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((room) => `${parent}/${room}/src/errors.ts`)
      .filter((file) => existsSync(join(root, file)) && /= catalogue\(/.test(read(file))),
  );
  const codes = new Set(catalogues.flatMap(rowsOf).map(({ code }) => code));
  const ofTelemetry = 'queue_full';
  for (const { alert, expr } of rules())
    for (const [, values] of expr.matchAll(/error_type(?:=~|!~|!=|=)"([^"]*)"/g))
      for (const value of values.split('|').filter((one) => one && one !== ofTelemetry))
        expect([alert, value, codes.has(value)]).toEqual([alert, value, true]);
});

it("counts every failed prediction but the caller's own faults", () => {
  const { expr } = rules().find(({ alert }) => alert === 'DriftloopPredictionsFail')!;
  const excused = [...expr.matchAll(/error_type!~"([^"]*)"/g)].map(([, codes]) => codes.split('|').sort());
  const own = rowsOf('services/serving/src/errors.ts').filter(
    ({ code, status, retriable }) =>
      retriable === 'false' && status !== 'INTERNAL' && status !== 'UNAVAILABLE' && !aboutRollouts.includes(code),
  );
  expect(excused).toEqual([own.map(({ code }) => code).sort()]);
});

it('has a page for every alert, and an alert for every page', () => {
  const pages = readdirSync(join(root, 'docs/runbooks')).filter((name) => !['README.md', 'restore.md'].includes(name));
  const linked = rules().map(({ annotations }) => annotations.runbook_url.split('/').at(-1)!);
  expect([...new Set(linked)].sort()).toEqual(pages.sort());
  for (const { alert, annotations, labels } of rules()) {
    expect(annotations.runbook_url).toMatch(/\/docs\/runbooks\/[a-z-]+\.md$/);
    expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(page|ticket)$/)]);
    const page = read(`docs/runbooks/${annotations.runbook_url.split('/').at(-1)}`);
    expect(page).toContain(alert);
    for (const part of ['Symptom', 'What it means', 'How to look', 'What to do', 'How to verify'])
      expect([alert, page]).toEqual([alert, expect.stringContaining(`## ${part}`)]);
  }
});

it('names commands and errors in its pages that there are', () => {
  const sources = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/node_modules|dist|spec/.test(name))
      .map((name) => read(join(folder, name)))
      .join('\n');
  const cli = sources('services/cli/src') + sources('deploy/program/src');
  const code = sources('services') + sources('libs');
  const pages = readdirSync(join(root, 'docs/runbooks'))
    .map((name) => read(`docs/runbooks/${name}`))
    .join('\n');
  const commands = new Set([...pages.matchAll(/`driftloop ([a-z]+)/g)].map(([, command]) => command));
  expect(commands.size).toBeGreaterThan(10);
  expect([...commands].filter((command) => !cli.includes(`'${command}'`))).toEqual([]);
  const codes = new Set([...pages.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name));
  expect([...codes].filter((name) => !code.includes(name))).toEqual([]);
});

const promtool = process.env.PROMTOOL || 'promtool';
const checks = spawnSync(promtool, ['--version']).status === 0;
(checks ? it : it.skip)(
  `does over time what its tests say${checks ? '' : ' (skipped: no promtool is on the PATH, and PROMTOOL names none)'}`,
  () => {
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', 'alerts.test.yml'], {
      cwd: join(root, 'deploy/prometheus'),
      encoding: 'utf8',
    });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  },
);
