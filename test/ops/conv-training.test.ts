/** Convolutions that learn against the same in real numbers: what goes back, and how far weights and biases move on average. */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import type { ConvolutionAttributes } from '../../src/ir/attributes.ts';
import type { TensorType } from '../../src/ir/types.ts';
import type { Tensor } from '../../src/ops/definition.ts';
import { OPS } from '../../src/ops/table.ts';

const ATTRS: ConvolutionAttributes = {
  stride: [2, 1],
  dilation: [1, 2],
  padding: [1, 0, 2, 2],
  clamp: [-128, 127],
};
const [X, Y, W] = [
  [1, 6, 5, 3],
  [1, 3, 5, 4],
  [4, 3, 3, 3],
] as const;
const SCALES = [0.01, 0.02, 0.004, 0.013].map(Math.fround);
const INPUT = { scales: [Math.fround(0.05)], zeroPoints: [-9], axis: 0 };
const EXPONENT = -9;

function bytes(shape: readonly number[], seed: number, quantization?: TensorType['quantization']): Tensor {
  const random = createRandom(seed);
  const data = new Int8Array(shape.reduce((a, b) => a * b, 1)).map(() => Math.floor(random() * 255) - 127);
  return { shape, dtype: 'int8', data, ...(quantization && { quantization }) };
}

const int32 = (...values: number[]): Tensor => ({
  shape: [values.length],
  dtype: 'int32',
  data: Int32Array.from(values),
});
const float32 = (value: number): Tensor => ({ shape: [1], dtype: 'float32', data: Float32Array.of(value) });
const weightsOf = (): Tensor => bytes(W, 3, { scales: SCALES, zeroPoints: [0, 0, 0, 0], axis: 0 });

/** Every product of the convolution: indices of input, weight and output. */
function eachProduct(visit: (x: number, w: number, y: number, o: number) => void): void {
  for (let oy = 0; oy < Y[1]; ++oy)
    for (let ox = 0; ox < Y[2]; ++ox)
      for (let ky = 0; ky < W[1]; ++ky)
        for (let kx = 0; kx < W[2]; ++kx) {
          const [iy, ix] = [2 * oy - 1 + ky, ox - 2 + 2 * kx];
          if (iy < 0 || iy >= X[1] || ix < 0 || ix >= X[2]) continue;
          for (let o = 0; o < 4; ++o)
            for (let c = 0; c < 3; ++c)
              visit((iy * X[2] + ix) * 3 + c, ((o * 3 + ky) * 3 + kx) * 3 + c, (oy * Y[2] + ox) * 4 + o, o);
        }
}

it('the gradient of the input is that of the real convolution, to a unit', () => {
  const [g, weights, scale] = [bytes(Y, 4), weightsOf(), int32(0, 0)];
  const dx: Tensor = { shape: X, dtype: 'int8', data: new Int8Array(90) };
  const ins = [g, int32(EXPONENT, 0), null, weights, null, null, scale];
  OPS.quantized_conv2d_input_gradient.reference({ attrs: ATTRS, ins, outs: [dx] });
  const real = new Float64Array(90);
  eachProduct((x, w, y, o) => {
    real[x]! += Number(g.data[y]) * 2 ** EXPONENT * Number(weights.data[w]) * SCALES[o]!;
  });
  const unit = 2 ** Number(scale.data[0]);
  const largest = real.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A unit of rounding at random, and factors that differ from the scales by half a 64th at most of the largest.
  real.forEach((value, i) => {
    expect(Math.abs(Number(dx.data[i]) * unit - value)).toBeLessThan(unit + largest / 64);
  });
});

it('weights move as those of float gradient descent do, on average, with and without scaling', () => {
  const runs = 400;
  const [x, g] = [bytes(X, 5, INPUT), bytes(Y, 6)];
  const slopes = new Float64Array(108);
  eachProduct((xi, w, y) => {
    const input = (Number(x.data[xi]) + 9) * INPUT.scales[0]!;
    slopes[w]! += Number(g.data[y]) * 2 ** EXPONENT * input;
  });
  for (const qas of [true, false]) {
    const rate = qas ? 2e-5 : 0.1;
    const moved = new Float64Array(108);
    const random = int32(7);
    for (let run = 0; run < runs; ++run) {
      const trained: Tensor = { shape: W, dtype: 'int8', data: new Int8Array(108) };
      const ins = [
        ...[x, g, int32(EXPONENT, 0), null, weightsOf(), trained, null, random, float32(rate)],
        ...[null, null, null],
      ];
      const attrs = { ...ATTRS, residualBits: 0, momentum: 0, qas } as const;
      OPS.conv2d_update.reference({ attrs, ins, outs: [int32(0)] });
      trained.data.forEach((w: number | bigint, i: number) => {
        moved[i]! += Number(w) / runs;
      });
    }
    moved.forEach((mean, i) => {
      const scale = SCALES[Math.floor(i / 27)]!;
      // A unit of weight is its scale: the real step in units, or that of the raw weight.
      const wanted = -rate * slopes[i]! * (qas ? 1 / scale : scale);
      // Five deviations of the mean of draws that differ by one.
      expect(Math.abs(mean - wanted)).toBeLessThan(2.5 / Math.sqrt(runs) + Math.abs(wanted) * 2 ** -14);
    });
  }
});

it('biases move as those of float gradient descent do', () => {
  const g = bytes(Y, 8);
  const bias = int32(0, 0, 0, 0);
  const ins = [g, int32(EXPONENT, 0), null, weightsOf(), bias, int32(7), float32(1), null, null, null];
  const attrs = { inputScale: INPUT.scales[0]!, momentum: 0, qas: true };
  OPS.bias_update.reference({ attrs, ins, outs: [int32(0)] });
  for (let o = 0; o < 4; ++o) {
    let slope = 0;
    for (let i = o; i < g.data.length; i += 4) slope += Number(g.data[i]) * 2 ** EXPONENT;
    const wanted = -slope / (INPUT.scales[0]! * SCALES[o]!);
    expect(Math.abs(Number(bias.data[o]) - wanted)).toBeLessThan(1 + Math.abs(wanted) * 2 ** -14);
  }
});
