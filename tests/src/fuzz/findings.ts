/** What was seen that may not be: each kind once, with the input that it was first seen at, in a file that is sent again by it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Input, toJson } from './input.js';
import { summary } from './judge.js';

export interface Finding {
  readonly what: string;
  times: number;
  /** The one input that did it, or all that were in flight when it was seen. */
  readonly inputs: readonly Input[];
  /** Where they are written; '' where there are none. */
  readonly file: string;
  readonly more: string;
}

export class Findings {
  private readonly byKind = new Map<string, Finding>();

  /** Files of inputs go to `folder`. */
  constructor(
    private readonly folder: string,
    private readonly seed: number,
    private readonly tell: (line: string) => void,
  ) {}

  get all(): readonly Finding[] {
    return [...this.byKind.values()];
  }

  /** `suspects` are asked for where it is the first of its kind. */
  async suspect(what: string, suspects: () => Promise<readonly Input[]>, more = ''): Promise<void> {
    const found = this.byKind.get(summary(what));
    if (found) found.times++;
    else this.add(what, await suspects(), more);
  }

  add(what: string, inputs: readonly Input[] = [], more = ''): void {
    const kind = summary(what);
    const found = this.byKind.get(kind);
    if (found) {
      found.times++;
      return;
    }
    const file = inputs.length ? join(this.folder, `fuzz-${this.seed}-${this.byKind.size + 1}.json`) : '';
    if (file) writeFileSync(file, toJson(inputs));
    this.byKind.set(kind, { what, times: 1, inputs, file, more });
    this.tell(`FAIL ${what}\n${described(inputs, file, this.seed)}${more && `\n         ${more.slice(0, 500)}`}`);
  }
}

function described(inputs: readonly Input[], file: string, seed: number): string {
  const lines = inputs.slice(0, 3).map(({ number, method, field, mutation }) => {
    return `         input ${number} of seed ${seed}: ${method}, ${field || '(whole)'}: ${mutation}`;
  });
  const others = inputs.length > 3 ? [`         and ${inputs.length - 3} more that were in flight`] : [];
  const again = file ? [`         npm run fuzz -- --replay ${file}`] : [];
  return [...lines, ...others, ...again].join('\n');
}
