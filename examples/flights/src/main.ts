/**
 * The replay as a process of its own: one message from its parent names the world's module and the options (the
 * credential among them, which is why they are no arguments); progress and the result go back as messages.
 *
 * I1  It ends when its parent does, however that ends.
 */
import { once } from 'node:events';
import { type ReplayOptions, replay } from './replay.js';
import { importWorld } from './world.js';

const orphaned = () => process.exit(1);
process.on('disconnect', orphaned);

try {
  const [{ world, ...options }] = (await once(process, 'message')) as [ReplayOptions & { world: string }];
  const onProgress: ReplayOptions['onProgress'] = (progress) => process.send?.({ progress });
  const result = await replay((await importWorld(world)).openWorld(), { ...options, onProgress });
  process.send?.({ result, peakRssMb: process.resourceUsage().maxRSS / 1024 });
} catch (error) {
  process.send?.({ failure: (error as Error).message });
  process.exitCode = 1;
}
process.off('disconnect', orphaned);
process.disconnect?.();
