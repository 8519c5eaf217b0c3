/** Which weights [1, kh, kw, C] of a depthwise convolution are trained: those of some channels, of all, or none. */
import type { Value } from '../../ir/types.ts';
import type { Problem, Tensor } from '../definition.ts';
import { sameShape } from '../strided.ts';

/**
 * The problem with `trained`, a state int8 [1, kh, kw, n], and `channels`, the constant int32 [n] that says in ascending
 * order which ones these are; without `channels`, all.
 */
export function trainedProblem(
  weights: Value,
  trained: Value | null,
  channels: Value | null,
): Problem | undefined {
  if (trained === null) {
    return channels === null ? undefined : { code: 'RV2005', message: 'channels are named but not trained' };
  }
  if (trained.role !== 'state' || trained.dtype !== 'int8') {
    return { code: 'RV2003', message: 'trained weights are a state of type int8' };
  }
  const all = weights.shape[3]!;
  const count = channels?.shape[0] ?? all;
  if (!sameShape(trained.shape, weights.shape.with(3, count))) {
    return {
      code: 'RV2005',
      message: `the trained weights are [${trained.shape}] for ${count} channels of [${weights.shape}]`,
    };
  }
  return channels === null ? undefined : channelsProblem(channels, all);
}

function channelsProblem(channels: Value, all: number): Problem | undefined {
  if (channels.role !== 'const') {
    return { code: 'RV2008', message: 'the channels that are trained are computed by the model' };
  }
  const ascends = Array.from(channels.data as Int32Array).every(
    (channel, j, list) => channel > (list[j - 1] ?? -1) && channel < all,
  );
  if (channels.dtype !== 'int32' || channels.shape.length !== 1 || !ascends) {
    return { code: 'RV2002', message: `the trained channels do not ascend within ${all} in a list of int32` };
  }
  return undefined;
}

/** The index among the trained channels of each channel, -1 for those whose weights are frozen. */
export function trainedIndices(
  weights: Pick<Value, 'shape'>,
  trained: Pick<Value, 'shape'> | null | undefined,
  channels: Pick<Value, 'data'> | null | undefined,
): Int16Array {
  const all = weights.shape[3]!;
  if (!trained) return new Int16Array(all).fill(-1);
  if (!channels) return Int16Array.from({ length: all }, (_, c) => c);
  const indices = new Int16Array(all).fill(-1);
  for (const [j, channel] of (channels.data as Int32Array).entries()) indices[channel] = j;
  return indices;
}

/** Weights [1, kh, kw, C] as they are now. */
export function effectiveWeights(
  weights: Tensor,
  trained: Tensor | null,
  channels: Tensor | null,
): Int8Array {
  const indices = trainedIndices(weights, trained, channels);
  const count = trained?.shape[3] ?? 0;
  return (weights.data as Int8Array).map((w, i) => {
    const index = indices[i % indices.length]!;
    return index < 0 ? w : (trained!.data[Math.floor(i / indices.length) * count + index] as number);
  });
}
