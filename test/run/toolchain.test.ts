import { describe, expect, it, vi } from 'vitest';
import { CORES, findTarget } from '../../src/targets/index.ts';

/** The module anew, as a process with that PATH would load it. */
async function withPath(path: string): Promise<typeof import('../../src/run/toolchain.ts')> {
  vi.stubEnv('PATH', path);
  vi.resetModules();
  return import('../../src/run/toolchain.ts');
}

describe('toolchain detection', () => {
  it('finds nothing on an empty path, and says what to install', async () => {
    const { detectToolchains, canRun, requireCompiler } = await withPath('/nonexistent');
    const { missing, hint } = await detectToolchains();
    expect(missing.map((tool) => tool.name)).toContain('arm-gcc');
    expect(hint).toMatch(/npm run toolchain.*gcc-arm-none-eabi libnewlib-arm-none-eabi.*qemu-system-misc/);
    for (const core of CORES) expect(await canRun(core)).toBe(false);
    await expect(requireCompiler(findTarget('rv32').core)).rejects.toThrow(/RV3004.*picolibc-riscv64/s);
    vi.unstubAllEnvs();
  });

  it('looks once, and gives a version for what it finds', async () => {
    const { detectToolchains } = await withPath(process.env.PATH ?? '');
    expect(detectToolchains()).toBe(detectToolchains());
    const { tools, missing } = await detectToolchains();
    for (const tool of Object.values(tools)) {
      expect(tool.available).toBe(!missing.includes(tool));
      expect(tool.version !== '').toBe(tool.available);
    }
    vi.unstubAllEnvs();
  });
});
