/**
 * Logs: JSON lines on standard error with the service's and the replica's name and the ids of the span that a line is
 * written in; the same lines as OTLP records where somebody receives them.
 *
 * I1  A line is redacted once, as text, before it goes anywhere: a secret in a nested fact, an error or a URI goes too.
 * I2  A line is as long as somebody reads it: before that, texts in it that are longer are cut, and lists with them.
 * I3  An error that was expected, as its catalogue says, has no stack in a line: whoever sends what is refused would fill logs with it.
 */
import { LoopError } from '@driftloop/contracts';
import type { LoggerService } from '@nestjs/common';
import { destination, pino, stdSerializers } from 'pino';
import { type LogLevel, Secret, type Settings } from './settings.js';
import { sendLine } from './telemetry/log-records.js';
import { redacted, redactedWithin } from './telemetry/redaction.js';
import type { Telemetry } from './telemetry/telemetry.js';

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

/** Receives lines, each ended by a line feed. */
export interface Lines {
  write(line: string): void;
}

export interface LogOptions {
  readonly replica?: string;
  /** Receives the lines in place of standard error. */
  readonly lines?: Lines;
  /** Values that may stand in no line. */
  readonly secrets?: readonly string[];
  /** Gives lines the ids of the span that they are written in, and sends them on. */
  readonly telemetry?: Telemetry;
}

/** Every secret of some settings, by value, wherever in them it stands. */
export function secretsOf(settings: Settings): string[] {
  const within = (value: unknown): string[] => {
    if (value instanceof Secret) return [value.reveal()];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(within) : [];
  };
  return within(settings);
}

/** Characters of a line beyond which what is in it is cut, and of one text in it then; items of one list. */
const longestLine = 16_384;
const longestFact = 4096;
const shortFact = 256;
const mostItems = 50;

/** Opens a service's log. */
export function openLog(service: string, level: LogLevel, options: LogOptions = {}): Log {
  const { replica, lines = destination({ dest: 2, sync: true }), secrets = [], telemetry } = options;
  const write = (line: string) => {
    const clean = redacted(line.length > longestLine ? cut(line, secrets) : line, secrets);
    lines.write(clean);
    if (telemetry?.logsEnabled) sendLine(telemetry.logger, clean);
  };
  const base = { service, ...(replica && { replica }) };
  const mixin = telemetry?.enabled ? { mixin: () => idsOf(telemetry) } : {};
  return pino({ level, base, serializers: { err: errorFacts }, ...mixin }, { write });
}

/** I3 */
function errorFacts(error: Error): object {
  const facts = stdSerializers.err(error);
  const expected = error instanceof LoopError && error.status !== 'INTERNAL';
  return expected ? { ...facts, stack: undefined } : facts;
}

/** I2. No beginning of a secret stays where a text is cut. */
function cut(line: string, secrets: readonly string[]): string {
  let left = longestLine;
  const parsed: unknown = JSON.parse(line, (_key, value: unknown) => {
    if (Array.isArray(value) && value.length > mostItems) return [...value.slice(0, mostItems), `… (${value.length})`];
    if (typeof value !== 'string' || value.length <= shortFact) return value;
    const most = Math.max(shortFact, Math.min(longestFact, left));
    left -= Math.min(most, value.length);
    return value.length > most ? `${redactedWithin(most, value, secrets)} (${value.length} characters)` : value;
  });
  return `${JSON.stringify(parsed)}\n`;
}

function idsOf({ current }: Telemetry): object {
  if (!current) return {};
  const { traceId, spanId } = current.spanContext();
  return { trace_id: traceId, span_id: spanId };
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

/** Whether what happens again and again is worth a line: the first, the second, the fourth, the eighth … time. */
export const isWorthALine = (times: number): boolean => Number.isInteger(Math.log2(times));
