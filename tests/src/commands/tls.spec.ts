/** A house with TLS at every door, and the command line against it. */
import { caFile, loopback } from '@driftloop/testing/certificates';
import { openPlayed, type Played } from '../walk/played.js';
import { parcelsSpec } from '../worlds/parcels.js';
import { driftloop } from './process.js';

let played: Played;
beforeAll(async () => {
  const { certFile, keyFile } = loopback;
  const files = { DRIFTLOOP_TLS_CERT_FILE: certFile, DRIFTLOOP_TLS_KEY_FILE: keyFile };
  played = await openPlayed(undefined, files);
}, 60_000);
afterAll(() => played?.close());

const run = (args: string[], environment = {}, input = '') => {
  const [url, serving] = [played.house.url, played.house.address('serving')];
  return driftloop(args, { DRIFTLOOP_URL: url, DRIFTLOOP_SERVING_ADDRESS: serving, ...environment }, input);
};
const believing = { DRIFTLOOP_TLS_CA_FILE: caFile };

it('is asked over TLS alone: by HTTP, by gRPC, and service by service', async () => {
  expect(played.house.url).toMatch(/^https:/);
  expect(await run(['apply', '-f', '-'], believing, parcelsSpec())).toMatchObject({ code: 0 });
  // Serving is ready once it has asked the registry for what is declared, and has loaded it.
  const unready = async () => {
    const { stdout } = await run(['services', '--json'], believing);
    return (JSON.parse(stdout) as { reasons: string[] }[]).flatMap(({ reasons }) => reasons);
  };
  while ((await unready()).length) await new Promise((resolve) => setTimeout(resolve, 100));
  const asked = await run(['predict', '-m', 'nothing', '-e', 'x'], believing);
  expect(asked.stderr).toMatch(/^UNKNOWN_MODEL/);
  const bare = played.house.address('serving').replace('grpcs://', '');
  const bareAsked = await run(['predict', '-m', 'nothing', '-e', 'x'], {
    ...believing,
    DRIFTLOOP_SERVING_ADDRESS: bare,
  });
  expect(bareAsked.stderr).toMatch(/^UNKNOWN_MODEL/);
}, 60_000);

it('is not asked by whoever does not believe its certificate, or speaks in plain text', async () => {
  expect(await run(['services'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNREACHABLE: /) });
  const plain = { ...believing, DRIFTLOOP_URL: played.house.url.replace('https', 'http') };
  expect(await run(['services'], plain)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNREACHABLE: /) });
}, 60_000);

it('says which file of certificates cannot be used', async () => {
  expect(await run(['services'], { DRIFTLOOP_TLS_CA_FILE: '/nothing' })).toMatchObject({
    ...{ code: 1, stderr: expect.stringMatching(/^FILE_UNREADABLE: .*\/nothing/) },
  });
  expect(await run(['services'], { DRIFTLOOP_TLS_CA_FILE: loopback.keyFile })).toMatchObject({
    ...{ code: 1, stderr: expect.stringMatching(/^CA_INVALID: .*loopback\.key/) },
  });
}, 60_000);
