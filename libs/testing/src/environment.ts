/**
 * The environment of a process that a spec starts: nothing of this one's but what it is found and run with.
 *
 * Node's own options tell it to run sources as they are (scripts/source.mjs), where this process does.
 */
export const bare: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'NODE_OPTIONS', 'NODE_COMPILE_CACHE'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  ),
);
