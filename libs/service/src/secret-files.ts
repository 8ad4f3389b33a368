/** Secrets that come as files, as orchestrators mount them: `DRIFTLOOP_TOKEN_FILE` names the file that has DRIFTLOOP_TOKEN. */
import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Fault {
  readonly variable: string;
  readonly fault: string;
}

const secrets = [
  'DRIFTLOOP_TOKEN',
  'DRIFTLOOP_REPLAY_TOKEN',
  'KAFKA_PASSWORD',
  'MONGODB_URI',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
] as const;

/**
 * The environment with the content of each file that a `…_FILE` variable of a secret names, white space at its ends cut off;
 * and what is wrong with them: a file that cannot be read or is empty, a secret that is given both ways.
 */
export function withSecretFiles(environment: Environment): { environment: Environment; faults: Fault[] } {
  const faults: Fault[] = [];
  const read: Record<string, string> = {};
  for (const name of secrets) {
    const variable = `${name}_FILE`;
    const file = environment[variable];
    if (!file) continue;
    const content = contentOf(file);
    if (environment[name]) faults.push({ variable, fault: `is set beside ${name}: set one of them` });
    else if ('fault' in content) faults.push({ variable, fault: content.fault });
    else read[name] = content.text;
  }
  return { environment: { ...environment, ...read }, faults };
}

function contentOf(file: string): { text: string } | { fault: string } {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text ? { text } : { fault: `names an empty file (${file})` };
  } catch (error) {
    return { fault: `names a file that cannot be read (${(error as Error).message})` };
  }
}
