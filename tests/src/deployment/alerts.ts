/** The alerts as they are written down. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

export const root = resolve(import.meta.dirname, '../../..');
export const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The alerts of alerts.yml once it is parsed. */
export const alertsIn = ({ groups }: { groups: { rules: Rule[] }[] }): Rule[] => groups.flatMap((group) => group.rules);
