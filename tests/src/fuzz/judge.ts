/**
 * What an answer and a log line may not say, whatever was sent.
 *
 * I1  INTERNAL and UNKNOWN are an exception that nobody expected, whoever threw it: of bytes that are no message too.
 * I2  No stack and no path of a file: looked for by what they look like in Node, and by the folders that the system runs in.
 */
import { tmpdir } from 'node:os';
import type { Answer, Input } from './input.js';

const stack = /\n\s+at .+[:(]\S*\d+:\d+|\\n\s+at (?:async )?[\w.<>[\] ]+ ?\(|node:internal\/|file:\/\/\/\w/;
const nodeModules = /node_modules[/\\]/;

/** Says what is wrong. */
export class Judge {
  private readonly folders: readonly string[];

  /** The folders that the system runs in. */
  constructor(folders: readonly string[]) {
    this.folders = [...folders, `${tmpdir()}/driftloop-`];
  }

  /** What is wrong with an answer, in a few words that are the same for each of its kind. */
  ofAnswer({ sent, method }: Input, { status, text }: Answer): string | undefined {
    if (status === 'INTERNAL' || status === 'UNKNOWN' || status === 'HTTP 500')
      return `${status} of ${method}: ${summary(text)}`;
    // An input's own text may come back in an answer; a stack or a folder of the system is in none.
    const told = this.tells(text);
    if (told) return `an answer of ${sent.door} with ${told}: ${method}`;
    return undefined;
  }

  /** What is wrong with a line of the log. */
  ofLine(line: string): string | undefined {
    const told = this.tells(line);
    return told && `a log line with ${told}: ${messageOf(line)}`;
  }

  private tells(text: string): string | undefined {
    if (stack.test(text)) return 'a stack';
    if (nodeModules.test(text)) return 'a path of a module';
    return this.folders.some((folder) => text.includes(folder)) ? 'a path of the system' : undefined;
  }
}

/** Of a text what is the same when it happens again. */
export const summary = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/\d+/g, '#')
    .split('\n')[0]
    .slice(0, 160);

/** What a line of the log says, without its facts. */
function messageOf(line: string): string {
  try {
    const { service, msg, err } = JSON.parse(line) as { service?: string; msg?: string; err?: { message?: string } };
    return `${service}: ${msg}: ${err?.message?.slice(0, 24) ?? ''}`;
  } catch {
    return line;
  }
}
