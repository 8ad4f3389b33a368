// The health check of the image: whether the service in this container is ready; the reasons where it is not. With TLS the
// certificate names the service, not this container's loopback: whose it is need not be asked here.
import { get as getPlain } from 'node:http';
import { get as getEncrypted } from 'node:https';

const get = process.env.DRIFTLOOP_TLS_CERT_FILE ? getEncrypted : getPlain;
const door = { host: '127.0.0.1', port: 8080, path: '/readyz', rejectUnauthorized: false };
const answer = await new Promise((resolve) => {
  get(door, async (response) => resolve({ ok: response.statusCode === 200, text: await textOf(response) })).on(
    'error',
    (error) => resolve({ ok: false, text: String(error) }),
  );
});
console.log(answer.text);
process.exit(answer.ok ? 0 : 1);

async function textOf(response) {
  let text = '';
  for await (const part of response) text += part;
  return text;
}
