/** Who calls, by token and by connection. */
import { Credentials, readSettings } from './index.js';

const token = 'a-token-of-some-length';
const replayToken = 'another-token-for-replays';
const open = (environment: Record<string, string>) => new Credentials(readSettings(environment));

it('counts a caller with a token by its name, wherever it calls from', () => {
  const credentials = open({ DRIFTLOOP_TOKEN: token });
  const [one, other] = ['127.0.0.1:1', '127.0.0.1:2'].map((from) => credentials.caller(`Bearer ${token}`, from));
  expect(one).toMatchObject({ name: 'token', key: 'token', tenant: 'main', roles: ['admin'], replay: false });
  expect(other.key).toBe(one.key);
});

it('counts a caller without one by its connection, where none is needed', () => {
  const credentials = open({});
  const found = ['127.0.0.1:1', '[::1]:2'].map((from) => credentials.caller(undefined, from));
  expect(found.map(({ name, key }) => [name, key])).toEqual([
    ['main', '127.0.0.1:1'],
    ['main', '[::1]:2'],
  ]);
});

it('lets the replay token say what time it is, and the token of the house not', () => {
  const credentials = open({ DRIFTLOOP_TOKEN: token, DRIFTLOOP_REPLAY_TOKEN: replayToken });
  expect(credentials.caller(`Bearer ${replayToken}`, '')).toMatchObject({
    ...{ name: 'main (replay credential)', roles: ['admin', 'replay'], replay: true },
  });
  expect(credentials.caller(`bearer ${token}`, '').replay).toBe(false);
});

it.each([
  [undefined, 'CREDENTIAL_MISSING'],
  ['', 'CREDENTIAL_MISSING'],
  ['Basic dXNlcjpwYXNz', 'CREDENTIAL_MISSING'],
  ['Bearer of-somebody-else', 'CREDENTIAL_REFUSED'],
  ['Bearer constructor', 'CREDENTIAL_REFUSED'],
])('refuses %j where a token is needed: %s', (authorization, code) => {
  expect(() => open({ DRIFTLOOP_TOKEN: token }).caller(authorization, '127.0.0.1:1')).toThrow(
    expect.objectContaining({ code }),
  );
});
