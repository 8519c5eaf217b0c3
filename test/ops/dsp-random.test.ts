/**
 * Random operators on the kernels of DSP cores, with bytes at the ends of their range: the reference against
 * WebAssembly. What the kernels refuse runs on the portable ones; each property counts that most is not refused.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clamp, Padding, Pair } from '../../src/ir/attributes.ts';
import { elementCount, type Graph, requireValue } from '../../src/ir/types.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';
import { windowOutput } from '../../src/ops/convolution.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

const DSP_SETS = KERNEL_SETS.filter(({ isas }) => isas[0] === 'dsp');

const integer = (min: number, max: number) => fc.integer({ min, max });
const zeroPoint = fc.oneof(integer(-128, 127), fc.constantFrom(-128, 127));
/** Mostly usual scales, now and then extreme ones. */
const scale = fc.oneof(
  { weight: 4, arbitrary: integer(-8, 2).map((e) => 2 ** e * 0.83) },
  { weight: 2, arbitrary: fc.constant(0.05) },
  { weight: 1, arbitrary: integer(-30, 10).map((e) => 2 ** e) },
);
const quantization = fc.tuple(scale, zeroPoint);
const clamp: fc.Arbitrary<Clamp> = fc.oneof(
  fc.constant([-128, 127] as const),
  fc.tuple(integer(-128, 0), integer(1, 127)),
);

/** Seeded bytes, and bytes that are all at one end or alternate between both. */
function samplesFor(graph: Graph): Uint8Array[][] {
  const filled = (byte: (i: number) => number): Uint8Array[] =>
    graph.inputs.map((id) =>
      Uint8Array.from({ length: elementCount(requireValue(graph, id).shape) }, (_, i) => byte(i)),
    );
  return [
    inputsFor(graph, 5),
    filled(() => 128),
    filled(() => 127),
    filled((i) => 127 + (i % 2)),
    filled((i) => 128 - (i % 2)),
  ];
}

/** Checks `count` random cases; at least `share` of those that are valid must use a kernel that matches `kernel`. */
async function check(cases: fc.Arbitrary<OpCase>, kernel: RegExp, share: number, count = 200): Promise<void> {
  let [valid, fast] = [0, 0];
  await fc.assert(
    fc.asyncProperty(cases, async ({ graph }) => {
      if (verifyGraph(graph).length > 0) return;
      const samples = samplesFor(graph);
      const expected = samples.map((inputs) => runReference(graph, inputs));
      for (const set of DSP_SETS) {
        const { program, plan } = lowered(graph, set);
        ++valid;
        if (program.calls.every((call) => kernel.test(call.kernel))) ++fast;
        const executor = await WasmExecutor.create(program, plan);
        samples.forEach((inputs, i) => {
          executor.dirty(i * 51);
          expect({ kernel: program.calls[0]!.kernel, i, out: executor.run(inputs) }).toEqual({
            kernel: program.calls[0]!.kernel,
            i,
            out: expected[i],
          });
        });
      }
    }),
    { numRuns: count, seed: 3 },
  );
  expect(fast / valid).toBeGreaterThan(share);
}

/** A pool's window over a plane with at least one output. */
const pool = fc
  .record({
    batch: integer(1, 2),
    size: fc.tuple(integer(1, 9), integer(1, 9)),
    channels: fc.oneof(
      integer(1, 19),
      integer(1, 5).map((fours) => 4 * fours),
    ),
    kernel: fc.tuple(integer(1, 5), integer(1, 5)),
    stride: fc.tuple(integer(1, 4), integer(1, 4)),
    before: fc.tuple(integer(0, 4), integer(0, 4)),
    after: fc.tuple(integer(0, 4), integer(0, 4)),
    quantization,
    clamp,
  })
  .map(({ before, after, ...window }) => {
    const { kernel, size, stride } = window;
    const [top, left] = before.map((p, axis) => p % kernel[axis]!) as [number, number];
    const [bottom, right] = after.map((p, axis) => p % kernel[axis]!) as [number, number];
    const padding: Padding = [top, bottom, left, right];
    const output: Pair = [
      windowOutput(size[0], kernel[0], stride[0], 1, top, bottom),
      windowOutput(size[1], kernel[1], stride[1], 1, left, right),
    ];
    return { ...window, padding, output };
  })
  .filter(({ output }) => Math.min(...output) > 0);

