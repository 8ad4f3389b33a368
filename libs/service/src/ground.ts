/** The ground a service stands on: the ports and what belongs to them, opened by whoever starts it. */
import type { Bus } from '@driftloop/bus';
import type { Outbox } from '@driftloop/documents';
import type { Objects } from '@driftloop/objects';
import type { Connection } from 'mongoose';
import type { Addresses } from './addresses.js';
import type { Settings } from './settings.js';

export interface Ground {
  readonly bus: Bus;
  /** The service's own database. */
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly objects: Objects;
  readonly addresses: Addresses;
  readonly settings: Settings;
  /** Sends what the outbox has left and closes what was opened for this service. Again is no error. */
  close(): Promise<void>;
}
