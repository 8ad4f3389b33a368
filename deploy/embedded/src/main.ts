/** `npm start`, once the Node that runs it is known to be new enough. */
import '@driftloop/service/node-version';

await import('./start.js');
