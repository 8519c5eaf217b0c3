/** Single operators of random geometry, around the vector lengths of the kernels that fast cores have. */
import fc from 'fast-check';
import type { Clamp, Padding, Pair } from '../../src/ir/attributes.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';
import { windowShape } from '../../src/ops/convolution.ts';

const integer = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(integer(min, max), integer(min, max));
/** Below, at and above whole vectors of 4, 8 and 16. */
const channels = fc.oneof(integer(1, 20), fc.constantFrom(24, 31, 32, 33, 40, 48));
const ONE: Pair = [1, 1];

/** Zero point and bounds of an output: of a ReLU, whose lower bound is the zero point, of none, or anything. */
const activation = fc.oneof(
  fc.constant({ zeroPoint: -128, clamp: [-128, 127] as Clamp }),
  integer(-128, 127).map((zeroPoint) => ({ zeroPoint, clamp: [-128, 127] as Clamp })),
  integer(-128, 60).map((zeroPoint) => ({ zeroPoint, clamp: [zeroPoint, zeroPoint + 60] as Clamp })),
);

/** Shapes that do not work out are filtered by `isPossible`. */
const window = fc.record({
  batch: integer(1, 2),
  size: fc.tuple(integer(1, 6), integer(1, 12)),
  channels,
  kernel: fc.oneof(pair(1, 5), fc.constantFrom(ONE, [3, 3] as const, [7, 7] as const, [10, 4] as const)),
  stride: pair(1, 3),
  dilation: fc.oneof({ weight: 3, arbitrary: fc.constant(ONE) }, pair(1, 3)),
  padding: fc.tuple(integer(0, 3), integer(0, 3), integer(0, 3), integer(0, 3)),
  zeroPoint: integer(-128, 127),
  activation,
  seed: integer(0, 1000),
});
type Window = typeof window extends fc.Arbitrary<infer T> ? T : never;

function sizeAfter(w: Window): Pair {
  const input = int8([w.batch, ...w.size, w.channels]);
  return windowShape(input, w.kernel, w.stride, w.dilation, w.padding);
}

const isPossible = (w: Window): boolean => Math.min(...sizeAfter(w)) > 0;

/** An output scale that `terms` products of raw values fill without saturating everywhere. */
const scaleFor = (terms: number): number => 0.05 * Math.sqrt(terms);

function windowCase(op: 'conv2d' | 'depthwise_conv2d', w: Window, outChannels: number): OpCase {
  const [height, width] = w.kernel;
  const isDepthwise = op === 'depthwise_conv2d';
  const shape = isDepthwise ? [1, height, width, outChannels] : [outChannels, height, width, w.channels];
  const terms = height * width * (isDepthwise ? 1 : w.channels);
  const { clamp, zeroPoint } = w.activation;
  return opCase(
    `${op} ${JSON.stringify(w)}`,
    op,
    { stride: w.stride, dilation: w.dilation, padding: w.padding as Padding, clamp },
    [
      int8([w.batch, ...w.size, w.channels], 0.05, w.zeroPoint),
      weights(shape, isDepthwise ? 3 : 0, w.seed),
      bias(outChannels, w.seed + 1),
    ],
    int8([w.batch, ...sizeAfter(w), outChannels], scaleFor(terms), zeroPoint),
  );
}

const conv2d = fc
  .tuple(window.filter(isPossible), channels)
  .map(([w, outChannels]) => windowCase('conv2d', w, outChannels));

const pointwise = fc
  .tuple(window, channels)
  .map(([w, outChannels]) =>
    windowCase('conv2d', { ...w, kernel: ONE, padding: [0, 0, 0, 0], dilation: ONE }, outChannels),
  );

const depthwise = fc
  .tuple(window.filter(isPossible), fc.constantFrom(1, 1, 1, 2))
  .map(([w, multiplier]) => windowCase('depthwise_conv2d', w, w.channels * multiplier));

const fullyConnected = fc
  .record({
    batch: integer(1, 3),
    inputs: integer(1, 70),
    outputs: channels,
    activation,
    seed: integer(0, 999),
  })
  .map(({ batch, inputs, outputs, activation: { clamp, zeroPoint }, seed }) =>
    opCase(
      `fully_connected ${batch} ${inputs} ${outputs} ${seed}`,
      'fully_connected',
      { clamp },
      [
        int8([batch, inputs], 0.05, (seed % 256) - 128),
        weights([outputs, inputs], seed % 2 ? 0 : null, seed),
        bias(outputs, seed + 1),
      ],
      int8([batch, outputs], scaleFor(inputs), zeroPoint),
    ),
  );

const elementwise = fc
  .record({
    op: fc.constantFrom('add' as const, 'mul' as const),
    shape: fc.tuple(integer(1, 3), integer(1, 5), channels),
    broadcast: fc.boolean(),
    scales: fc.tuple(fc.constantFrom(0.01, 0.02, 0.05), fc.constantFrom(0.01, 0.02, 0.05)),
    zeroPoints: pair(-128, 127),
    activation,
  })
  .map(({ op, shape, broadcast, scales, zeroPoints, activation: { clamp, zeroPoint } }) =>
    opCase(
      `${op} [${shape}] ${broadcast} ${scales} ${zeroPoints}`,
      op,
      { clamp },
      [
        int8([1, ...shape], scales[0], zeroPoints[0]),
        int8(broadcast ? [1, shape[0], 1, shape[2]] : [1, ...shape], scales[1], zeroPoints[1]),
      ],
      int8([1, ...shape], op === 'add' ? 0.06 : 0.04, zeroPoint),
    ),
  );

const KINDS: Readonly<Record<string, fc.Arbitrary<OpCase>>> = {
  conv2d,
  pointwise,
  depthwise,
  fullyConnected,
  elementwise,
};

/** `count` cases of each kind; the same for the same seed. */
export function randomCases(seed: number, count: number): OpCase[] {
  return Object.values(KINDS).flatMap((kind) => fc.sample(kind, { seed, numRuns: count }));
}
