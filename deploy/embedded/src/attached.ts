/** A house that somebody else keeps running: containers, or processes on other machines. */
import { resolve } from 'node:path';
import { Addresses, readSettings } from '@driftloop/service';
import { type Doors, untilReady } from './doors.js';

const openMs = 300_000;

/**
 * The doors of the house that the environment names, once its gateway reaches every service: DRIFTLOOP_URL,
 * DRIFTLOOP_…_ADDRESS, DRIFTLOOP_REPLAY_TOKEN (or its file). `home` is where the replay keeps its own memory. Throws
 * SETTINGS_INVALID, or an Error where the house does not answer.
 */
export async function attach(home: string, environment = process.env): Promise<Doors & { close(): Promise<void> }> {
  const settings = readSettings({ ...environment, DRIFTLOOP_MODE: 'embedded' });
  if (!settings.replayToken)
    throw new Error("--attach: set DRIFTLOOP_REPLAY_TOKEN (or _FILE), the house's replay credential");
  const url = (environment.DRIFTLOOP_URL || 'http://127.0.0.1:3000').replace(/\/{1,8}$/, '');
  await untilReady(url, openMs);
  const addresses = new Addresses(settings);
  return {
    home: resolve(home),
    url,
    replayToken: settings.replayToken.reveal(),
    address: (service) => `${url.startsWith('https:') ? 'grpcs://' : ''}${addresses.of(service as 'serving')}`,
    close: async () => undefined,
  };
}
