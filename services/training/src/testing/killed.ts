/**
 * For a spec: training in a process of its own, to be killed. Arguments: the home, and a point (points.ts) at which it
 * kills itself. Prints the job's progress, line by line.
 */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '@driftloop/service';
import { house } from './house.js';
import { longDataset } from './training.js';

const [home, point] = process.argv.slice(2);
if (point) subscribe(point, () => process.kill(process.pid, 'SIGKILL'));
const { request, client } = await house({ home, data: longDataset });
await request();
for (let last = ''; ; await sleep(2)) {
  const { jobs } = await call(client, 'listJobs', { model: 'parcels' });
  if (!jobs.length || jobs[0].progress === last) continue;
  last = jobs[0].progress;
  process.stdout.write(`${last}\n`);
}
