import { clamp, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import { biasOf } from '../convolution.ts';
import type { ReferenceView } from '../definition.ts';
import { zeroPointOf } from '../quantization.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';

/**
 * y[b][o] = clamp(MBQM(bias[o] + sum of w[o][i] * (x[b][i] - Z_in), M[o], s[o]) + Z_out).
 * x [batch, in] after flattening, weights [out, in], y [batch, out] after flattening.
 */
export function fullyConnectedReference({ attrs, ins, outs }: ReferenceView<'fully_connected'>): void {
  const [x, weights, bias] = [ins[0]!, ins[1]!, ins[2]];
  const y = outs[0]!;
  const [outputs, inputs] = weights.shape as [number, number];
  const multipliers = fullyConnectedMultipliers(x, weights, y).map(quantizeMultiplier);
  const biases = biasOf(bias, outputs);
  const input = x.data as Int8Array;
  const filter = weights.data as Int8Array;
  const inZero = zeroPointOf(x);
  for (let i = 0; i < y.data.length; ++i) {
    const o = i % outputs;
    const from = Math.floor(i / outputs) * inputs;
    let acc = biases[o]!;
    for (let c = 0; c < inputs; ++c) acc = (acc + filter[o * inputs + c]! * (input[from + c]! - inZero)) | 0;
    const scaled = requantize(acc, multipliers[multipliers.length === 1 ? 0 : o]!) + zeroPointOf(y);
    y.data[i] = clamp(scaled, attrs.clamp[0], attrs.clamp[1]);
  }
}
