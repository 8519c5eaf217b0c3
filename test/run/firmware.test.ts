import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runFirmware, runNative } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { execute } from '../../src/run/process.ts';
import { canRun, detectToolchains } from '../../src/run/toolchain.ts';
import { CORES, findTarget } from '../../src/targets/index.ts';
import { toyReference, toyRequest, toySamples } from './toy.ts';

// Compilers and emulators share the computer with whatever else runs on it.
vi.setConfig({ testTimeout: 60_000 });

const { tools } = await detectToolchains();
const withoutM4 = !(await canRun(findTarget('m4').core));
const withoutM0 = !(await canRun(findTarget('m0plus').core));
const samples = toySamples(20);
const expected = samples.map((sample) => [toyReference(sample)[1]]);

for (const core of CORES) {
  describe.skipIf(!(await canRun(core)))(`the toy project on ${core.name}`, () => {
    for (const optimize of ['speed', 'size'] as const)
      it(`computes what it should, optimised for ${optimize}`, async () => {
        const firmware = await buildFirmware({ ...toyRequest(core.name), optimize });
        const result = await runFirmware(firmware, samples);
        expect(result.outputs).toEqual(expected);
        expect(result.machine).toBe(core.machines[0]?.name ?? 'host');
      });

    it('traces every layer of every sample', async () => {
      const firmware = await buildFirmware({ ...toyRequest(core.name), trace: true });
      const { trace, outputs } = await runFirmware(firmware, samples);
      expect(outputs).toEqual(expected);
      expect(trace).toEqual(
        samples.map((sample) => toyReference(sample).map((data, layer) => ({ layer, data }))),
      );
    });

    it('reports a fault with what was printed', async () => {
      const firmware = await buildFirmware(
        toyRequest(core.name, { 'toy.c': ['return 0;', '__builtin_trap();'] }),
      );
      const printed = core.name === 'host' ? /RV9004.*the host/s : /RV9004.*processor fault, cause 0x/s;
      await expect(runFirmware(firmware, samples)).rejects.toThrow(printed);
    });

    it('reports a run function that fails', async () => {
      const firmware = await buildFirmware(toyRequest(core.name, { 'toy.c': ['return 0;', 'return 3;'] }));
      await expect(runFirmware(firmware, samples)).rejects.toThrow(/RV9004.*did not return 0/s);
    });
  });
}

for (const core of CORES.filter(({ name }) => name !== 'host')) {
  describe.skipIf(!(await canRun(core)))(`measurements on ${core.name}`, () => {
    it('counts the same instructions twice, and every one of them', async () => {
      const firmware = await buildFirmware(toyRequest(core.name));
      const first = await runFirmware(firmware, samples, { profile: true });
      const second = await runFirmware(firmware, samples, { profile: true });
      expect(first.outputs).toEqual(expected);
      expect(first.profiles).toEqual(second.profiles);
      expect(first.profiles).toHaveLength(samples.length);
      const { total, beforeLayers, perLayer } = first.profiles![0]!;
      expect(beforeLayers + perLayer.reduce((sum, n) => sum + n, 0)).toBe(total);
      expect(first.instructions).toBe(total);
      // 128 multiply-accumulates take 3 instructions or more each on a core without vectors.
      expect(perLayer[0]).toBeGreaterThan(core.isas.includes('mve') ? 128 : 3 * 128);
    });

    it('measures stack and memory', async () => {
      const plain = await buildFirmware(toyRequest(core.name));
      expect(plain.memory!.sram).toEqual({ arena: 32, data: 0, bss: 0 });
      expect(plain.memory!.flash.rodata).toBe(128);
      const hungry = await buildFirmware(
        toyRequest(core.name, {
          'toy.c': [
            'return 0;',
            `static volatile int8_t seen[400]; static volatile int32_t known[25] = {1};
             volatile int8_t deep[1000]; deep[0] = 1; seen[0] = deep[0]; return known[0] - seen[0];`,
          ],
        }),
      );
      expect(hungry.memory!.sram).toEqual({ arena: 32, data: 100, bss: 400 });
      expect(hungry.memory!.flash.data).toBe(100);
      const [a, b] = [await runFirmware(plain, samples), await runFirmware(hungry, samples)];
      expect(b.stack! - a.stack!).toBeGreaterThanOrEqual(960);
      expect(b.stack! - a.stack!).toBeLessThanOrEqual(1040);
      expect(a.stack).toBeLessThan(200);
    });
  });
}

