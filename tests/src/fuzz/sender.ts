/** Sends an input at its door, and resolves with what came back, whatever that is. */
import { Agent, request } from 'node:http';
import { Connections } from './connections.js';
import type { Answer, Input, Publication, Request } from './input.js';
import type { Described } from './system.js';

const answerMs = 15_000;
/** An answer that goes on (the event stream) is left after so long, ms, or so many characters. */
const streamMs = 150;
const largestAnswer = 1_000_000;

/** Publishes an event where the bus is; rejects as it does. */
export type Publish = (event: Publication & { id: string }) => Promise<void>;

export class Sender {
  private readonly calls: Connections;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(
    private readonly described: Described,
    private readonly publish: Publish,
  ) {
    this.calls = new Connections(Object.fromEntries(described.doors.map(({ name, address }) => [name, address])));
  }

  async send({ number, sent }: Input): Promise<Answer> {
    if (sent.door === 'grpc') return this.calls.send(sent);
    if (sent.door === 'http') return this.request(sent);
    return this.publish({ ...sent, id: `fuzz-${number}` }).then(
      () => ({ status: 'published', text: '' }),
      (error: Error) => ({ status: 'not published', text: error.message }),
    );
  }

  close(): void {
    this.calls.close();
    this.agent.destroy();
  }

  private request({ verb, path, headers, body }: Request): Promise<Answer> {
    return new Promise((resolve) => {
      const finish = (status: string, text = '') => {
        clearTimeout(late);
        resolve({ status, text });
      };
      let giveUp = () => {};
      const late = setTimeout(() => {
        finish('no answer');
        giveUp();
      }, answerMs);
      try {
        const url = new URL(this.described.url);
        const own = { host: url.hostname, port: url.port, agent: this.agent };
        const sent = request({ ...own, method: verb, path, headers, insecureHTTPParser: true });
        giveUp = () => sent.destroy();
        sent.on('error', (error: NodeJS.ErrnoException) => finish('lost', error.code));
        // Neither is asked for by anybody, nor answered by a body.
        sent.on('upgrade', (response, socket) => {
          socket.destroy();
          finish(`HTTP ${response.statusCode}`);
        });
        sent.on('response', (response) => {
          let text = JSON.stringify(response.headers);
          const end = () => finish(`HTTP ${response.statusCode}`, text);
          const leave = () => {
            end();
            sent.destroy();
          };
          if (response.headers['content-type'] === 'text/event-stream') setTimeout(leave, streamMs);
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
            if (text.length > largestAnswer) leave();
          });
          response.on('close', end);
        });
        sent.end(body);
      } catch {
        // What Node's own client refuses to send reaches nobody.
        finish('not sent');
      }
    });
  }
}
