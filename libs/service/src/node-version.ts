/**
 * Ends a process that an older Node runs, with one sentence. A program imports this first and everything else after it, by
 * `await import(…)`: what an old Node lacks (node:sqlite) would end it in a stack trace while it is loaded.
 *
 * I1  It imports nothing, and is written in what every Node of the last years reads.
 */

/** The oldest Node that runs the services: the one that they are tested with is of this major. */
export const oldestNode = 24;

/** Why a Node of a version cannot run this; undefined where it can. */
export function refusalOf(version: string, program: string): string | undefined {
  if (Number.parseInt(version, 10) >= oldestNode) return undefined;
  return `driftloop needs Node ${oldestNode} or later, and this is Node ${version}: run \`npx node ${program}\`, which is the Node that was installed with it`;
}

const refusal = refusalOf(process.versions.node, process.argv[1] ?? '');
if (refusal) {
  console.error(refusal);
  process.exit(1);
}
