/**
 * The thread that sends: makes inputs by their numbers, keeps some in flight, looks at the answers. Of its own, so that who
 * watches the system meanwhile is not kept waiting by it.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Making } from './calls.js';
import type { Input, Publication } from './input.js';
import { Inputs } from './inputs.js';
import { Judge } from './judge.js';
import { methodsOf } from './methods.js';
import { Sender } from './sender.js';
import type { Described } from './system.js';
import { type Counted, Tally } from './tally.js';

export interface Order {
  readonly seed: number;
  readonly described: Described;
  readonly making: Making;
  /** Numbers of inputs, from and up to. */
  readonly from: number;
  readonly to: number;
  readonly inFlight: number;
  readonly folders: readonly string[];
}

/** An answer that may not be. */
export interface Fault {
  readonly what: string;
  readonly input: Input;
  readonly answer: string;
}

export type FromSending =
  | { readonly kind: 'progress'; readonly inputs: number }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'publish'; readonly id: string; readonly event: Publication }
  /** Those that have no answer now. */
  | { readonly kind: 'in flight'; readonly inputs: readonly Input[] }
  | { readonly kind: 'done'; readonly counted: Counted; readonly inputs: number };

export type ToSending =
  | { readonly kind: 'stop' }
  | { readonly kind: 'look' }
  | { readonly kind: 'published'; readonly id: string; readonly failed?: string };

/** Whatever happens to an input, the next one is sent after so long, ms. */
const longestMs = 20_000;

const { seed, described, making, from, to, inFlight, folders } = workerData as Order;
const port = parentPort!;
const tell = (told: FromSending) => port.postMessage(told);
const publishing = new Map<string, PromiseWithResolvers<void>>();
const open = new Map<number, Input>();
const tally = new Tally();
const judge = new Judge(folders);
let stopped = false;

port.on('message', (told: ToSending) => {
  if (told.kind === 'stop') stopped = true;
  else if (told.kind === 'look') tell({ kind: 'in flight', inputs: [...open.values()] });
  else {
    const waiting = publishing.get(told.id);
    publishing.delete(told.id);
    if (told.failed === undefined) waiting?.resolve();
    else waiting?.reject(new Error(told.failed));
  }
});

const sender = new Sender(described, ({ id, ...event }) => {
  const waiting = Promise.withResolvers<void>();
  publishing.set(id, waiting);
  tell({ kind: 'publish', id, event });
  return waiting.promise;
});

async function sendThem(inputs: Inputs): Promise<void> {
  let next = from;
  const lane = async () => {
    while (!stopped && next < to) await sendOne(inputs.at(next++));
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function sendOne(input: Input): Promise<void> {
  open.set(input.number, input);
  const began = performance.now();
  const late = { status: 'no answer', text: '' };
  const answer = await Promise.race([sender.send(input), pass(longestMs, late, { ref: false })]);
  open.delete(input.number);
  tally.count(input, answer, performance.now() - began);
  const what = judge.ofAnswer(input, answer);
  if (what) tell({ kind: 'fault', fault: { what, input, answer: answer.text.slice(0, 2000) } });
  if (tally.inputs % 200 === 0) tell({ kind: 'progress', inputs: tally.inputs });
}

const methods = await methodsOf(described.doors, `Bearer ${making.token}`);
await sendThem(new Inputs(seed, methods, described.routes, making));
sender.close();
tell({ kind: 'done', counted: tally.counted, inputs: tally.inputs });
