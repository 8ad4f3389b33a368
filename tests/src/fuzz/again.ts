/** Sends the inputs of a file again, one after another, each alone: which of them does it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { Bystanders } from './bystanders.js';
import type { Input } from './input.js';
import { Judge } from './judge.js';
import type { Options } from './options.js';
import { Sender } from './sender.js';
import { System } from './system.js';

/** How long an input is waited upon after its answer, ms: for what it has set going. */
const restMs = 300;

/** Whether all of them came to nothing. */
export async function again({ home: given }: Options, inputs: readonly Input[], tell: (line: string) => void) {
  const home = given ?? mkdtempSync(join(tmpdir(), 'driftloop-fuzz-'));
  const judge = new Judge([home]);
  const seen: string[] = [];
  let quietly = true;
  const system = await System.open(home, (line) => {
    const what = quietly ? undefined : judge.ofLine(line);
    if (what) seen.push(`${what}: ${line.slice(0, 1000)}`);
  });
  const bystanders = new Bystanders(system.described, (what) => seen.push(what));
  await bystanders.learn();
  bystanders.start();
  quietly = false;
  const sender = new Sender(system.described, (event) => system.publish(event));
  let failed = 0;
  for (const input of inputs) {
    const began = performance.now();
    const answer = await Promise.race([sender.send(input), pass(60_000, { status: 'no answer', text: '' })]);
    const ms = Math.round(performance.now() - began);
    await pass(restMs);
    const what = judge.ofAnswer(input, answer);
    const faults = [
      ...(what ? [what] : []),
      ...(system.ended ? [`the system ended: ${system.ended}`] : []),
      ...seen.splice(0),
    ];
    failed += Number(faults.length > 0);
    const { number, method, field, mutation } = input;
    tell(
      `${faults.length ? 'FAIL' : 'ok  '} ${number}: ${method}, ${field || '(whole)'}: ${mutation}: ${answer.status} in ${ms} ms`,
    );
    for (const fault of faults) tell(`     ${fault.slice(0, 1500)}`);
    if (system.ended) break;
  }
  sender.close();
  if (!system.ended) await bystanders.stop();
  await system.kill();
  if (!given) rmSync(home, { recursive: true, force: true });
  return failed === 0;
}
