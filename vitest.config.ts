import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Vitest would leave a core free, which on two of them is half.
    maxWorkers: '100%',
    // Emulators and compilers are slow to start and there are few cores.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
