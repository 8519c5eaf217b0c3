/** Where resizing looks in the input, per axis. docs/numerics.md, section 6. */
import { roundHalfAway } from '../../core/fixedpoint.ts';
import type { ResizeAttributes } from '../../ir/attributes.ts';

/** The nearest input index of every output index (`GetNearestNeighbor` of TFLite, in float32). */
export function nearestPositions(attrs: ResizeAttributes, input: number, output: number): Int32Array {
  const corners = attrs.alignCorners && output > 1;
  const scale = corners ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output);
  const offset = attrs.halfPixelCenters ? 0.5 : 0;
  return Int32Array.from({ length: output }, (_, o) => {
    const position = Math.fround(Math.fround(o + offset) * scale);
    const index = attrs.alignCorners ? roundHalfAway(position) : Math.floor(position);
    return Math.min(input - 1, index);
  });
}

/** Two neighbours and the weight of the second in 1/1024; it may be negative, or reach 1024, at a border. */
export interface Neighbours {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Int32Array;
}

/** The neighbours of every output index (`ComputeInterpolationValuesInteger` of TFLite); low may exceed the input. */
export function bilinearPositions(attrs: ResizeAttributes, input: number, output: number): Neighbours {
  const positions = Int32Array.from({ length: output }, (_, o) => bilinearPosition(attrs, input, output, o));
  const low = positions.map((position) => Math.max(0, Math.trunc(position / 1024)));
  return {
    low,
    high: positions.map((position) => Math.min(input - 1, Math.trunc((position + 1023) / 1024))),
    weight: positions.map((position, o) => position - 1024 * low[o]!),
  };
}

/** Output index `o` in 1/1024 of an input index. */
export function bilinearPosition(attrs: ResizeAttributes, input: number, output: number, o: number): number {
  const corners = attrs.alignCorners && output > 1;
  const [from, to] = corners ? [input - 1, output - 1] : [input, output];
  const scale = Math.floor((1024 * from + (to >> 1)) / to);
  return attrs.halfPixelCenters ? o * scale + (scale >> 1) - 512 : o * scale;
}
