/** Random geometries of the operators with windows or rows of sums: the reference against WebAssembly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Padding, Pair } from '../../src/ir/attributes.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';
import { windowOutput } from '../../src/ops/convolution.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

const CLAMP = [-128, 127] as const;
const small = (least: number, most: number) => fc.integer({ min: least, max: most });
const pair = (least: number, most: number) => fc.tuple(small(least, most), small(least, most));

/** A window over a plane; shapes that do not work out are filtered by `output`. */
const window = fc.record({
  batch: small(1, 2),
  size: pair(1, 9),
  channels: small(1, 5),
  kernel: pair(1, 5),
  stride: pair(1, 4),
  dilation: pair(1, 3),
  padding: fc.tuple(small(0, 4), small(0, 4), small(0, 4), small(0, 4)),
  zeroPoint: small(-128, 127),
});
type Window = typeof window extends fc.Arbitrary<infer T> ? T : never;

function output(w: Window, dilation: Pair): Pair {
  const along = (axis: 0 | 1): number =>
    windowOutput(
      w.size[axis],
      w.kernel[axis],
      w.stride[axis],
      dilation[axis],
      w.padding[axis * 2]!,
      w.padding[axis * 2 + 1]!,
    );
  return [along(0), along(1)];
}

function squareOutput(w: {
  readonly size: Pair;
  readonly kernel: number;
  readonly stride: Pair;
  readonly padding: Padding;
}): Pair {
  const { size, kernel, stride, padding } = w;
  return [
    windowOutput(size[0], kernel, stride[0], 1, padding[0], padding[1]),
    windowOutput(size[1], kernel, stride[1], 1, padding[2], padding[3]),
  ];
}

async function expectSame({ graph }: OpCase): Promise<void> {
  expect(verifyGraph(graph)).toEqual([]);
  const inputs = inputsFor(graph, 5);
  const expected = runReference(graph, inputs);
  for (const set of KERNEL_SETS) {
    const { program, plan } = lowered(graph, set);
    const executor = await WasmExecutor.create(program, plan);
    executor.dirty(77);
    expect(executor.run(inputs), set.name).toEqual(expected);
  }
}

function check<T>(arbitrary: fc.Arbitrary<T>, toCase: (value: T) => OpCase): Promise<void> {
  return fc.assert(
    fc.asyncProperty(arbitrary, (value) => expectSame(toCase(value))),
    { numRuns: 150, seed: 1 },
  );
}

