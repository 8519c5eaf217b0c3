import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Emulators and compilers are slow to start and there are few cores.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
