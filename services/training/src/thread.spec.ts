import { LeaseLost } from './jobs.js';
import { type ThreadInput, trainOnThread } from './thread.js';

const program = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`);
const start = (source: string, signal = new AbortController().signal, heard: unknown[] = []) =>
  trainOnThread({} as ThreadInput, (...step) => heard.push(step), signal, program(source));
const post = (message: object) =>
  `import('node:worker_threads').then((w) => w.parentPort.postMessage(${JSON.stringify(message)}));`;

describe('a training on a thread', () => {
  it('tells each step, then the result', async () => {
    const heard: unknown[] = [];
    const source = `${post({ kind: 'step', step: 'parameters', value: 1 })}${post({ kind: 'result', result: 'done' })}`;
    expect(await start(source, undefined, heard)).toBe('done');
    expect(heard).toEqual([['parameters', 1]]);
  });

  it('passes a typed failure on', async () => {
    const failure = { code: 'ONE_CLASS', message: 'all alike', retriable: false };
    await expect(start(post({ kind: 'failure', failure }))).rejects.toMatchObject(failure);
  });

  it.each([
    ['throws', 'throw new Error("out of luck")', /out of luck/],
    ['exits', 'process.exit(3)', /exit code 3/],
    ['ends without a word', '0', /exit code 0/],
  ])('is a retriable crash when the thread %s', async (_what, source, reason) => {
    await expect(start(source)).rejects.toMatchObject({ code: 'WORKER_CRASHED', retriable: true });
    await expect(start(source)).rejects.toThrow(reason);
  });

  it('ends at once when it is aborted', async () => {
    const abort = new AbortController();
    const running = start('setInterval(() => {}, 1000)', abort.signal);
    const reason = new LeaseLost('taken over');
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(start('0', abort.signal)).rejects.toBe(reason);
  });
});
