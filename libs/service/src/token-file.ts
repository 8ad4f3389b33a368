/**
 * The token file of a running service: read at the start, followed while it runs.
 *
 * I1  A start needs a file without a fault. Later a broken one changes nothing: the last good one holds, and the log and the
 *     service's attention say what is wrong with the new one, until it is mended.
 * I2  A file that others may write is a fault: whoever could would be an admin. One that they may read is said aloud: it has
 *     digests alone, but tells who there is.
 */
import { readFileSync, statSync } from 'node:fs';
import { readTokenEntries, type TokenEntry } from '@driftloop/contracts';
import type { Credentials } from './credentials.js';
import { errors } from './errors.js';
import { followFiles } from './followed-file.js';
import type { Log } from './log.js';
import type { Readiness } from './readiness.js';

const largestBytes = 1024 * 1024;
const othersWrite = 0o002;
const othersRead = 0o004;

interface Parts {
  readonly file: string;
  readonly credentials: Credentials;
  readonly readiness: Readiness;
  readonly log: Log;
}

/** Reads the file into the credentials and follows it; returns what ends that. Throws TOKENS_INVALID. */
export function followTokens({ file, credentials, readiness, log }: Parts): () => void {
  const take = () => {
    const { entries, open } = readTokens(file);
    credentials.replace(entries);
    readiness.attend('tokens', open ? `${file} can be read by others: chmod 600` : '');
    if (open) log.warn({ file }, 'others can read the token file: chmod 600');
    log.info({ file, tokens: entries.length }, 'the token file is in use');
  };
  const end = followFiles([file], () => {
    try {
      take();
    } catch (error) {
      const { message } = error as Error;
      readiness.attend('tokens', `${message}; the tokens of before hold`);
      log.error({ file, fault: message }, 'the token file is not valid: the tokens of before hold');
    }
  });
  try {
    take();
    return end;
  } catch (error) {
    end();
    throw error;
  }
}

/** What the file holds, and whether others may read it. Throws TOKENS_INVALID. */
export function readTokens(file: string): { entries: TokenEntry[]; open: boolean } {
  const { mode, text } = contentOf(file);
  if (mode & othersWrite) throw invalid(file, 'others may write it: chmod 600');
  const { entries, faults } = readTokenEntries(text);
  if (faults.length) throw errors.TOKENS_INVALID({ file, faults });
  return { entries, open: (mode & othersRead) > 0 };
}

function contentOf(file: string): { mode: number; text: string } {
  try {
    const { mode, size } = statSync(file);
    if (size > largestBytes) throw invalid(file, `is larger than ${largestBytes} bytes`);
    return { mode, text: readFileSync(file, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'TOKENS_INVALID' ? error : invalid(file, `cannot be read (${code ?? (error as Error).message})`);
  }
}

const invalid = (file: string, fault: string) =>
  errors.TOKENS_INVALID({ file, faults: [{ line: 0, name: '', fault }] });
