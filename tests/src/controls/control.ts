/** A control: an experiment whose right outcome is known beforehand, so that a loop that fools itself is caught at it. */
import type { Year } from './year.js';

/** What a control works on. */
export interface ControlContext {
  readonly seed: number;
  /** Folder for what is worth keeping between runs. */
  readonly home: string;
  /** The year of flights as one point-in-time training set, opened when it is first asked for. */
  year(): Promise<Year>;
  /** Hears how far a long control is. */
  tell(what: string): void;
}

/** One statement of a control, with the figure and the range that it must be in. */
export interface Finding {
  readonly what: string;
  readonly figure: number;
  /** In words, with its numbers: "2 of 400 runs (0.5%)". */
  readonly showed: string;
  /** The range, ends included; both left out: told, not asked for. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Control {
  readonly name: string;
  readonly mustShow: string;
  run(context: ControlContext): Promise<Finding[]>;
}

export interface ControlResult {
  readonly control: string;
  readonly mustShow: string;
  readonly findings: readonly (Finding & { readonly holds: boolean })[];
  readonly holds: boolean;
  readonly seconds: number;
}

/** Whether a figure is in its range; one that is no number never is. */
export const inRange = ({ figure, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Finding) =>
  figure >= atLeast && figure <= atMost;

/** Runs a control. A control without findings is out of range: it has shown nothing. */
export async function runControl(control: Control, context: ControlContext): Promise<ControlResult> {
  const began = performance.now();
  const findings = (await control.run(context)).map((finding) => ({ ...finding, holds: inRange(finding) }));
  const holds = findings.length > 0 && findings.every((finding) => finding.holds);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  return { control: control.name, mustShow: control.mustShow, findings, holds, seconds };
}

/** A share of runs as a finding. */
export function share(what: string, count: number, of: number, range: Pick<Finding, 'atLeast' | 'atMost'>): Finding {
  const figure = of ? count / of : Number.NaN;
  return { what, figure, showed: `${count} of ${of} (${(100 * figure).toFixed(1)}%)`, ...range };
}
