/** The flash that a compilation states, against linked firmware: constants are counted, code is estimated closely. */
import { describe, expect, it } from 'vitest';
import { compileFor } from '../../bench/footprint.ts';
import { modelsAtHand } from '../../bench/models.ts';
import { holds } from '../../src/cost/code-size.ts';
import { CODE_SIZES } from '../../src/cost/code-sizes.ts';
import { layerConstantBytes } from '../../src/cost/layer-code.ts';
import { kernelSource } from '../../src/program/kernel-source.ts';
import { firmwareRequest } from '../../src/run/executors.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { CORES, findTarget } from '../../src/targets/index.ts';

const OPTIMIZE = ['speed', 'size'] as const;

/** The two extremes of what compilers make: full use of a core's instructions, and a library call for a product. */
const VARIANTS = [
  { core: 'cortex-m4', optimize: 'speed' },
  { core: 'cortex-m4', optimize: 'size' },
  { core: 'cortex-m0plus', optimize: 'speed' },
] as const;
const BUILDS = VARIANTS.flatMap((variant) =>
  modelsAtHand().map((model) => ({ ...variant, name: model.name, model })),
);
const RUNNABLE = new Map(
  await Promise.all(VARIANTS.map(async ({ core }) => [core, await canRun(findTarget(core).core)] as const)),
);

describe.each(BUILDS)('$name on $core for $optimize', ({ core, optimize, model }) => {
  it.skipIf(!RUNNABLE.get(core))('takes the flash that was stated', async () => {
    const compilation = compileFor(model, core, optimize);
    const { memory } = await buildFirmware(firmwareRequest(compilation, core));
    const { text, rodata, data } = memory!.flash;
    const { weights, tables, code, total } = compilation.report.flash;
    // Alignment adds a few bytes, and a compiler stores equal constants once.
    expect(Math.abs(weights + tables - rodata - data)).toBeLessThan(400);
    expect(Math.abs(code / text - 1)).toBeLessThan(0.1);
    expect(Math.abs(total / (text + rodata + data) - 1)).toBeLessThan(0.02);
  });
});

describe.each(CORES.filter(({ machines }) => machines.length > 0))('the table for $name', ({ name }) => {
  it.each(OPTIMIZE)('knows what it refers to, for %s', (optimize) => {
    const { library, [optimize]: sizes } = CODE_SIZES[name]!;
    for (const [kernel, { terms = {}, runtime = [], library: parts = [] }] of Object.entries(sizes.kernels)) {
      const geometry = Object.fromEntries(kernelSource(kernel).geometry.map((field) => [field.name, 1]));
      for (const condition of Object.keys(terms)) {
        expect(geometry).toHaveProperty(condition.replace(/[=%].*/, ''));
        expect(holds(condition, geometry)).toBeTypeOf('boolean');
      }
      for (const name of runtime) expect(sizes.runtime).toHaveProperty([name]);
      for (const part of [...parts, ...sizes.library]) expect(library).toHaveProperty([part]);
    }
  });
});

describe('the constants of a layer', () => {
  it('are its structs of words and its row tables', () => {
    const lines = [
      '    static const rv_x_geometry geometry = {1, -2, 3};',
      '    static const rv_x_data data = {m_constant_0, m_constant_1};',
      '    static const int16_t rows_0[4] = {0, 1, 3, -1};',
      '    static const int32_t rows_out[2] = {40000, 0};',
      '    rv_row row = {in, NULL, NULL, 0};',
    ];
    expect(layerConstantBytes(lines.join('\n'))).toBe(12 + 8 + 8 + 8);
  });
});
