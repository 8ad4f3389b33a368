/** Logs: JSON lines on standard error, with the service's name; secrets are redacted. */
import type { LoggerService } from '@nestjs/common';
import { destination, pino } from 'pino';
import type { LogLevel } from './settings.js';

type Facts = Readonly<Record<string, unknown>>;

/** A service's log (pino's own, as far as we use it). An abstract class, so that it is its own injection token. */
export abstract class Log {
  abstract trace(facts: Facts, message?: string): void;
  abstract debug(facts: Facts, message?: string): void;
  abstract info(facts: Facts, message?: string): void;
  abstract warn(facts: Facts, message?: string): void;
  abstract error(facts: Facts, message?: string): void;
  abstract fatal(facts: Facts, message?: string): void;
  abstract isLevelEnabled(level: string): boolean;
}

const secrets = ['token', 'replayToken', 'authorization', 'password', 'secret'].flatMap((name) => [name, `*.${name}`]);

/** Opens a service's log. `lines` receives the JSON lines in place of standard error. */
export function openLog(service: string, level: LogLevel, lines?: { write(line: string): void }): Log {
  const options = { level, base: { service }, redact: { paths: secrets, censor: '[secret]' } };
  return pino(options, lines ?? destination({ dest: 2, sync: true }));
}

/** Nest's own messages: start-up chatter at debug, the rest as it is. */
export function nestLog(log: Log): LoggerService {
  const facts = (rest: unknown[]) => ({ context: rest.at(-1) });
  return {
    log: (message, ...rest) => log.debug(facts(rest), String(message)),
    debug: (message, ...rest) => log.debug(facts(rest), String(message)),
    verbose: (message, ...rest) => log.trace(facts(rest), String(message)),
    warn: (message, ...rest) => log.warn(facts(rest), String(message)),
    // What fails while an app starts is thrown as well, and told by whoever started it, typed.
    error: (message, ...rest) =>
      log[rest.at(-1) === 'NestApplication' ? 'debug' : 'error'](
        facts(rest),
        message instanceof Error ? (message.stack ?? '') : String(message),
      ),
    fatal: (message, ...rest) => log.fatal(facts(rest), String(message)),
  };
}
