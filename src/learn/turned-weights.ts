/** Frozen weights in the layout that the gradient of a convolution's input reads them in. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value, ValueId } from '../ir/types.ts';

/** Weights [out, kh, kw, in] turned round in height and width. */
export function turned(builder: GraphBuilder, weights: Value): ValueId {
  const [outputs, height, width, inputs] = weights.shape as [number, number, number, number];
  const data = new Int8Array(weights.data!.length);
  const taps = height * width;
  for (let o = 0; o < outputs; ++o) {
    for (let tap = 0; tap < taps; ++tap) {
      const from = (o * taps + taps - 1 - tap) * inputs;
      data.set((weights.data as Int8Array).subarray(from, from + inputs), (o * taps + tap) * inputs);
    }
  }
  return builder.constant(`${weights.name}/turned`, weights, data);
}

/**
 * The weights of a grouped convolution [out, kh, kw, in / groups], or of a depthwise one with a multiplier [1, kh, kw, out],
 * as those of a plain convolution [out, kh, kw, in]: zeros where there was none.
 */
export function ungrouped(
  builder: GraphBuilder,
  weights: Value,
  inputs: number,
  isDepthwise: boolean,
): ValueId {
  const [first, height, width, last] = weights.shape as [number, number, number, number];
  const [outputs, depth] = isDepthwise ? [last, 1] : [first, last];
  const taps = height * width;
  const groups = inputs / depth;
  const from = weights.data as Int8Array;
  const data = new Int8Array(outputs * taps * inputs);
  for (let o = 0; o < outputs; ++o) {
    const start = Math.floor((o * groups) / outputs) * depth;
    for (let tap = 0; tap < taps; ++tap) {
      for (let i = 0; i < depth; ++i) {
        const at = isDepthwise ? tap * outputs + o : (o * taps + tap) * depth + i;
        data[(o * taps + tap) * inputs + start + i] = from[at]!;
      }
    }
  }
  const type = {
    shape: [outputs, height, width, inputs],
    dtype: 'int8',
    quantization: { ...weights.quantization!, axis: 0 },
  } as const;
  return builder.constant(`${weights.name}/ungrouped`, type, data);
}
