/** A machine's clock that is not believed: a service goes on by the time that was, and whoever runs it has to know. */
import type { WallClock } from './clock.js';
import type { Log } from './log.js';

const goesOn = 'set it right, accept it (driftloop clock accept), or start this service again';

/** Has a service's log say it; the call that it returns ends that. */
export function sayDoubts(clock: WallClock, log: Log): () => void {
  return clock.whenDoubted((jumpMs) => {
    if (jumpMs) log.error({ jumpMs, remedy: goesOn }, "the machine's clock has jumped and is not believed");
    else log.warn({}, "the machine's clock is believed again");
  });
}
