/** The event map against the house: who is declared to hear an event has a handler for it, and nobody else has. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, services } from '@driftloop/contracts';
import { type House, openHouse } from '@driftloop/embedded';
import { handledTopics } from '@driftloop/service';

let house: House;
const home = mkdtempSync(join(tmpdir(), 'driftloop-house-'));

beforeAll(async () => {
  house = await openHouse(home, { anyPorts: true, environment: {} });
}, 60_000);

afterAll(async () => {
  await house?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('the event map', () => {
  it.each(services)('%s handles exactly the events that it is declared to hear', (service) => {
    const declared = Object.values(events)
      .filter((event) => (event.to as readonly string[]).includes(service))
      .map((event) => event.topic);
    expect(handledTopics(house.services.get(service)!.app)).toEqual([...declared].sort());
  });

  it('has a listener for each event', () => {
    expect(Object.values(events).filter((event) => event.to.length === 0)).toEqual([]);
  });
});

describe('the house', () => {
  it('is ready when all of its services are', () => {
    expect([...house.services.values()].flatMap((service) => service.reasons())).toEqual([]);
  });
});
