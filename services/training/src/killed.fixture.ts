/** For a spec: training in a process of its own, to be killed. Argument: the home. Prints the job's progress, line by line. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '@driftloop/service';
import { house } from './house.fixture.js';
import { longDataset } from './training.fixture.js';

const { request, client } = await house({ home: process.argv[2], data: longDataset });
await request();
for (let last = ''; ; await sleep(2)) {
  const { jobs } = await call(client, 'listJobs', { model: 'parcels' });
  if (!jobs.length || jobs[0].progress === last) continue;
  last = jobs[0].progress;
  process.stdout.write(`${last}\n`);
}
