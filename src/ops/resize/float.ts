/** Resizing and its gradients on float32. */
import type { ResizeAttributes } from '../../ir/attributes.ts';
import type { Shape, Value } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import type { OpDef, ReferenceView } from '../definition.ts';
import { type FloatMeaning, floatKernel, operandsProblem, twin } from '../float.ts';
import { Sums } from '../taps.ts';
import { resizeBilinear, resizeNearest } from './op.ts';
import { nearestPositions } from './positions.ts';

type Resize = 'resize_nearest' | 'resize_bilinear';
type ResizeGradient = `${Resize}_gradient`;

/** The two input indices that an output index lies between, and the share of the second. */
type Source = readonly [low: number, high: number, share: number];

/** By output index along one axis; positions as TFLite's float kernels have them. */
function sourcesOf(op: Resize, attrs: ResizeAttributes, input: number, output: number): Source[] {
  if (op === 'resize_nearest') {
    return Array.from(nearestPositions(attrs, input, output), (index): Source => [index, index, 0]);
  }
  const corners = attrs.alignCorners && output > 1;
  const scale = corners ? (input - 1) / (output - 1) : input / output;
  return Array.from({ length: output }, (_, o): Source => {
    const position = attrs.halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale;
    const low = Math.min(input - 1, Math.max(0, Math.floor(position)));
    const high = Math.min(input - 1, Math.floor(position) + 1);
    return [low, Math.max(0, high), Math.min(1, Math.max(0, position - low))];
  });
}

export function resizeFloat<K extends Resize>(op: K): FloatMeaning<K> {
  return {
    reference({ attrs, ins, outs }: ReferenceView<K>) {
      const [x, y] = [ins[0]!, outs[0]!];
      const sums = new Sums(y.data.length);
      forEachShare(op, attrs, x.shape, y.shape, (from, to, share) => sums.add(to, at(x, from) * share));
      sums.store(y);
    },
    kernels: [
      floatKernel<K>('resize_f32', 'any size', ({ attrs, ins, outs }) =>
        resizeCall(op, attrs, ins[0]!.shape, outs[0]!.shape),
      ),
    ],
  };
}

export const resizeNearestGradient = resizeGradient('resize_nearest_gradient', 'resize_nearest');
export const resizeBilinearGradient = resizeGradient('resize_bilinear_gradient', 'resize_bilinear');

function resizeGradient<K extends ResizeGradient>(name: K, op: Resize): OpDef<K> {
  return {
    name,
    verify: (view) => operandsProblem(view, 1) ?? forwardProblem(op, view.attrs, view.outs[0]!, view.ins[0]!),
    macs: () => 0,
    reference({ attrs, ins, outs }: ReferenceView<K>) {
      const [dy, dx] = [ins[0]!, outs[0]!];
      const sums = new Sums(dx.data.length);
      forEachShare(op, attrs, dx.shape, dy.shape, (to, from, share) => sums.add(to, at(dy, from) * share));
      sums.store(dx);
    },
    kernels: [
      floatKernel<K>('resize_gradient_f32', 'any size', ({ attrs, ins, outs }) =>
        resizeCall(op, attrs, outs[0]!.shape, ins[0]!.shape),
      ),
    ],
  };
}

function forwardProblem(op: Resize, attrs: ResizeAttributes, x: Value, y: Value) {
  const definition: Pick<OpDef<'resize_nearest'>, 'verify'> = op === 'resize_nearest'
    ? resizeNearest
    : (resizeBilinear as unknown as OpDef<'resize_nearest'>);
  return definition.verify(twin({ attrs, ins: [x], outs: [y] }));
}

function resizeCall(op: Resize, attrs: ResizeAttributes, x: Shape, y: Shape) {
  const [batch, height, width, channels] = x as [number, number, number, number];
  return {
    geometry: {
      batch,
      in_height: height,
      in_width: width,
      channels,
      out_height: y[1]!,
      out_width: y[2]!,
    },
    data: {
      rows: sourcesOf(op, attrs, height, y[1]!).flat(),
      columns: sourcesOf(op, attrs, width, y[2]!).flat(),
    },
  };
}

/** Visits the share of every input element in every output element. */
function forEachShare(
  op: Resize,
  attrs: ResizeAttributes,
  x: Shape,
  y: Shape,
  visit: (from: number, to: number, share: number) => void,
): void {
  const [batch, height, width, channels] = x as [number, number, number, number];
  const rows = sourcesOf(op, attrs, height, y[1]!);
  const columns = sourcesOf(op, attrs, width, y[2]!);
  for (let n = 0; n < batch; ++n) {
    rows.forEach(([top, bottom, down], oy) => {
      columns.forEach(([left, right, across], ox) => {
        for (const [iy, rowShare] of [
          [top, 1 - down],
          [bottom, down],
        ] as const) {
          for (const [ix, columnShare] of [
            [left, 1 - across],
            [right, across],
          ] as const) {
            for (let c = 0; c < channels; ++c) {
              const from = ((n * height + iy) * width + ix) * channels + c;
              visit(from, ((n * y[1]! + oy) * y[2]! + ox) * channels + c, rowShare * columnShare);
            }
          }
        }
      });
    });
  }
}
