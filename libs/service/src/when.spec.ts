/** Events: handlers, causes, pauses, dead letters, groups, readiness, and stopping without a loss. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutgoingEvent } from '@driftloop/bus';
import { events, type ModelDeclared, type ModelPromoted, type TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { type TestOptions, testService } from '@driftloop/testing/service';
import { Controller, Module } from '@nestjs/common';
import {
  ConsumerGroup,
  handledTopics,
  openEmbeddedStore,
  readSettings,
  type ServiceDefinition,
  When,
} from './index.js';
import { tiny, World, world } from './testing/tiny-service.js';

const open: { close(): unknown }[] = [];
const declared = (model: string): OutgoingEvent => ({
  id: `declared-${model}`,
  topic: 'model.declared',
  key: `acme/${model}`,
  time: 1_357_000_000_000,
  source: 'registry',
  data: { tenant: 'acme', model, revision: 1, unknownField: true },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
});

async function started(definition: ServiceDefinition, options: TestOptions = {}) {
  const service = await testService(definition, { logLines: { write: () => {} }, ...options });
  open.push(service);
  return service;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came to hold');
}

beforeEach(() => Object.assign(world, new World()));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

it('hears an event with its payload decoded and its cause, and emits another with its document', async () => {
  const { bus } = (await started(tiny)).ground;
  await bus.publish([declared('flights')]);
  await bus.settled();
  const [{ payload, cause }] = world.heard;
  expect(payload).toMatchObject({ tenant: 'acme', model: 'flights', revision: 1, specJson: '' });
  expect(payload).not.toHaveProperty('unknownField');
  expect(cause).toEqual({
    id: 'declared-flights',
    time: 1_357_000_000_000,
    tenant: 'acme',
    position: { topic: 'model.declared', partition: 0, offset: 0 },
    traceparent: declared('flights').traceparent,
  });
  const emitted = (await Promise.all([0, 1].map((partition) => bus.read('labels.added', partition, 0, 10)))).flat();
  expect(emitted).toMatchObject([
    { source: 'labeling', time: cause.time, traceparent: cause.traceparent, data: { label: 'flights.late' } },
  ]);
});

it('pauses while a dependency is away, live but not ready, and goes on afterwards without a dead letter', async () => {
  const service = await started(tiny);
  const { bus } = service.ground;
  expect(service.ready()).toBe(true);
  world.away = true;
  await bus.publish([declared('flights')]);
  await until(() => world.heard.length > 1);
  expect(service.ready()).toBe(false);
  expect(service.reasons()).toEqual([expect.stringMatching(/model\.declared\/0 is paused: the store is away/)]);
  world.away = false;
  await bus.settled();
  expect(service.ready()).toBe(true);
  expect(await bus.dead('labeling.when-model-declared')).toEqual([]);
});

it('dead-letters an event that its handler cannot take, with the original error, and goes on with the next', async () => {
  const lines: string[] = [];
  const service = await started(tiny, { logLines: { write: (line) => void lines.push(line) } });
  const { bus } = service.ground;
  await bus.publish([declared('poison'), declared('flights')]);
  await bus.settled();
  const dead = await bus.dead('labeling.when-model-declared');
  expect(dead).toMatchObject([{ id: 'declared-poison', error: { name: 'TypeError', message: 'no such thing' } }]);
  expect(world.heard.map((heard) => heard.payload.model)).toEqual(['poison', 'flights']);
  expect(service.ready()).toBe(true);
  expect(lines.join('')).toMatch(/no such thing.*tiny-service/);
});

it('dead-letters an event whose payload is no JSON object, without calling its handler', async () => {
  const { bus } = (await started(tiny)).ground;
  await bus.publish([{ ...declared('flights'), data: ['a'] }]);
  await bus.settled();
  expect(world.heard).toEqual([]);
  expect(await bus.dead('labeling.when-model-declared')).toMatchObject([{ error: { code: 'PAYLOAD_INVALID' } }]);
});

it('lets a handler that runs finish when it stops, and hears nothing twice and everything once afterwards', async () => {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-'));
  open.push({ close: () => rmSync(home, { recursive: true, force: true }) });
  world.slow = 20;
  const first = await started(tiny, { home });
  const models = Array.from({ length: 12 }, (_, i) => `m${i}`);
  await first.ground.bus.publish(models.map(declared));
  await until(() => world.heard.length >= 3);
  await first.close();
  const before = world.heard.length;
  expect(before).toBeLessThan(models.length);
  world.slow = 0;
  const second = await started(tiny, { home });
  await second.ground.bus.settled();
  expect(world.heard.map((heard) => heard.payload.model)).toEqual(models);
  const labels = (await Promise.all([0, 1].map((p) => second.ground.bus.read('labels.added', p, 0, 100)))).flat();
  const emitted = labels.map(({ data }) => (data as { label: string }).label.replace('.late', ''));
  expect(emitted.sort()).toEqual([...models].sort());
});

const heard: string[] = [];

@ConsumerGroup('training.when-anything')
class WhenAnything {
  @When(events.timePassed)
  tick(_: TimePassed, cause: Cause) {
    heard.push(`tick of ${cause.tenant}`);
  }

  @When(events.modelDeclared)
  declared(payload: ModelDeclared) {
    heard.push(payload.model);
  }
}

@ConsumerGroup('training.when-anything-else')
class WhenAnythingElse {
  @When(events.modelDeclared)
  declared(payload: ModelDeclared) {
    heard.push(`${payload.model} again`);
  }
}

@ConsumerGroup('training.when-on-each-replica')
class WhenOnEachReplica {
  @When(events.modelDeclared, { each: 'replica' })
  state(_: ModelDeclared) {}
}

@ConsumerGroup('training.when-twice')
class WhenTwice {
  @When(events.modelDeclared)
  one(_: ModelDeclared) {}
  @When(events.modelDeclared)
  two(_: ModelDeclared) {}
}

@ConsumerGroup('training.when-anything-else')
class WhenRenamed {
  @When(events.modelDeclared)
  declared(_: ModelDeclared) {}
}

@Controller()
class WhenNobody {
  @When(events.modelDeclared)
  declared(_: ModelDeclared) {}
}

@ConsumerGroup('training.when-one')
class WhenOne {
  @When(events.modelDeclared)
  one(_: ModelDeclared) {}
}

@ConsumerGroup('training.when-one')
class WhenOneToo {
  @When(events.timePassed)
  tick(_: TimePassed) {}
}

@ConsumerGroup('registry.when-one')
class WhenElsewhere {
  @When(events.modelDeclared)
  one(_: ModelDeclared) {}
}

@ConsumerGroup('training.when-not-mine')
class WhenNotMine {
  @When(events.modelPromoted)
  none(_: ModelPromoted) {}
}

function service(...controllers: (new () => unknown)[]): ServiceDefinition {
  @Module({ controllers })
  class Hearing {}
  return { name: 'training', module: Hearing };
}

it('is one group a class, over all of its events; classes hear the same event side by side', async () => {
  heard.length = 0;
  const running = await started(service(WhenAnything, WhenAnythingElse));
  const { bus } = running.ground;
  await bus.publish([declared('flights')]);
  const now = { id: 't', topic: 'time.passed', key: 'clock', time: 5, source: 'clock', data: { now: new Date(5) } };
  await bus.publish([now]);
  await bus.settled();
  expect(heard.sort()).toEqual(['flights', 'flights again', 'tick of main']);
  const groups = new Set((await bus.lag()).map((lag) => lag.group));
  expect([...groups].sort()).toEqual(['training.when-anything', 'training.when-anything-else']);
  expect(handledTopics(running.app)).toEqual(['model.declared', 'time.passed']);
});

it('gives each replica a group of its own', async () => {
  const running = await started(service(WhenOnEachReplica), { environment: { DRIFTLOOP_REPLICA: 'serving-3' } });
  const groups = (await running.ground.bus.lag()).map((lag) => lag.group);
  expect(groups).toEqual(['training.when-on-each-replica.serving-3']);
});

it('does not start when a class hears one topic twice, or one that the event map does not give it', async () => {
  await expect(started(service(WhenTwice))).rejects.toMatchObject({ code: 'WHEN_AMBIGUOUS' });
  const refused = expect.stringContaining('WhenNotMine.none hears model.promoted');
  await expect(started(service(WhenNotMine))).rejects.toMatchObject({
    code: 'LISTENER_NOT_DECLARED',
    message: refused,
  });
});

it('hears in the group that its class states, whatever the class is called', async () => {
  const groupsOf = async (listener: new () => unknown) => {
    const { bus } = (await started(service(listener))).ground;
    return (await bus.lag()).map(({ group }) => group);
  };
  const before = await groupsOf(WhenAnythingElse);
  expect(before).toEqual(['training.when-anything-else']);
  expect(await groupsOf(WhenRenamed)).toEqual(before);
});

it.each([
  ['it states no group', [WhenNobody], 'WhenNobody: it has @When and no consumer group'],
  [
    'another class has its group',
    [WhenOne, WhenOneToo],
    'WhenOneToo: WhenOne is consumer group training.when-one already',
  ],
  [
    "its group is another service's",
    [WhenElsewhere],
    'WhenElsewhere: consumer group registry.when-one is not of training',
  ],
])('does not start with a class when %s', async (_why, classes, says) => {
  const message = expect.stringContaining(`${says}; state one that no other class has: @ConsumerGroup('training.…')`);
  await expect(started(service(...classes))).rejects.toMatchObject({ code: 'GROUP_INVALID', message });
});

it('type-checks a handler against its event', () => {
  class Wrong {
    // @ts-expect-error the payload of model.declared is another
    @When(events.modelDeclared)
    wrong(_: TimePassed) {}
    // @ts-expect-error a cause comes second
    @When(events.timePassed)
    alsoWrong(_: TimePassed, __: string) {}
    @When(events.timePassed)
    fewer() {}
  }
  expect(Object.getOwnPropertyNames(Wrong.prototype)).toContain('fewer');
});

it('shares one store between services, which find each other by address', async () => {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-'));
  open.push({ close: () => rmSync(home, { recursive: true, force: true }) });
  const store = await openEmbeddedStore(home, readSettings({}));
  open.push(store);
  const first = await started(tiny, { store });
  const second = await started(service(WhenAnythingElse), { store });
  expect(second.ground.addresses.of('labeling')).toBe(`127.0.0.1:${first.port}`);
  heard.length = 0;
  await second.ground.bus.publish([declared('flights')]);
  await store.bus.settled();
  expect([heard, world.heard.length]).toEqual([['flights again'], 1]);
});
