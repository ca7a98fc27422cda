import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/{unit,parity,integration}/**/*.test.ts'],
    globalSetup: [],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores: models and Chromium are heavy, so files run one after another in forked processes.
    pool: 'forks',
    maxWorkers: 2,
  },
});
