/**
 * What the replay remembers between runs: the answers that it was given, and how far it has come.
 *
 * I1  Answers are appended before the position moves past them, so a crash repeats a stretch and loses none; a repeated
 *     answer replaces the earlier one.
 * I2  A line that a crash has cut off is ended before the first line of the next run, which must not become part of it.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { replayPoints } from './points.js';

/** One answer: to which flight, what, by which version; and what every version in shadow would have said. */
export interface AnswerLine {
  id: string;
  probability: number;
  version: string;
}

export interface ShadowLine {
  id: string;
  /** Probability by version, the answering one included. */
  scores: Record<string, number>;
}

export interface Position {
  /** Event time up to which everything has been played, epoch ms. */
  played: number;
  /** The event stream's position. */
  heard: string;
  /** Wall seconds that earlier runs took. */
  seconds: number;
}

export class Diary {
  private readonly answersFile: string;
  private readonly shadowsFile: string;
  private readonly positionFile: string;
  private mended = false;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.answersFile = join(folder, 'answers.ndjson');
    this.shadowsFile = join(folder, 'shadows.ndjson');
    this.positionFile = join(folder, 'position.json');
  }

  position(): Position | undefined {
    return existsSync(this.positionFile) ? JSON.parse(readFileSync(this.positionFile, 'utf8')) : undefined;
  }

  /** Appends what was answered and heard, then moves on. */
  write(answers: readonly AnswerLine[], shadows: readonly ShadowLine[], position: Position): void {
    if (!this.mended) for (const file of [this.answersFile, this.shadowsFile]) endLine(file);
    this.mended = true;
    append(this.answersFile, answers);
    append(this.shadowsFile, shadows);
    replayPoints.betweenDiary.publish(undefined);
    writeFileSync(`${this.positionFile}.new`, JSON.stringify(position));
    renameSync(`${this.positionFile}.new`, this.positionFile);
  }

  answers(): Map<string, AnswerLine> {
    return read<AnswerLine>(this.answersFile);
  }

  shadows(): Map<string, ShadowLine> {
    return read<ShadowLine>(this.shadowsFile);
  }
}

function append(file: string, lines: readonly object[]): void {
  if (lines.length) appendFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
}

/** I2 */
function endLine(path: string): void {
  const file = openSync(path, 'a+');
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size && readSync(file, last, 0, 1, size - 1) && last.toString() !== '\n') appendFileSync(file, '\n');
  closeSync(file);
}

/** By id, the last one wins; a line cut off by a crash is left out, since it will be repeated. */
function read<T extends { id: string }>(file: string): Map<string, T> {
  const byId = new Map<string, T>();
  if (!existsSync(file)) return byId;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue;
    try {
      const value = JSON.parse(line) as T;
      byId.set(value.id, value);
    } catch {
      // cut off in the middle of the file: the run after it has repeated it
    }
  }
  return byId;
}
