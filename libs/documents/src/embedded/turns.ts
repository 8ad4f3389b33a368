/**
 * Turns of the event loop. SQLite answers at once, so that a caller who awaits operations in a loop would never let
 * timers and sockets run: after some milliseconds without a turn, the next operation waits for one.
 */
import { setImmediate as turn } from 'node:timers/promises';

const TURN_MS = 5;
let lastTurn = performance.now();

/** Resolves at once, or after a turn of the event loop when the last one was a while ago. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastTurn < TURN_MS) return;
  await turn();
  lastTurn = performance.now();
}
