/** Whom limits are counted by: the caller's name where it has one, else its connection. */
import type { Caller } from '../credentials.js';

export const callerKey = (caller: Caller | undefined, connection: { getPeer(): string }): string =>
  caller?.key ?? connection.getPeer();
