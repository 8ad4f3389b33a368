/** The HTTP door of a service that has one. */
import type { ServerResponse } from 'node:http';
import { testService } from '@driftloop/testing/service';
import { Controller, Get, Module, Res } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';
import { Connection } from './index.js';

@Controller()
class Page {
  @Get('page')
  page() {
    return { text: 'hello' };
  }
}

const asked = Promise.withResolvers<void>();
const goOn = Promise.withResolvers<void>();
const found = Promise.withResolvers<unknown>();

@Controller()
class Slow {
  private readonly things: Model<object>;

  constructor(connection: Connection) {
    this.things = connection.model<object>('Thing', new Schema({}), 'things');
  }

  @Get('slow')
  async slow() {
    asked.resolve();
    await goOn.promise;
    const answer = await this.things
      .find()
      .exec()
      .catch((error: unknown) => error);
    found.resolve(answer);
    return { answer: 'late' };
  }

  @Get('endless')
  async endless(@Res() response: ServerResponse) {
    response.writeHead(200).write('first');
    await new Promise((resolve) => response.on('close', resolve));
  }
}

@Module({ controllers: [Page, Slow] })
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

it('ends when what it was asked has been done, though who asked has gone, and cuts what has no end', async () => {
  const service = await testService(gateway);
  running = service;
  const gone = new AbortController();
  const slow = fetch(`http://127.0.0.1:${service.httpPort}/slow`, { signal: gone.signal });
  const endless = await fetch(`http://127.0.0.1:${service.httpPort}/endless`);
  await asked.promise;
  gone.abort();
  await expect(slow).rejects.toThrow('abort');
  const closed = service.close();
  await expect(endless.text()).rejects.toThrow('terminated');
  goOn.resolve();
  await closed;
  expect(await found.promise).toEqual([]);
});
