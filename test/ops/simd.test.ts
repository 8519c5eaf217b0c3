/** The kernels for vectors: random shapes wide enough for them, on every instruction set that this computer has. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantizeMultiplier, requantize } from '../../src/core/fixedpoint.ts';
import { createRandom } from '../../src/core/random.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Pair } from '../../src/ir/attributes.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';
import { windowOutput } from '../../src/ops/convolution.ts';
import { rescaling } from '../../src/ops/simd.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { type CompilerChoice, failuresOf, hasCommand } from '../support/emitted.ts';
import { inputsFor } from '../support/inputs.ts';
import { lowered } from '../support/kernel-sets.ts';

const SIMD = { name: 'simd', isas: ['simd', 'portable'], optimize: 'speed', roomy: false } as const;
const CLAMP = [-128, 127] as const;
const small = (least: number, most: number) => fc.integer({ min: least, max: most });
const pair = (least: number, most: number) => fc.tuple(small(least, most), small(least, most));
const seed = small(1, 1000);
const zeroPoint = small(-128, 127);

const window = fc
  .record({
    size: pair(1, 11),
    inputs: small(1, 37),
    outputs: small(8, 37),
    kernel: pair(1, 5),
    stride: pair(1, 3),
    dilation: pair(1, 2),
    padding: fc.tuple(small(0, 3), small(0, 3), small(0, 3), small(0, 3)),
    zeroPoint,
    seed,
  })
  .map((w) => ({ ...w, out: [outputSize(w, 0), outputSize(w, 1)] as Pair }))
  .filter(({ out }) => Math.min(...out) > 0);

function outputSize(
  w: Record<'size' | 'kernel' | 'stride' | 'dilation', Pair> & { padding: readonly number[] },
  axis: 0 | 1,
): number {
  const { size, kernel, stride, dilation, padding } = w;
  const [before, after] = [padding[2 * axis]!, padding[2 * axis + 1]!];
  return windowOutput(size[axis], kernel[axis], stride[axis], dilation[axis], before, after);
}

const CASES: Readonly<Record<string, fc.Arbitrary<OpCase>>> = {
  conv2d: window.map((w) =>
    opCase(
      'window',
      'conv2d',
      { stride: w.stride, dilation: w.dilation, padding: w.padding, clamp: CLAMP },
      [
        int8([2, ...w.size, w.inputs], 0.05, w.zeroPoint),
        weights([w.outputs, ...w.kernel, w.inputs], 0, w.seed),
        bias(w.outputs, w.seed),
      ],
      int8([2, ...w.out, w.outputs], 0.4, -w.zeroPoint - 1),
    ),
  ),
  pointwise: fc
    .tuple(small(1, 11), small(1, 37), small(8, 37), zeroPoint, seed)
    .map(([width, c, o, z, s]) =>
      opCase(
        'pointwise',
        'conv2d',
        { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0], clamp: [-100, 90] },
        [int8([1, 2, width, c], 0.05, z), weights([o, 1, 1, c], 0, s), bias(o, s)],
        int8([1, 2, width, o], 0.2, -z - 1),
      ),
    ),
  depthwise_conv2d: window.map((w) =>
    opCase(
      'depthwise',
      'depthwise_conv2d',
      { stride: w.stride, dilation: w.dilation, padding: w.padding, clamp: CLAMP },
      [
        int8([2, ...w.size, w.outputs], 0.05, w.zeroPoint),
        weights([1, ...w.kernel, w.outputs], 3, w.seed),
        bias(w.outputs, w.seed),
      ],
      int8([2, ...w.out, w.outputs], 0.2, -w.zeroPoint - 1),
    ),
  ),
  fully_connected: fc
    .tuple(small(1, 70), small(8, 37), zeroPoint, seed)
    .map(([inputs, outputs, z, s]) =>
      opCase(
        'dense',
        'fully_connected',
        { clamp: CLAMP },
        [int8([2, inputs], 0.05, z), weights([outputs, inputs], s % 2 === 0 ? 0 : null, s), bias(outputs, s)],
        int8([2, outputs], 0.2, -z - 1),
      ),
    ),
  add: elementwise('add'),
  mul: elementwise('mul'),
  mean: fc
    .tuple(pair(1, 7), small(1, 4), zeroPoint, small(1, 50))
    .map(([size, eights, z, scale]) =>
      opCase(
        'mean',
        'mean',
        { axes: [1, 2] },
        [int8([2, ...size, 8 * eights], 0.05, z)],
        int8([2, 1, 1, 8 * eights], 0.03 + scale / 500, -z - 1),
      ),
    ),
};

function elementwise(op: 'add' | 'mul'): fc.Arbitrary<OpCase> {
  return fc
    .tuple(pair(1, 5), small(8, 37), fc.boolean(), zeroPoint, zeroPoint, small(1, 99))
    .map(([size, channels, broadcast, za, zb, scale]) =>
      opCase(
        op,
        op,
        { clamp: CLAMP },
        [
          int8([1, ...size, channels], 0.05, za),
          int8(broadcast ? [1, 1, 1, channels] : [1, ...size, channels], scale / 200, zb),
        ],
        int8([1, ...size, channels], op === 'add' ? 0.3 : 0.1, -za - 1),
      ),
    );
}

describe.each(Object.entries(CASES))('%s', (_, arbitrary) => {
  it('gives the bytes of the reference', async () => {
    let taken = 0;
    const runs = 150;
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ graph }) => {
        expect(verifyGraph(graph)).toEqual([]);
        const { program, plan } = lowered(graph, SIMD);
        taken += program.calls.every(({ kernel }) => kernel.endsWith('_simd')) ? 1 : 0;
        const executor = await WasmExecutor.create(program, plan);
        const inputs = inputsFor(graph, 5);
        executor.dirty(77);
        expect(executor.run(inputs)).toEqual(runReference(graph, inputs));
      }),
      { numRuns: runs, seed: 1 },
    );
    // A kernel that refuses everything passes too.
    expect(taken).toBeGreaterThan(0.8 * runs);
  });
});

const SANITIZE = ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const COMPILERS: readonly CompilerChoice[] = [
  { command: 'gcc', flags: [...SANITIZE, '-march=native'] },
  { command: 'gcc', flags: [...SANITIZE, '-mavx2'] },
  // Plain C takes the sanitizers minutes to compile.
  { command: 'gcc', flags: ['-O2', '-DRV_PLAIN'] },
  { command: 'clang', flags: ['-O2', '-march=native'] },
];

describe.runIf(process.arch === 'x64').each(COMPILERS)('$command $flags', (compiler) => {
  it.skipIf(!hasCommand(compiler.command))('gives the bytes of the reference', () => {
    const cases = Object.entries(CASES).flatMap(([op, arbitrary]) =>
      fc.sample(arbitrary, { numRuns: 4, seed: 2 }).map(({ graph }, i) => {
        const { program, plan } = lowered(graph, SIMD);
        const inputs = inputsFor(graph, i);
        const name = `${op}_${i}`;
        return {
          name,
          project: emitProject(program, plan, { name, optimize: 'speed', provenance: op }),
          samples: [{ inputs, outputs: runReference(graph, inputs) }],
        };
      }),
    );
    expect(failuresOf(cases, compiler)).toEqual([]);
  });
});

describe('rescaling', () => {
  it('rounds twice as TFLite does', () => {
    const random = createRandom(3);
    const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
    let found = 0;
    for (let round = 0; round < 4000; ++round) {
      const z = between(-128, 127);
      const channels = Array.from({ length: between(1, 8) }, () => {
        const reach = between(0, 1 << between(1, 23));
        const multiplier = quantizeMultiplier((0.5 + random() / 2) * 2 ** between(-16, 0));
        return { bias: 0, lowest: -reach, highest: reach, multiplier };
      });
      const scaling = rescaling(channels, { zeroPoint: z, clamp: CLAMP });
      if (typeof scaling === 'string') continue;
      ++found;
      channels.forEach(({ multiplier, lowest, highest }, lane) => {
        // Sums near a half are where the roundings differ.
        const tie = Math.round(
          ((between(-140, 140) + 0.5) * 2 ** (31 - multiplier.shift)) / multiplier.multiplier,
        );
        for (const x of [lowest, highest, between(lowest, highest), 0, -1, tie - 1, tie, tie + 1]) {
          if (x < lowest || x > highest) continue;
          const expected = clamped(requantize(x, multiplier) + z);
          const actual = clamped(rescaled(x, scaling.lanes[lane]!, scaling.shift));
          if (actual !== expected)
            expect({ x, multiplier, z, actual }).toEqual({ x, multiplier, z, actual: expected });
        }
      });
    }
    expect(found).toBeGreaterThan(2000);
  });
});

/** `rv_rescale`, on numbers that show when int32 does not hold them. */
function rescaled(
  sum: number,
  { scale, multiplier, offset, negative }: Record<'scale' | 'multiplier' | 'offset' | 'negative', number>,
  shift: number,
): number {
  const scaled = sum * scale;
  const high = Number((BigInt(scaled) * BigInt(multiplier)) >> 32n);
  const total = high + offset + (sum < 0 ? negative : 0);
  for (const value of [scaled, total, offset])
    if (value !== (value | 0)) throw new Error(`${value} is no int32`);
  return total >> shift;
}

function clamped(x: number): number {
  return Math.min(Math.max(x, -128), 127);
}
