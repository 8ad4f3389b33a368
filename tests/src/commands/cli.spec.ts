/**
 * The command line against a running house: what people do while the loop walks.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bare } from '@driftloop/testing/environment';
import type { Ran } from '@driftloop/testing/running';
import { openPlayed, type Played } from '../walk/played.js';
import { DAY, parcelsSpec, parcelsWorld, START } from '../worlds/parcels.js';
import { driftloop } from './process.js';

const end = START + 12 * DAY;
let played: Played;
let doors: Record<string, string>;
let replayDoors: Record<string, string>;

beforeAll(async () => {
  played = await openPlayed();
  await played.play(parcelsWorld(), end);
  doors = {
    DRIFTLOOP_URL: played.house.url,
    DRIFTLOOP_SERVING_ADDRESS: played.house.address('serving'),
    DRIFTLOOP_FEATURE_STORE_ADDRESS: played.house.address('feature-store'),
  };
  replayDoors = { ...doors, DRIFTLOOP_TOKEN: played.house.replayToken };
}, 60_000);

afterAll(() => played?.close());

const run = (...args: string[]): Promise<Ran> => driftloop(args, doors);
const good = (stdout: unknown) => ({ code: 0, stderr: '', stdout });
const refused = (stderr: RegExp | string) => ({
  code: 1,
  stdout: '',
  stderr: typeof stderr === 'string' ? expect.stringContaining(stderr) : expect.stringMatching(stderr),
});
const misused = (stderr: RegExp) => ({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) });

describe('driftloop status', () => {
  it('says who answers, what is watched and how the last days went, of the only model', async () => {
    const { code, stdout, stderr } = await run('status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^parcels at 2024-01-13 00:00: v1 answers\n\d+ fresh labels, \d+ trained on; no cycle is open\n/,
    );
    expect(stdout).toMatch(/^growth +v1 +[\d.]+ +1 +no +no$/m);
    expect(stdout).toMatch(/^2024-01-11 +120 +120 +0\.\d+ +0\.\d+$/m);
  });

  it('gives the same as JSON', async () => {
    const { stdout } = await run('status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'parcels',
      champion: 'v1',
      rollout: { frozen: { version: 'v1' } },
    });
  });

  it('names what is not there', async () => {
    expect(await run('status', '-m', 'letters')).toEqual(refused(/UNKNOWN.*"letters"/s));
  });
});

describe('driftloop drift', () => {
  it('says that nothing can have moved before a whole window has been counted', async () => {
    expect(await run('drift')).toEqual(
      good(expect.stringMatching(/^parcels: no whole window .* against v1 yet \(\d so far\)\n$/)),
    );
    const { stdout } = await run('drift', '--json', '-n', '3');
    expect(JSON.parse(stdout)).toMatchObject({ model: 'parcels', champion: 'v1', tests: 0, rate: 0.05, movements: [] });
  });

  it('names what is not there', async () => {
    expect(await run('drift', '-m', 'letters')).toEqual(refused(/UNKNOWN.*"letters"/s));
  });
});

describe('driftloop cycles and cycle', () => {
  it('lists the cycles, and tells one by the beginning of its id', async () => {
    const { stdout: list } = await run('cycles');
    const [, id] =
      /^([0-9a-f]{8}) {2}2024-01-\d\d \d\d:\d\d {2}2024-01-\d\d \d\d:\d\d {2}bootstrap {2}v1 +promoted$/m.exec(list)!;
    const { stdout: story } = await run('cycle', id);
    expect(story).toMatch(new RegExp(`^cycle ${id}[0-9a-f]+ of parcels: promoted\\n`));
    expect(story).toMatch(
      /training +trained on \d+ rows\n[\s\S]*registry +the gate approves v1\n[\s\S]*non-inferior[\s\S]*v1 is champion/,
    );
    expect(JSON.parse((await run('cycle', id, '--json')).stdout)).toMatchObject({ outcome: 'promoted', version: 'v1' });
    expect(JSON.parse((await run('cycles', '--json')).stdout)).toHaveLength(1);
  });

  it('refuses an id that nothing has', async () => {
    expect(await run('cycle', 'ffffffff')).toEqual(refused(/CYCLE|cycle/));
  });
});

describe('driftloop predict', () => {
  it('answers about an entity that the feature store knows', async () => {
    expect(await run('predict', '-e', 'P11-5')).toEqual(
      good(expect.stringMatching(/^P11-5: 0\.\d{4} by v1 \(champion\)\n/)),
    );
  });

  it('asks as of an event time with the replay credential, and gives what the replay was given', async () => {
    const { probability } = played.diary().answers().get('P11-60')!;
    const asked = START + 11 * DAY + 11 * 3_600_000;
    const args = ['predict', '-e', 'P11-60', '--at', new Date(asked).toISOString(), '--json'];
    const { stdout, stderr } = await driftloop(args, replayDoors);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ version: 'v1', imputed: [], probability });
    expect(await run(...args)).toEqual(refused('EVENT_TIME_FORBIDDEN'));
  });

  it('takes inputs of its own, and a version by name or alias', async () => {
    const inputs = ['-i', 'depot=d1', 'weight=3.5', 'due_at=2024-01-12T10:00:00Z'];
    const { stdout } = await run('predict', '-e', 'new one', ...inputs, '--use', 'v1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: 'v1', imputed: expect.arrayContaining(['jam']) });
    expect(JSON.parse((await run('predict', '-e', 'P11-5', '--use', 'frozen', '--json')).stdout).version).toBe('v1');
  });

  it.each([
    [['-e', 'nobody'], refused('UNKNOWN_ENTITY: entity "nobody" is not in the feature store; send its inputs')],
    [['-e', 'P11-5', '--use', 'v9'], refused('UNKNOWN_VERSION')],
    [['-e', 'P11-5', '-m', 'letters'], refused('UNKNOWN_MODEL: no model "letters" is served; served: parcels')],
    [['-e', 'P11-5', '-i', 'colour=red'], refused('UNKNOWN_INPUT: no input "colour"; the model takes depot')],
    [['-e', 'P11-5', '-i', 'weight=heavy'], misused(/weight is a decimal number/)],
    [['-e', 'P11-5', '-i', 'weight'], misused(/write name=value/)],
    [['-e', 'P11-5', '--at', 'soon'], misused(/It is "soon", which is no time; write it as/)],
    [[], misused(/--entity <id>/)],
  ])('says what is wrong with %j', async (args, expected) => {
    expect(await run('predict', ...args)).toEqual(expected);
  });
});

describe('driftloop events tail', () => {
  it('tells the loop from its beginning, and goes on from a position', async () => {
    const { stdout } = await run(
      'events',
      'tail',
      '--from',
      'earliest',
      '--limit',
      '2',
      '-t',
      'retraining.requested,model.approved',
    );
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^2024-01-\d\d \d\d:\d\d {2}retraining\.requested {2}main\/parcels {2}[0-9a-f]{8} {2}\d+ labels/,
      ),
      expect.stringMatching(/^2024-01-\d\d \d\d:\d\d {2}model\.approved {8}main\/parcels {2}[0-9a-f]{8} {2}v1/),
      '',
    ]);
    const two = ['events', 'tail', '-t', 'predictions.made', '--json', '--limit'];
    const first = (await run(...two, '2', '--from', 'earliest')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const second = JSON.parse((await run(...two, '1', '--from', first[0].position)).stdout);
    expect(second.id).toBe(first[1].id);
  });

  it.each([
    [['-t', 'labels.aded'], refused('UNKNOWN_TOPIC: no topic "labels.aded"; known: outcomes.reported')],
    [['--from', 'yesterday'], refused('BODY_INVALID: after: must be "earliest", "latest" or the id')],
    [['--limit', 'all'], misused(/Write a whole number/)],
  ])('says what is wrong with %j', async (args, expected) => {
    expect(await run('events', 'tail', ...args)).toEqual(expected);
  });

  it('ends quietly when whoever reads has seen enough', async () => {
    const main = fileURLToPath(import.meta.resolve('@driftloop/program/main'));
    const args = [main, 'events', 'tail', '-t', 'time.passed,predictions.made', '--from', 'earliest', '--json'];
    const child = spawn(process.execPath, args, { env: { ...bare, ...doors } });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('driftloop apply', () => {
  const file = (text: string) => {
    const path = join(played.home, 'spec.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('is idempotent, from a file or standard input', async () => {
    expect(await run('apply', '-f', file(parcelsSpec()))).toEqual(good('parcels: unchanged, revision 1\n'));
    const piped = await driftloop(['apply', '-f', '-', '--json'], doors, parcelsSpec());
    expect(JSON.parse(piped.stdout)).toEqual({ model: 'parcels', revision: 1, changed: false });
  });

  it('lists every fault of a spec with its path and a fix, and changes nothing', async () => {
    const faulty = parcelsSpec([
      ['closeAfter: 6h', 'closeAfter: soon'],
      ['source: orders', 'source: order'],
      ['folds: 2', 'folds: 1'],
    ]);
    const { code, stdout, stderr } = await run('apply', '-f', file(faulty));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/SPEC_INVALID/);
    expect(stderr).toMatch(/spec\.label\.closeAfter.*write a number and s, m, h or d/s);
    expect(stderr).toMatch(/spec\.training\.calibration\.folds/);
    const [declared] = await played.control.models();
    expect(declared.revision).toBe(1);
  });

  it('names a file that cannot be read', async () => {
    expect(await run('apply', '-f', 'nowhere.yaml')).toEqual(refused(/FILE_UNREADABLE: .*nowhere\.yaml/));
  });
});

describe('a person', () => {
  it('puts the previous champion back, promotes again, and is refused where the champion is another one', async () => {
    expect(await run('promote', 'v9')).toEqual(
      refused('UNKNOWN_VERSION: model "parcels" has no version or alias "v9"'),
    );
    expect(await run('rollback', '--note', 'a drill')).toEqual(good(expect.stringMatching(/^parcels: v0 answers/)));
    expect(await run('promote', 'v1', '--expect', 'v1')).toEqual(refused('ALIAS_MOVED'));
    const { stdout } = await run('promote', 'v1', '--expect', 'v0', '--note', 'the drill is over', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      champion: { version: 'v1' },
      reason: 'promoted by hand: the drill is over',
    });
  });

  it('is asked which model where several are declared', async () => {
    const other = await driftloop(['apply', '-f', '-'], doors, parcelsSpec([['name: parcels', 'name: packets']]));
    expect(other).toEqual(good('packets: applied, revision 1\n'));
    expect(await run('status')).toEqual(
      misused(/several models are declared, name one with --model: packets, parcels|parcels, packets/),
    );
    expect(await run('status', '-m', 'packets')).toEqual(good(expect.stringMatching(/^packets.*: v0 answers/)));
    expect(await run('cycles', '-m', 'packets')).toEqual(good('packets has had no cycle yet\n'));
  });
});

describe('driftloop ingest', () => {
  const header = 'entity_id,event_time,known_at,jam,road';
  const time = '2024-01-11T10:30:00Z';

  it('sends a file of rows, and writes the rejected ones into a file that can be mended and sent again', async () => {
    const [file, rejected] = ['traffic.csv', 'rejected.csv'].map((name) => join(played.home, name));
    writeFileSync(file, `${header}\nA,${time},${time},1,x\n\nB,2024-02-30,${time},1,x\nC,${time},${time},0x10,x\n`);
    const { code, stdout, stderr } = await run(
      'ingest',
      file,
      '-m',
      'parcels',
      '-s',
      'traffic',
      '--rejected',
      rejected,
    );
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(
      /^3 rows: 1 accepted, 0 duplicates, 0 set aside, 2 rejected\n {2}TIME_INVALID: line 4: "event_time"/,
    );
    expect(stdout).toMatch(/not declared, and left unread: road\n.*rejected\.csv holds 2 of the rejected rows/);
    const mended = readFileSync(rejected, 'utf8').replace('02-30', '01-11').replace('0x10', '16');
    writeFileSync(file, mended);
    const again = await run('ingest', file, '-m', 'parcels', '-s', 'traffic', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ rows: 2, accepted: 2, rejectedCount: 0 });
  });

  it('says what is wrong with a file that it cannot send, and with a time that is none', async () => {
    expect(await run('ingest', 'nowhere.csv', '-m', 'parcels', '-s', 'traffic')).toEqual(refused('FILE_UNREADABLE'));
    expect(await run('ingest', 'rows.xlsx', '-m', 'parcels', '-s', 'traffic')).toEqual(refused('FILE_FORMAT_UNKNOWN'));
    const bad = await run('ingest', 'nowhere.csv', '-s', 'traffic', '--watermark', '2024-02-30');
    expect(bad).toEqual(misused(/"2024-02-30", a day that no calendar has/));
  });
});
