/** How long texts from outside hold an event loop: redaction, specs as YAML and JSON, patterns. Prints JSON: milliseconds by text and size. */
import { parseModelSpec } from '@driftloop/contracts';
import { redacted } from '@driftloop/service';

const sizes = [20_000, 80_000, 250_000];
const long = (part: string, size: number) => part.repeat(Math.floor(size / part.length));

const specs: Record<string, (size: number) => string> = {
  keys: (size) => Array.from({ length: size / 9 }, (_, i) => `k${i}: 1`).join('\n'),
  'same keys': (size) => long('a: 1\n', size),
  brackets: (size) => long('[', size),
  'closing brackets': (size) => long(']', size),
  commas: (size) => `[${long(',', size)}`,
  anchors: (size) => long('&a ', size),
  aliases: (size) => `- &a x\n${long('- *a\n', size)}`,
  quotes: (size) => long('"a" ', size),
  escapes: (size) => `a: "${long('\\x', size)}"`,
  'deep JSON': (size) => `{"a":${long('[', size / 2)}${long(']', size / 2)}}`,
};
const texts: Record<string, (size: number) => string> = {
  dots: (size) => long('a.', size),
  schemes: (size) => long('a://', size),
  'names of secrets': (size) => long('token', size),
  'open quotes': (size) => long('token":"', size),
  spaces: (size) => `token${long(' ', size)}`,
};

function msOf(work: () => unknown): number {
  const started = performance.now();
  try {
    work();
  } catch {
    // most are refused
  }
  return Math.round((performance.now() - started) * 10) / 10;
}

const measured = (of: Record<string, (size: number) => string>, work: (text: string) => unknown) =>
  Object.fromEntries(
    Object.entries(of).map(([name, text]) => [
      name,
      Object.fromEntries(sizes.map((size) => [size, msOf(() => work(text(size)))])),
    ]),
  );

const report = { spec: measured(specs, parseModelSpec), redaction: measured(texts, (text) => redacted(text)) };
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
