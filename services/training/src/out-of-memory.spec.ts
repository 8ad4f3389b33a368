/** A training that takes all of the memory ends alone: the process that started it lives on, and is told. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const thread = new URL('./thread.ts', import.meta.url).href;
const greedy = 'const kept = []; for (;;) kept.push(Array.from({ length: 1e5 }, (_, i) => ({ i })));';
const program = `
  import { trainOnThread } from ${JSON.stringify(thread)};
  const source = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(greedy)}));
  const error = await trainOnThread({}, () => {}, new AbortController().signal, source).catch((found) => found);
  console.log(JSON.stringify({ code: error.code, retriable: error.retriable, message: error.message }));
`;

it('is a crash of the thread, with the reason', async () => {
  const args = ['--max-old-space-size=64', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  expect(JSON.parse(stdout)).toEqual({
    ...{ code: 'WORKER_CRASHED', retriable: true },
    message: expect.stringMatching(/memory limit/),
  });
}, 70_000);
