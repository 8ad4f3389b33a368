/** One runner for every room: sources are compiled by swc, workspace packages resolve to their sources. */
export default {
  testEnvironment: 'node',
  // Machines are noisy: a limit that only a hang reaches.
  testTimeout: 120_000,
  // As many as there are cores: on two, the usual one less would leave one idle.
  maxWorkers: '100%',
  // Modules of a spec are never quite let go: a worker that has grown is replaced.
  workerIdleMemoryLimit: '1200MB',
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/deploy', '<rootDir>/examples', '<rootDir>/scripts'],
  testMatch: ['**/*.spec.ts'],
  testEnvironmentOptions: { customExportConditions: ['driftloop:source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
};
