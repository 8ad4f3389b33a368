/** A field that no route reads is refused by name, in the body of a command and in the query of a question. */
import { testService } from '@driftloop/testing/service';
import { gateway } from './index.js';

let service: Awaited<ReturnType<typeof testService>>;
let url: string;
beforeAll(async () => {
  const names = ['LABELING', 'FEATURE_STORE', 'TRAINING', 'REGISTRY', 'SERVING', 'MONITORING'];
  const nobody = Object.fromEntries(names.map((name) => [`DRIFTLOOP_${name}_ADDRESS`, '127.0.0.1:1']));
  service = await testService(gateway, {
    environment: { ...nobody, DRIFTLOOP_REPLAY_TOKEN: 'replay-token-of-a-test' },
  });
  url = `http://127.0.0.1:${service.httpPort}`;
});
afterAll(() => service.close());

const json = { authorization: 'Bearer replay-token-of-a-test', 'content-type': 'application/json' };
async function told(path: string, init: RequestInit = {}) {
  const reply = await fetch(url + path, { headers: json, ...init });
  const { code, message } = (await reply.json()) as { code: string; message: string };
  return { status: reply.status, code, message };
}
const post = (path: string, body: string, headers: Record<string, string> = json) =>
  told(path, { method: 'POST', body, headers });
const refused = (message: string | RegExp) => ({
  ...{ status: 400, code: 'BODY_INVALID' },
  message: expect.stringMatching(message),
});

it.each([
  [
    '/v1/apply',
    '{"spec":"x","eventtime":"2013-01-01T00:00:00Z"}',
    /^eventtime: is no field .*did you mean "eventTime"/,
  ],
  ['/v1/models/m/promote', '{"version":"v2","forced":true}', /^forced: .*did you mean "force"/],
  ['/v1/models/m/rollback', '{"expectedchampion":"v2"}', /^expectedchampion: .*did you mean "expectedChampion"/],
  ['/v1/models/m/pause', '{"reason":"x"}', /^reason: .*known: note/],
  ['/v1/models/m/resume', '{"notes":"x"}', /^notes: .*did you mean "note"/],
  ['/v1/models/m/freeze', '{"notes":"x"}', /^notes: /],
  ['/v1/models/m/thaw', '{"notes":"x"}', /^notes: /],
  ['/v1/models/m/simulate', '{"spec":"x","jitter":3}', /^jitter: .*did you mean "jitters"/],
  ['/v1/models/m/quarantine/resolve', '{"id":"x","status":"held"}', /^status: .*did you mean "state"/],
  ['/v1/dead/replay', '{"group":"training.x","events":["e1"]}', /^events: /],
  ['/v1/dead/discard', '{"group":"training.x","All":true}', /^All: .*did you mean "all"/],
  ['/v1/clock', '{"now":"2013-02-01T00:00:00Z","until":"x"}', /^until: /],
  ['/v1/clock/accept', '{"why":"x"}', /^why: /],
  ['/v1/settled', '{"x":1}', /^x: /],
  ['/v1/models/m/pause', '{"__proto__":{"note":"x"}}', /^__proto__: is no field/],
  ['/v1/models/m/pause', '[{"note":"x"}]', /^\(body\): must be a JSON object/],
])('%s takes no %s', async (path, body, message) => {
  expect(await post(path, body)).toEqual(refused(message));
});

it.each([
  '/v1/models/m/drift?limt=5',
  '/v1/models/m/ledger?since=5',
  '/v1/models/m/quarantine?status=held',
  '/v1/dead?model=m',
  '/v1/audit?name=ana',
  '/v1/events?topic=labels.added',
])('%s is no question', async (path) => {
  expect(await told(path)).toEqual(refused(/^\w+: is no field of this request; /));
});

it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
  'a body of %s is refused, not left unread',
  async (type) => {
    const headers = { ...json, 'content-type': type };
    expect(await post('/v1/models/m/pause', '{"note":"x"}', headers)).toEqual(
      refused(/^\(body\): must be JSON: send it with the header content-type: application\/json/),
    );
  },
);

it('no body at all, an empty one, and what is known are taken as before', async () => {
  const now = '{"now":"2013-02-01T00:00:00Z"}';
  const sent = [['/v1/settled'], ['/v1/settled', '{}'], ['/v1/clock', now]] as const;
  for (const [path, body] of sent)
    expect(await told(path, { method: 'POST', ...(body && { body }) })).toMatchObject({ status: 200 });
});