describe('random geometry', () => {
  it('depthwise_conv2d', () =>
    check(
      fc.tuple(
        window.filter((w) => Math.min(...output(w, w.dilation)) > 0),
        small(1, 3),
      ),
      ([w, multiplier]) => {
        const channels = w.channels * multiplier;
        return opCase(
          'random',
          'depthwise_conv2d',
          { stride: w.stride, dilation: w.dilation, padding: w.padding, clamp: CLAMP },
          [
            int8([w.batch, ...w.size, w.channels], 0.05, w.zeroPoint),
            weights([1, ...w.kernel, channels], 3, 1),
            bias(channels, 2),
          ],
          int8([w.batch, ...output(w, w.dilation), channels], 0.05, -w.zeroPoint - 1),
        );
      },
    ));

  it('depthwise_conv2d with square windows', () =>
    check(
      fc
        .record({
          window,
          size: fc.constantFrom(3, 5, 7),
          width: small(1, 24),
          channels: small(1, 11),
          stride: pair(1, 2),
          outZeroPoint: fc.oneof(fc.constant(-128), small(-128, 127)),
          lowest: fc.oneof(fc.constant(-128), small(-128, 0)),
          scale: fc.constantFrom(0.001, 0.05, 0.4, 1000),
          seed: small(1, 1000),
        })
        .map(({ window: w, size, width, ...rest }) => ({
          ...rest,
          w: {
            ...w,
            kernel: [size, size] as [number, number],
            size: [w.size[0], width] as [number, number],
            stride: rest.stride,
            channels: rest.channels,
          },
        }))
        .filter(({ w }) => Math.min(...output(w, [1, 1])) > 0),
      ({ w, outZeroPoint, lowest, scale, seed }) =>
        opCase(
          'random',
          'depthwise_conv2d',
          { stride: w.stride, dilation: [1, 1], padding: w.padding, clamp: [lowest, 127] },
          [
            int8([w.batch, ...w.size, w.channels], 0.05, w.zeroPoint),
            weights([1, ...w.kernel, w.channels], 3, seed),
            bias(w.channels, seed + 1),
          ],
          int8([w.batch, ...output(w, [1, 1]), w.channels], scale, outZeroPoint),
        ),
    ));

  it('expand_depthwise2d with square windows', () =>
    check(
      fc
        .record({
          batch: small(1, 2),
          size: pair(1, 20),
          inChannels: fc.constantFrom(3, 4, 8, 12, 20),
          channels: small(1, 9),
          kernel: fc.constantFrom(3, 5, 7),
          stride: pair(1, 2),
          padding: fc.tuple(small(0, 6), small(0, 6), small(0, 6), small(0, 6)),
          zeroPoints: fc.tuple(small(-128, 127), small(-128, 127), small(-128, 127)),
          expandedLowest: small(-128, 0),
          carries: fc.boolean(),
          seed: small(1, 1000),
        })
        .map((shape) => ({ ...shape, out: squareOutput(shape) }))
        .filter(({ out }) => Math.min(...out) > 0),
      (shape) => {
        const { channels, kernel, seed, zeroPoints, inChannels } = shape;
        return opCase(
          'random',
          'expand_depthwise2d',
          {
            stride: shape.stride,
            dilation: [1, 1],
            padding: shape.padding,
            clamp: CLAMP,
            expandClamp: [shape.expandedLowest, 127],
            expandedScale: Math.fround(0.06),
            expandedZeroPoint: zeroPoints[1],
            carries: shape.carries,
          },
          [
            int8([shape.batch, ...shape.size, inChannels], 0.05, zeroPoints[0]),
            weights([channels, 1, 1, inChannels], 0, seed),
            bias(channels, seed + 1),
            weights([1, kernel, kernel, channels], 3, seed + 2),
            bias(channels, seed + 3),
          ],
          int8([shape.batch, ...shape.out, channels], 0.05, zeroPoints[2]),
        );
      },
    ));

  it('transpose_conv2d', () =>
    check(fc.tuple(window, pair(1, 12)), ([w, size]) =>
      opCase(
        'random',
        'transpose_conv2d',
        { stride: w.stride, padding: w.padding, clamp: CLAMP },
        [
          int8([w.batch, ...w.size, w.channels], 0.05, w.zeroPoint),
          weights([2, ...w.kernel, w.channels], 0, 1),
          bias(2, 2),
        ],
        int8([w.batch, ...size, 2], 0.05, 4),
      ),
    ));

  it.each(['average_pool2d', 'max_pool2d'] as const)('%s', (op) =>
    check(
      window
        .map((w) => ({ ...w, padding: w.padding.map((p, i) => p % w.kernel[i >> 1]!) as unknown as Padding }))
        .filter((w) => Math.min(...output(w as Window, [1, 1])) > 0),
      (w) =>
        opCase(
          'random',
          op,
          { kernel: w.kernel, stride: w.stride, padding: w.padding, clamp: CLAMP },
          [int8([w.batch, ...w.size, w.channels], 0.05, w.zeroPoint)],
          int8([w.batch, ...output(w as Window, [1, 1]), w.channels], 0.05, w.zeroPoint),
        ),
    ));

  it('average_pool2d of tall windows that share no rows', () =>
    check(fc.tuple(small(6, 12), small(1, 3), small(0, 2), window), ([height, windows, gap, w]) =>
      opCase(
        'random',
        'average_pool2d',
        { kernel: [height, 2], stride: [height + gap, 2], padding: [0, 0, 0, 0], clamp: CLAMP },
        [int8([w.batch, windows * (height + gap), 4, w.channels], 0.05, w.zeroPoint)],
        int8([w.batch, windows, 2, w.channels], 0.05, w.zeroPoint),
      ),
    ));

  it('mean', () =>
    check(
      fc
        .array(small(1, 5), { minLength: 1, maxLength: 5 })
        .chain((shape) =>
          small(0, shape.length - 1).chain((first) =>
            small(first, shape.length - 1).map((last) => ({ shape, first, last })),
          ),
        ),
      ({ shape, first, last }) =>
        opCase(
          'random',
          'mean',
          { axes: Array.from({ length: last - first + 1 }, (_, i) => first + i) },
          [int8(shape, 0.05, -71)],
          int8(
            shape.map((size, i) => (i >= first && i <= last ? 1 : size)),
            0.03,
            9,
          ),
        ),
    ));
});
