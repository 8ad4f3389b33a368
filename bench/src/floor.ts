/** A floor that a ratio has to keep above: a benchmark that falls below it ends with exit code 1, and says so. */
export function holdTo(what: string, ratio: number, least: number): void {
  if (ratio >= least) return;
  console.error(`${what}: ${ratio.toFixed(2)} of its floor, below ${least}`);
  process.exitCode = 1;
}
