/** For specs: the house in this process on a home of its own, and a world played against it through its doors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control } from '@driftloop/client';
import { type House, openHouse } from '@driftloop/embedded';
import { Diary, type ReplayOptions, type ReplayResult, replay, type World } from '@driftloop/flights';
import { keepLog } from '@driftloop/testing/service';

export interface Played {
  home: string;
  house: House;
  /** With the replay credential. */
  control: Control;
  /** Plays a world, or on from where it was, up to an event time or a step after which it is to stop. */
  play(world: World, until?: number, stopWhen?: ReplayOptions['stopWhen']): Promise<ReplayResult>;
  diary(): Diary;
  close(): Promise<void>;
}

/** Opens a house on any free ports; `home` outlives it where one is given. */
export async function openPlayed(home?: string, environment: Record<string, string> = {}): Promise<Played> {
  const place = home ?? mkdtempSync(join(tmpdir(), 'driftloop-house-'));
  const house = await openHouse(place, {
    anyPorts: true,
    environment: { DRIFTLOOP_LOG_LEVEL: 'fatal', ...environment },
  });
  const folder = join(place, 'replay');
  const doors = {
    gateway: house.url,
    serving: house.address('serving'),
    featureStore: house.address('feature-store'),
    labeling: house.address('labeling'),
  };
  return {
    home: place,
    house,
    control: new Control(house.url, house.replayToken),
    play: (world, until, stopWhen) =>
      replay(world, { doors, token: house.replayToken, diary: folder, until, stopWhen }),
    diary: () => new Diary(folder),
    close: async () => {
      await house.close();
      keepLog(place);
      if (!home) rmSync(place, { recursive: true, force: true });
    },
  };
}
