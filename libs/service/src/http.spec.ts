/**
 * The HTTP door of a service that has one.
 *
 * express' dependencies are CommonJS: without the condition `import` they are resolved as such.
 * @jest-environment-options {"customExportConditions": ["driftloop:source", "node"]}
 */
import { Controller, Get, Module } from '@nestjs/common';
import { testService } from './index.js';

@Controller()
class Page {
  @Get('page')
  page() {
    return { text: 'hello' };
  }
}

@Module({ controllers: [Page] })
class PageModule {}

let running: { close(): Promise<void> } | undefined;
afterEach(() => running?.close());

const gateway = { name: 'gateway', module: PageModule, http: { port: 3000 } } as const;

it('serves controllers over HTTP, and says which variable changes a port that is taken', async () => {
  const service = await testService(gateway);
  running = service;
  const reply = await fetch(`http://127.0.0.1:${service.httpPort}/page`);
  expect(await reply.json()).toEqual({ text: 'hello' });
  const second = testService(gateway, { httpPort: service.httpPort, logLines: { write: () => {} } });
  await expect(second).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining('DRIFTLOOP_GATEWAY_PORT'),
  });
  await service.close();
  await expect(fetch(`http://127.0.0.1:${service.httpPort}/page`)).rejects.toThrow();
});
