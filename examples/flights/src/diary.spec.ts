import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnswerLine, Diary } from './diary.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-diary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(folder, 'd-'));
});

const answer = (id: string, probability: number, version = 'v1'): AnswerLine => ({ id, probability, version });
const at = (played: number) => ({ played, heard: `after ${played}`, seconds: played / 10 });

describe('the diary', () => {
  it('is empty at first', () => {
    const diary = new Diary(join(home, 'made', 'here'));
    expect([diary.position(), diary.answers().size, diary.shadows().size]).toEqual([undefined, 0, 0]);
  });

  it('remembers answers, shadows and the position over a restart', () => {
    new Diary(home).write([answer('a', 0.1)], [{ id: 'a', scores: { v1: 0.1, v2: 0.2 } }], at(1));
    const diary = new Diary(home);
    diary.write([answer('b', 0.3)], [], at(2));
    expect([...diary.answers().keys()]).toEqual(['a', 'b']);
    expect(diary.shadows().get('a')!.scores).toEqual({ v1: 0.1, v2: 0.2 });
    expect(diary.position()).toEqual(at(2));
  });

  it('keeps the last answer of a stretch that was repeated, once', () => {
    const diary = new Diary(home);
    diary.write([answer('a', 0.1), answer('b', 0.2)], [], at(1));
    diary.write([answer('a', 0.4, 'v2')], [], at(2));
    expect(diary.answers().size).toBe(2);
    expect(diary.answers().get('a')).toEqual(answer('a', 0.4, 'v2'));
  });

  it('leaves out a line that a crash has cut off, and goes on after it', () => {
    const diary = new Diary(home);
    diary.write([answer('a', 0.1)], [], at(1));
    appendFileSync(join(home, 'answers.ndjson'), '{"id":"b","probab');
    expect([...diary.answers().keys()]).toEqual(['a']);
    const next = new Diary(home);
    next.write([answer('b', 0.2), answer('c', 0.3)], [], at(2));
    expect(next.answers()).toEqual(
      new Map([answer('a', 0.1), answer('b', 0.2), answer('c', 0.3)].map((x) => [x.id, x])),
    );
  });

  it('stands where it stood when a crash comes between the answers and the position', () => {
    const diary = new Diary(home);
    diary.write([answer('a', 0.1)], [], at(1));
    writeFileSync(join(home, 'position.json.new'), '{"played":');
    expect(new Diary(home).position()).toEqual(at(1));
    expect(existsSync(join(home, 'position.json.new'))).toBe(true);
  });
});
