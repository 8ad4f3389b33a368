/** The main job: the house, the replay as a process beside it, the narration, the summary. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Control, subscribe } from '@driftloop/client';
import {
  Diary,
  importWorld,
  type Progress,
  type ReplayOptions,
  type ReplayResult,
  replayProcess,
} from '@driftloop/flights';
import type { Doors } from './doors.js';
import { narrate, toldTopics } from './narrator.js';
import type { Options } from './options.js';
import { type Summary, summarize, table } from './summary.js';
import type { Terminal } from './terminal.js';

interface Message {
  progress?: Progress;
  result?: ReplayResult;
  failure?: string;
  peakRssMb?: number;
}

/** A process that ends is started again by whoever keeps it: the replay waits for it. */
const patienceMs = 600_000;

/** Plays a world against a running house and tells of it. Throws where the replay fails. */
export async function walk(
  house: Doors,
  terminal: Terminal,
  { world, until, json, processes, attach }: Options,
): Promise<Summary> {
  const { model, truth } = await importWorld(world);
  const control = new Control(house.url, house.replayToken);
  const listening = new AbortController();
  const told = tell(house.url, control.headers(), terminal, listening.signal);
  const folder = join(house.home, 'replay');
  const doors = {
    gateway: house.url,
    serving: house.address('serving'),
    featureStore: house.address('feature-store'),
    labeling: house.address('labeling'),
  };
  try {
    const options: ReplayOptions = {
      doors,
      token: house.replayToken,
      diary: folder,
      until,
      patienceMs: processes || attach ? patienceMs : 0,
    };
    const { result, peakRssMb } = await runReplay(world, options, terminal);
    const ownRssMb = process.resourceUsage().maxRSS / 1024;
    const summary = await summarize(
      control,
      { model, truth: truth() },
      new Diary(folder),
      result,
      ownRssMb + peakRssMb,
    );
    terminal.finish();
    terminal.line(table(summary, result));
    if (json) writeFileSync(json, `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  } finally {
    terminal.finish();
    listening.abort();
    await told;
  }
}

/** The narration, from the gateway's stream like any listener's. */
async function tell(
  url: string,
  headers: Record<string, string>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  for await (const { topic, source, time, data } of subscribe(url, headers, {
    topics: toldTopics,
    after: 'latest',
    signal,
  })) {
    const line = narrate(topic, source, time, data);
    if (line) terminal.line(line);
  }
}

function runReplay(
  world: string,
  options: ReplayOptions,
  terminal: Terminal,
): Promise<{ result: ReplayResult; peakRssMb: number }> {
  const child: ChildProcess = fork(replayProcess, {
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=250', '--max-semi-space-size=4'],
  });
  child.send({ world, ...options });
  return new Promise((resolve, reject) => {
    child.on('message', ({ progress, result, failure, peakRssMb }: Message) => {
      if (progress) terminal.progress(progress);
      if (failure) reject(new Error(`the replay stopped: ${failure}`));
      if (result) resolve({ result, peakRssMb: peakRssMb ?? 0 });
    });
    child.on('exit', (code, signal) => reject(new Error(`the replay ended with ${signal ?? `code ${code}`}`)));
  });
}
