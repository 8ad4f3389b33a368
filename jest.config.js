/** One runner for every workspace. Specs and what they import are run from source by Node itself (scripts/jest, scripts/source.mjs). */
export default {
  runtime: '<rootDir>/scripts/jest/runtime.mjs',
  testEnvironment: '<rootDir>/scripts/jest/environment.mjs',
  // Machines are noisy: a limit that only a hang reaches.
  testTimeout: 120_000,
  // As many as there are cores: on two, the usual one less would leave one idle.
  maxWorkers: '100%',
  // A worker that has grown is replaced.
  workerIdleMemoryLimit: '1200MB',
  roots: ['libs', 'services', 'deploy', 'examples', 'scripts', 'tests'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/'],
  // Nothing of jest's own compiles what it loads.
  transform: {},
};
