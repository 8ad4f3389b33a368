/** A whole number as an option's value, within bounds that its fault names. */
import { InvalidArgumentError } from 'commander';

export const wholeNumber =
  (least: number, most = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(
      `Write a whole number from ${least} ${Number.isFinite(most) ? `to ${most}` : 'on'}.`,
    );
  };
