'use strict'

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  moduleNameMapper: {
    '^httpio$': '<rootDir>/../lib/index.ts',
    '^httpio/testing$': '<rootDir>/../lib/testing.ts',
  },
  // The specs start whole programs, on machines that may be busy.
  testTimeout: 60_000,
}
