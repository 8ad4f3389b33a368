// `npm run audit`: known vulnerabilities of what ships, as the registry knows them; exit code 1 where one is high or critical. A
// registry that does not answer is skipped by name, with what it said: that is no finding, and no all clear.
import { spawnSync } from 'node:child_process';
import { root } from './install.mjs';

const { stdout, error } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { cwd: root, encoding: 'utf8' });
const report = parsed(stdout);
if (report?.auditReportVersion) tell(Object.values(report.vulnerabilities));
else
  console.log(
    `audit: skipped: the registry answers no audit (${reasonOf(report, error)}); nothing is known either way`,
  );

function tell(found) {
  for (const { name, severity, range, fixAvailable, via } of found) {
    const what = via.map((one) => (typeof one === 'string' ? one : one.title)).join('; ');
    console.log(`${severity}: ${name} ${range}: ${what}${fixAvailable ? ' (a fix is there: npm audit fix)' : ''}`);
  }
  const grave = found.filter(({ severity }) => severity === 'high' || severity === 'critical').length;
  console.log(
    `audit: ${found.length} of the packages that ship have known vulnerabilities, ${grave} of them high or critical`,
  );
  if (grave) process.exitCode = 1;
}

function reasonOf(report, error) {
  const text = report?.message ?? report?.error?.summary ?? error?.message ?? 'no answer';
  return text
    .split('\n')[0]
    .replace(/ ?- ?\w+ https?:\S+/, '')
    .slice(0, 200);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