describe.skipIf(withoutM4)('building', () => {
  for (const name of ['cortex-m0plus', 'cortex-m4'])
    it(`agrees with the sizes of the model linked alone for ${name}`, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'rivulet-test-'));
      const { memory, folder } = await buildFirmware({ ...toyRequest(name), dir });
      const objects = ['toy', 'toy_kernels', 'toy_weights'].map((file) => `model_objects/${file}.o`);
      const alone = ['-nostartfiles', '-Wl,--gc-sections', '-Wl,-e,toy_run', '-o', 'alone.elf'];
      await execute('arm-none-eabi-gcc', [...findTarget(name).core.flags, ...objects, ...alone], {
        cwd: folder,
      });
      const { output } = await execute('arm-none-eabi-size', ['-A', '-d', 'alone.elf'], { cwd: folder });
      const size = (section: string) => Number(new RegExp(`^\\${section}\\s+(\\d+)`, 'm').exec(output)?.[1]);
      expect(memory!.flash.text).toBe(size('.text'));
      expect(memory!.flash.rodata).toBe(size('.rodata'));
      expect(await readFile(join(folder, 'firmware.map'), 'utf8')).toContain('toy_weights');
      await rm(dir, { recursive: true });
    });

  it('finds the same build again, also when several ask at once', async () => {
    const request = toyRequest('m4', {
      'toy.c': ['return 0;', `return 0; /* ${process.pid} ${Date.now()} */`],
    });
    const builds = await Promise.all([buildFirmware(request), buildFirmware(request)]);
    expect(builds[0]).toEqual(builds[1]);
    expect((await buildFirmware(request)).folder).toBe(builds[0].folder);
    await rm(builds[0].folder, { recursive: true });
  });

  it('says what does not fit, does not compile, or is not a core', async () => {
    const large = toyRequest('m4', { 'toy.h': ['TOY_ARENA_BYTES 32', 'TOY_ARENA_BYTES 5000000'] });
    await expect(buildFirmware(large)).rejects.toThrow(/RV3006.*RAM/s);
    const narrowing = toyRequest('m4', {
      'toy.c': ['return 0;', 'int32_t wide = bytes[1]; bytes[0] = wide; return 0;'],
    });
    await expect(buildFirmware(narrowing)).rejects.toThrow(/RV9004.*conversion/s);
    await expect(buildFirmware({ ...toyRequest('m4'), inputBytes: [16, 9] })).rejects.toThrow(
      /RV9004.*INPUT 1/s,
    );
    await expect(buildFirmware(toyRequest('cortex-m5'))).rejects.toThrow(/RV3003.*cortex-m4/s);
  });

  it('rejects samples of the wrong size and stops what does not end', async () => {
    const firmware = await buildFirmware(toyRequest('m4'));
    await expect(runFirmware(firmware, [[new Uint8Array(16)]])).rejects.toThrow(/RV3002.*16 bytes.*16 \+ 8/);
    const endless = await buildFirmware(toyRequest('m4', { 'toy.c': ['return 0;', 'for (;;) {}'] }));
    await expect(runFirmware(endless, samples, { timeoutMs: 700 })).rejects.toThrow(/RV9004.*within 700 ms/);
  });
});

// A network with 224 x 224 inputs: 2.3 MB of weights, 1.3 MB of arena.
for (const core of CORES.filter(({ name }) => name !== 'host' && name !== 'cortex-m0plus'))
  describe.skipIf(!(await canRun(core)))(`a large network on ${core.name}`, () => {
    it('fits the emulated machine and runs there', async () => {
      const request = toyRequest(core.name, {
        'toy.h': ['TOY_ARENA_BYTES 32', 'TOY_ARENA_BYTES 1300000'],
        'toy_weights.c': ['[8 * 16]', '[2300000]'],
        'toy_model.h': ['[8 * 16]', '[2300000]'],
      });
      const firmware = await buildFirmware(request);
      expect(firmware.memory!.sram.arena).toBe(1300000);
      expect(firmware.memory!.flash.rodata).toBe(2300000);
      expect((await runFirmware(firmware, samples)).outputs).toEqual(expected);
    });
  });

describe.skipIf(withoutM0)('a Cortex-M0+ build too large for a micro:bit', () => {
  it('runs on a larger machine, and says so', async () => {
    const request = toyRequest('m0plus', { 'toy.h': ['TOY_ARENA_BYTES 32', 'TOY_ARENA_BYTES 20000'] });
    const result = await runFirmware(await buildFirmware(request), samples);
    expect(result.machine).toBe('mps2-an385');
    expect(result.outputs).toEqual(expected);
  });
});

for (const compiler of ['gcc', 'clang'] as const)
  describe.skipIf(!tools[compiler].available)(`the host through ${compiler}`, () => {
    it('computes what it should, with sanitizers', async () => {
      const request = { ...toyRequest('host'), compiler, sanitize: true };
      expect((await runNative(request, samples)).outputs).toEqual(expected);
    });

    it('notices a write behind the arena', async () => {
      const broken = toyRequest('host', { 'toy.c': ['return 0;', 'bytes[input_0 ? 0 : 32] = 1; return 0;'] });
      const run = runNative({ ...broken, compiler, sanitize: true }, samples);
      await expect(run).rejects.toThrow(/RV9004.*(global-buffer-overflow|out of bounds)/s);
    });
  });
