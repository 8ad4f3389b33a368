/** What a handler threw, as a dead letter keeps it. */
import type { DeadLetter } from './bus.js';

const longestMessage = 2000;

export function failureOf(thrown: unknown): DeadLetter['error'] {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown).slice(0, longestMessage) };
  const code = (thrown as { code?: unknown }).code;
  const { name, message } = thrown;
  return { name, message: message.slice(0, longestMessage), ...(typeof code === 'string' && { code }) };
}
