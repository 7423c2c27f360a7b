'use strict'

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  // By default one processor is left to others, which would be half of a small machine.
  maxWorkers: '100%',
  testMatch: ['**/*.spec.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  // A machine that is busy with something else is no failure; what hangs is found all the same.
  testTimeout: 20_000,
  // Every source file counts, so that a module without a spec shows up as a gap instead of staying unseen.
  collectCoverageFrom: ['lib/**/*.ts', '!lib/**/*.generated.ts'],
  coverageReporters: ['text', 'lcovonly'],
  coverageThreshold: {
    './lib/protocol/': { lines: 100, branches: 100 },
    './lib/llhttp/': { lines: 100, branches: 100 },
  },
}
