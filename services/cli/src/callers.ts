/** Commands about who may call, and who has: token, audit. */
import { type AuditedAct, newToken, roles } from '@driftloop/client';
import { type Command, Option } from 'commander';
import type { Open } from './doors.js';
import { columns, show } from './output.js';
import { wholeNumber } from './whole-number.js';

interface TokenOptions {
  role: string[];
  tenant?: string;
  json?: boolean;
}

interface AuditOptions {
  by?: string;
  subject?: string;
  before?: string;
  limit?: number;
  json?: boolean;
}

export function addCallers(program: Command, open: Open): void {
  program
    .command('token')
    .description('make a token: shown this once, on standard error; its line of the token file on standard output')
    .argument('<name>', 'whom it stands for, as records will name it')
    .addOption(new Option('-r, --role <role...>', 'what it may do').choices(roles).makeOptionMandatory())
    .option('--tenant <tenant>', 'whose models it sees (default: main)')
    .option('--json', 'as JSON: token and line')
    .action((name: string, { role, tenant, json }: TokenOptions) => {
      const made = newToken({ name, roles: [...new Set(role)], ...(tenant && { tenant }) });
      if (!json) console.error(`the token of ${name}, shown this once: ${made.token}`);
      show(json, made, () => made.line);
    });
  program
    .command('audit')
    .description('what callers have done, and what they were refused; newest first')
    .option('--by <name>', 'only what one caller has done')
    .option('--subject <name>', 'only what is about a model, a label, a group or an item')
    .option('--before <id>', 'only what is older than this act (see --json)')
    .option('--limit <n>', 'at most so many, up to 1,000', wholeNumber(1, 1000))
    .option('--json', 'as JSON')
    .action(async ({ json, ...query }: AuditOptions) => {
      const acts = await open().operations.audit(query);
      show(json, acts, () => (acts.length ? table(acts) : 'nobody has done anything yet'));
    });
}

const table = (acts: readonly AuditedAct[]): string =>
  columns(
    ['wall time', 'by', 'roles', 'service', 'act', 'about', 'outcome', 'from'],
    acts.map(({ at, by, roles: has, service, act, subject, status, code, connection }) => [
      at?.toISOString().slice(0, 19).replace('T', ' ') ?? '–',
      ...[by, has.join(' '), service, act, subject || '–', code || status || 'not ended', connection],
    ]),
  );
