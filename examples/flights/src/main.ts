/**
 * The replay as a process of its own: options from its parent as one JSON argument; progress and the result go back as
 * messages. It ends when its parent does.
 */
import { type ReplayOptions, replay } from './replay.js';

const options = JSON.parse(process.argv[2]) as ReplayOptions;
process.on('disconnect', () => process.exit(1));

try {
  const result = await replay({ ...options, onProgress: (progress) => process.send?.({ progress }) });
  process.send?.({ result, peakRssMb: process.resourceUsage().maxRSS / 1024 });
  process.disconnect?.();
} catch (error) {
  process.send?.({ failure: (error as Error).message });
  process.exitCode = 1;
  process.disconnect?.();
}
