/** The specs that need real servers, and no others: `npm run integration`. */
import base from './jest.config.js';

export default {
  ...base,
  testMatch: ['**/*.{kafka,mongod,minio,cluster}.spec.ts'],
  // Servers are shared and machines are small: one spec at a time, so that none waits for another's load.
  maxWorkers: 1,
};
