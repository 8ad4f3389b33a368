/** The embedded bus holds the bus's contract. */
import { describeBus } from './bus.contract.js';
import { temporaryGround } from './testing/embedded-ground.js';

describeBus('the embedded bus', { open: () => temporaryGround({ retryDelayMs: 2 }), skip: [] });
