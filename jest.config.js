/** One runner for every workspace: sources are compiled by swc, workspace packages resolve to their sources. */
import { swc } from './scripts/swc.mjs';

export default {
  testEnvironment: 'node',
  // Machines are noisy: a limit that only a hang reaches.
  testTimeout: 120_000,
  // As many as there are cores: on two, the usual one less would leave one idle.
  maxWorkers: '100%',
  // Modules of a spec are never quite let go: a worker that has grown is replaced.
  workerIdleMemoryLimit: '1200MB',
  roots: ['libs', 'services', 'deploy', 'examples', 'scripts', 'tests'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  testEnvironmentOptions: { customExportConditions: ['driftloop:source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['/dist/'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
};
