// `node scripts/run.mjs MODULE [ARGUMENTS]`: installs if needed, builds if needed, and runs a compiled module of this
// repository as the pinned Node does: `npm start`, `npm run controls`, `npm run crash`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, quiet, root } from './install.mjs';

install();
build();
const [main, ...args] = process.argv.slice(2);
// Memory is given back early: what lives is about 100 MB, the rest would be garbage and malloc's arenas.
const flags = [...quiet, '--max-old-space-size=600', '--max-semi-space-size=8'];
const child = spawn(node, [...flags, join(root, main), ...args], {
  cwd: root,
  // The channel tells the house when this process has gone, however it went.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { MALLOC_ARENA_MAX: '2', ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
