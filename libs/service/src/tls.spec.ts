/** TLS of a real service: at its doors, between services, and when the certificate is renewed. */
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { AdminClient, LabelingClient } from '@driftloop/contracts';
import { caFile, loopback, named, pem } from '@driftloop/testing/certificates';
import { testService } from '@driftloop/testing/service';
import { ChannelCredentials, type Client } from '@grpc/grpc-js';
import { Addresses, call, grpcClient, readSettings, type TlsFiles } from './index.js';
import { tiny } from './testing/tiny-service.js';

const folder = mkdtempSync(join(tmpdir(), 'driftloop-tls-'));
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const variables = ({ certFile, keyFile, caFile: ca }: TlsFiles) => ({
  ...{ DRIFTLOOP_TLS_CERT_FILE: certFile, DRIFTLOOP_TLS_KEY_FILE: keyFile },
  ...(ca && { DRIFTLOOP_TLS_CA_FILE: ca }),
});

async function started(files: TlsFiles, environment = {}, options = {}) {
  const service = await testService(tiny, {
    environment: { DRIFTLOOP_LOG_LEVEL: 'silent', ...variables(files), ...environment },
    ...options,
  });
  open.push(service);
  return service;
}
const closing = <C extends Client>(client: C): C => {
  open.push(client);
  return client;
};
const request = { label: 'x', outcomes: [], watermark: undefined };
const ask = (client: LabelingClient) =>
  call(client, 'recordOutcomes', request, { deadlineMs: 1500 }).then(
    ({ accepted }) => accepted,
    ({ code }) => code,
  );
/** A client as a process with these files has it. */
const from = (files: TlsFiles, port: number) => {
  const settings = readSettings({ ...variables(files), DRIFTLOOP_LABELING_ADDRESS: `127.0.0.1:${port}` });
  return closing(new Addresses(settings).client(LabelingClient, 'labeling'));
};
/** The certificate that a new connection is shown. */
const shown = (port: number) =>
  new Promise<PeerCertificate>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    }).on('error', reject);
  });
const until = async (holds: () => Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

it('answers who speaks TLS and believes its certificate, and nobody else', async () => {
  const { port } = await started(loopback);
  const client = (credentials: ChannelCredentials) => closing(new LabelingClient(`127.0.0.1:${port}`, credentials));
  expect(await ask(client(ChannelCredentials.createSsl(Buffer.from(pem(caFile)))))).toBe(1);
  expect(await ask(client(ChannelCredentials.createSsl()))).not.toBe(1);
  expect(await ask(closing(grpcClient(LabelingClient, `127.0.0.1:${port}`)))).not.toBe(1);
});

it('lets services of one certificate call each other by any address, though it names another', async () => {
  const service = await started(named);
  expect(await ask(closing(service.ground.addresses.client(LabelingClient, 'labeling')))).toBe(1);
});

it('believes other certificates by the CA file and by name alone', async () => {
  const [one, other] = [await started(loopback), await started(named)];
  expect(await ask(from({ ...named, caFile }, one.port))).toBe(1);
  expect(await ask(from(named, one.port))).not.toBe(1);
  expect(await ask(from({ ...loopback, caFile }, other.port))).not.toBe(1);
});

it('serves health over TLS too', async () => {
  const { healthPort } = await started(loopback, {}, { healthPort: 0 });
  const answer = await new Promise<string>((resolve, reject) => {
    const asked = { host: '127.0.0.1', port: healthPort, path: '/readyz', ca: pem(caFile) };
    get(asked, (response) => response.on('data', (chunk) => resolve(String(chunk)))).on('error', reject);
  });
  expect(JSON.parse(answer)).toMatchObject({ ready: true, reasons: [] });
});

it('shows a renewed certificate to the next connection, and keeps the good one while the new one is broken', async () => {
  const files = { certFile: join(folder, 'cert'), keyFile: join(folder, 'key') };
  copyFileSync(loopback.certFile, files.certFile);
  copyFileSync(loopback.keyFile, files.keyFile);
  const { port } = await started(files);
  const admin = closing(new AdminClient(`127.0.0.1:${port}`, ChannelCredentials.createSsl(Buffer.from(pem(caFile)))));
  const attention = async () => (await call(admin, 'describe', {})).attention.join();
  const put = (file: string, text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  expect((await shown(port)).subjectaltname).toContain('localhost');
  put(files.certFile, pem(named.certFile));
  await until(async () => (await attention()).includes('it is not the certificate of the key'));
  expect((await shown(port)).subjectaltname).toContain('localhost');
  put(files.keyFile, pem(named.keyFile));
  await until(async () => (await attention()) === '');
  expect((await shown(port)).subjectaltname).toContain('driftloop.test');
});

it.each([
  ['that is not there', { ...loopback, certFile: join(folder, 'none') }, 'cannot be read (ENOENT)'],
  ['of another key', { ...loopback, keyFile: named.keyFile }, 'it is not the certificate of the key'],
  ['that is none', { ...loopback, certFile: loopback.keyFile }, 'it is no PEM that can be used'],
])('does not start with a certificate %s, says which file, and leaves nothing open', async (_, files, reason) => {
  await expect(started(files)).rejects.toMatchObject({
    ...{ code: 'TLS_INVALID', message: expect.stringContaining(reason) },
  });
});

it.each(['CERT', 'KEY'])('needs certificate and key, not the %s alone', (one) => {
  expect(() => readSettings({ [`DRIFTLOOP_TLS_${one}_FILE`]: 'x' })).toThrow(/is not set, and the other/);
});
