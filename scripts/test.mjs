// `npm test`: installs if needed, builds (worker threads run compiled code), and runs every test; those that need a server which the
// environment does not name are skipped by name, with the reason (`npm run integration` starts one).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './install.mjs';

install();
build();
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const { status } = spawnSync(node, [...flags, jest, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
