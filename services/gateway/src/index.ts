/** The gateway: HTTP for the console and the CLI, the live event stream, the replay's clock. */
export { gateway } from './gateway.module.js';
