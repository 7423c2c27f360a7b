// Mutation testing (docs/mutation.md): the code that decides what bytes mean is changed in one place at a time, and its own specs
// must notice each time. Everything else stands on what these two folders say.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['lib/protocol/**/*.ts', 'lib/llhttp/**/*.ts', '!lib/**/*.generated.ts'],
  // What the sandbox can do without. Generated files it needs.
  ignorePatterns: ['bench', 'cli', 'coverage', 'demo', 'dist', 'docs', 'reports', 'servers', 'soak'],
  testRunner: 'jest',
  coverageAnalysis: 'perTest',
  jest: {
    configFile: 'jest.config.js',
    // Loading a spec takes longer than running it, and every spec that leads to a mutant is loaded for it: only those of these
    // folders. What measures time says nothing about instrumented code.
    config: {
      testMatch: ['**/spec/protocol/*.spec.ts', '**/spec/llhttp/*.spec.ts'],
      testPathIgnorePatterns: ['-time\\.spec\\.ts$'],
    },
  },
  concurrency: 2,
  // On a busy machine a mutant that is merely slow must not pass for one that hangs; Stryker ends most loops by counting.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  reporters: ['clear-text', 'progress-append-only', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.stryker-tmp',
}
