/** A product team on a real broker: it reports outcomes over Kafka, labeling takes them, and it hears the labels. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { KafkaBus, removeNamespace } from '@driftloop/bus/kafka';
import { consume, KafkaReporter } from '@driftloop/client/kafka';
import { AdminClient, canonicalSpec, events, parseModelSpec } from '@driftloop/contracts';
import { labeling } from '@driftloop/labeling';
import {
  call,
  type EmbeddedStore,
  grpcClient,
  openEmbeddedGround,
  openEmbeddedStore,
  type RunningService,
  readSettings,
  startService,
} from '@driftloop/service';
import { describeOn } from '@driftloop/testing/servers';

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const group = 'labeling.when-outcomes-reported';
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (entityId: string) => ({ entityId, entityTime: at(0), knownAt: at(3), value: 1, source: 'bts' });

describeOn(['kafka'], 'a product team on Kafka', ({ kafka: { brokers } }) => {
  const namespace = `teams-${randomUUID().slice(0, 13)}`;
  const home = mkdtempSync(join(tmpdir(), 'driftloop-'));
  let store: EmbeddedStore;
  let bus: KafkaBus;
  let service: RunningService;
  let reporter: KafkaReporter;

  beforeAll(async () => {
    store = await openEmbeddedStore(home, readSettings({ DRIFTLOOP_LOG_LEVEL: 'silent' }), 'throw');
    bus = await KafkaBus.open({ servers: { brokers }, name: 'labeling', namespace, sessionMs: 6000 });
    const ground = await openEmbeddedGround(home, 'labeling', {
      ...store,
      bus: bus as unknown as EmbeddedStore['bus'],
    });
    service = await startService(labeling, ground, { port: 0, httpPort: 0 });
    reporter = await KafkaReporter.open({ brokers, namespace }, '/checkout/web');
    const { json, sha256 } = canonicalSpec(spec);
    const declared = { tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 };
    const { topic, key, payload } = events.modelDeclared;
    const data = payload.toJSON(declared);
    await bus.publish([{ id: 'd1', topic, key: key(declared), time: 0, source: 'registry', data }]);
    await bus.settled();
  }, 60_000);
  afterAll(async () => {
    await reporter.close();
    await service.close();
    await bus.close();
    await store.close();
    rmSync(home, { recursive: true, force: true });
    await removeNamespace({ brokers }, namespace);
  });

  it('hears as labels what it has reported, once, and the malformed as a dead letter with the reason', async () => {
    const heard: string[] = [];
    const consumption = await consume({
      servers: { brokers, namespace },
      group: `${namespace}.labeling.team`,
      handlers: { labelsAdded: ({ data }) => void heard.push(...data.labels.map(({ entityId }) => entityId)) },
    });
    const bad = { ...outcome('F3'), knownAt: new Date(0), entityId: '' };
    for (let sent = 0; sent < 2; sent++) await reporter.outcomes(label, [outcome('F1'), outcome('F2')], { id: 'mine' });
    const [id] = await reporter.outcomes(label, [outcome('F4'), bad]);
    await bus.settled();
    while (heard.length < 3) await pass(10);
    await consumption.stop();
    expect(heard.sort()).toEqual(['F1', 'F2', 'F4']);
    const dead = (await bus.dead(group)).map((letter) => [letter.id, letter.error.code, letter.error.message]);
    expect(dead).toEqual([
      [id, 'OUTCOMES_REFUSED', expect.stringMatching(/^1 of 2 outcomes .*\[1\] entity_id is missing/)],
    ]);
  }, 60_000);

  it('has a group that is nobody’s of the services, though it is called like one of labeling’s', async () => {
    const admin = grpcClient(AdminClient, `127.0.0.1:${service.port}`);
    const { groups } = await call(admin, 'describe', {});
    admin.close();
    expect(groups.map(({ name }) => name)).toContain(group);
    expect(groups.map(({ name }) => name)).not.toContain('labeling.team');
    const lags = (await bus.lag()).filter((lag) => lag.group === 'labeling.team');
    expect(lags).toContainEqual(expect.objectContaining({ topic: 'labels.added', lag: 0, foreign: true }));
  });
});
