// `npm start`: installs if needed, builds if needed, and walks the loop over a year of flights on the embedded default.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './install.mjs';

install();
build();
const main = join(root, 'deploy', 'embedded', 'dist', 'main.js');
const child = spawn(node, ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