describe('random operators on DSP kernels', () => {
  it.each([true, false])('fully_connected, per channel: %s', (perChannel) =>
    check(
      fc
        .record({
          batch: integer(1, 2),
          inputs: fc.oneof(integer(1, 70), integer(500, 530)),
          outputs: integer(1, 23),
          x: quantization,
          y: quantization,
          clamp,
          magnitude: fc.constantFrom(10, 5000, 1e8),
          seed: integer(0, 1000),
        })
        .map(({ batch, inputs, outputs, x, y, clamp, magnitude, seed }) =>
          opCase(
            'random',
            'fully_connected',
            { clamp },
            [
              int8([batch, inputs], ...x),
              weights([outputs, inputs], perChannel ? 0 : null, seed),
              bias(outputs, seed, magnitude),
            ],
            int8([batch, outputs], ...y),
          ),
        ),
      /^fully_connected_dsp/,
      0.4,
    ));

  it.each(['add', 'sub', 'mul'] as const)('%s', (op) =>
    check(
      fc
        .record({
          shape: fc.tuple(integer(1, 3), integer(1, 6), integer(1, 17)),
          repeats: fc.boolean(),
          a: quantization,
          b: quantization,
          y: quantization,
          clamp,
        })
        .map(({ shape, repeats, a, b, y, clamp }) =>
          opCase(
            'random',
            op,
            { clamp },
            [int8(shape, ...a), int8(repeats ? [1, 1, shape[2]] : shape, ...b)],
            int8(shape, ...y),
          ),
        ),
      /_dsp_s8$/,
      0.25,
      400,
    ));

  it.each([
    ['average_pool2d', /^average_pool2d(_rows)?_dsp/],
    ['max_pool2d', /^max_pool2d_dsp/],
  ] as const)('%s', (op, kernel) =>
    check(
      pool.map(({ batch, size, channels, kernel, stride, padding, output, quantization, clamp }) =>
        opCase(
          'random',
          op,
          { kernel, stride, padding, clamp },
          [int8([batch, ...size, channels], ...quantization)],
          int8([batch, ...output, channels], ...quantization),
        ),
      ),
      kernel,
      0.7,
    ));

  it('average_pool2d, one row at a time', () =>
    check(
      fc
        .record({
          height: integer(6, 30),
          windows: integer(1, 3),
          width: integer(2, 9),
          fours: integer(1, 5),
          quantization,
          clamp,
        })
        .map(({ height, windows, width, fours, quantization, clamp }) =>
          opCase(
            'random',
            'average_pool2d',
            { kernel: [height, width], stride: [height, width], padding: [0, 0, 0, 0], clamp },
            [int8([1, windows * height, width, 4 * fours], ...quantization)],
            int8([1, windows, 1, 4 * fours], ...quantization),
          ),
        ),
      /^average_pool2d_rows_dsp/,
      0.7,
    ));

  it('mean', () =>
    check(
      fc
        .record({
          shape: fc.tuple(integer(1, 3), integer(1, 9), integer(1, 40), integer(1, 5)),
          axes: fc.constantFrom<number[]>([1], [2], [1, 2]),
          x: quantization,
          y: quantization,
        })
        .map(({ shape: [batch, height, width, fours], axes, x, y }) =>
          opCase(
            'random',
            'mean',
            { axes },
            [int8([batch, height, width, 4 * fours], ...x)],
            int8([batch, axes.includes(1) ? 1 : height, axes.includes(2) ? 1 : width, 4 * fours], ...y),
          ),
        ),
      /^mean_dsp/,
      0.9,
    ));

  it('mean of as many columns as 16 bits hold, and more', () =>
    check(
      integer(254, 259).map((width) =>
        opCase('long', 'mean', { axes: [2] }, [int8([1, 1, width, 4])], int8([1, 1, 1, 4], 0.05, 3)),
      ),
      /^mean_dsp/,
      0.3,
      12,
    ));

  it.each([
    ['one row at a time', 17, 256, 0],
    ['whole windows', 4, 64, 1],
  ] as const)('average_pool2d of as many values as 16 bits hold, and more: %s', (_, height, most, top) =>
    check(
      integer(-2, 2).map((more) =>
        opCase(
          'large',
          'average_pool2d',
          { kernel: [height, most + more], stride: [1, 1], padding: [top, 0, 0, 0], clamp: [-128, 127] },
          [int8([1, height, most + more, 4])],
          int8([1, 1 + top, 1, 4]),
        ),
      ),
      /^average_pool2d.*dsp/,
      0.3,
      12,
    ));
});
