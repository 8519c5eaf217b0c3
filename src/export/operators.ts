/** The IR's operators as TFLite says them: the inverse of each `import.ts`. */
import { allocate } from '../core/dtype.ts';
import type { Activation, Padding as Scheme } from '../formats/tflite/schema.ts';
import type { Clamp, OpName, Padding, Pair } from '../ir/attributes.ts';
import type { TensorType, Value } from '../ir/types.ts';
import { activationBounds } from '../ops/activation.ts';
import type { NodeView } from '../ops/definition.ts';
import { sameQuantization, scaleOf, zeroPointOf } from '../ops/quantization.ts';
import { samePadding } from '../ops/window.ts';
import type { ExportContext, Operand, TensorIndex } from './context.ts';

export type TfliteExporter<K extends OpName> = (view: NodeView<K>, context: ExportContext) => void;

const ACTIVATIONS = ['NONE', 'RELU', 'RELU6', 'RELU_N1_TO_1'] as const satisfies readonly Activation[];
const NONE: Padding = [0, 0, 0, 0];

export const TFLITE_EXPORTERS = {
  conv2d: ({ attrs, ins, outs }, context) => {
    const [x, weights, y] = [ins[0]!, ins[1]!, outs[0]!];
    const kernel: Pair = [weights.shape[1]!, weights.shape[2]!];
    const { padding, input } = padded(context, x, y, kernel, attrs);
    fused(context, attrs.clamp, y, (activation, target) =>
      context.operator('CONV_2D', [input, weights, biasOf(context, x, weights, ins[2])], target, {
        ...{ padding, activation, ...strides(attrs.stride), ...dilations(attrs.dilation) },
        quantizedBiasType: 'FLOAT32',
      }),
    );
  },
  depthwise_conv2d: ({ attrs, ins, outs }, context) => {
    const [x, weights, y] = [ins[0]!, ins[1]!, outs[0]!];
    const kernel: Pair = [weights.shape[1]!, weights.shape[2]!];
    const { padding, input } = padded(context, x, y, kernel, attrs);
    const depthMultiplier = weights.shape[3]! / x.shape[3]!;
    fused(context, attrs.clamp, y, (activation, target) =>
      context.operator('DEPTHWISE_CONV_2D', [input, weights, biasOf(context, x, weights, ins[2])], target, {
        ...{ padding, activation, depthMultiplier, ...strides(attrs.stride), ...dilations(attrs.dilation) },
      }),
    );
  },
  transpose_conv2d: ({ attrs, ins, outs }, context) => {
    const [x, weights, y] = [ins[0]!, ins[1]!, outs[0]!];
    const kernel: Pair = [weights.shape[1]!, weights.shape[2]!];
    // The window is that of the convolution that leads back.
    const padding = schemeOf(y, x, kernel, { ...attrs, dilation: [1, 1] });
    if (padding === undefined) return context.reject(`the padding is [${attrs.padding}]`);
    const shape = context.int32s('shape', y.shape);
    fused(context, attrs.clamp, y, (activation, target) =>
      context.operator('TRANSPOSE_CONV', [shape, weights, x, biasOf(context, x, weights, ins[2])], target, {
        ...{ padding, activation, ...strides(attrs.stride) },
        quantizedBiasType: 'FLOAT32',
      }),
    );
  },
  fully_connected: ({ attrs, ins, outs }, context) => {
    const [x, weights, y] = [ins[0]!, ins[1]!, outs[0]!];
    fused(context, attrs.clamp, y, (activation, target) =>
      context.operator('FULLY_CONNECTED', [x, weights, biasOf(context, x, weights, ins[2])], target, {
        activation,
        weightsFormat: 'DEFAULT',
        keepNumDims: y.shape.length > 2,
        asymmetricQuantizeInputs: false,
        quantizedBiasType: 'FLOAT32',
      }),
    );
  },
  average_pool2d: pool('AVERAGE_POOL_2D'),
  max_pool2d: pool('MAX_POOL_2D'),
  mean: ({ attrs, ins, outs }, context) => {
    const keepDims = outs[0]!.shape.length === ins[0]!.shape.length;
    context.operator('MEAN', [ins[0]!, context.int32s('axes', attrs.axes)], outs[0]!, { keepDims });
  },
  softmax: ({ attrs, ins, outs }, context) =>
    context.operator('SOFTMAX', ins, outs[0]!, { beta: attrs.beta }),
  add: ({ attrs, ins, outs }, context) =>
    fused(context, attrs.clamp, outs[0]!, (activation, target) =>
      context.operator('ADD', ins, target, { activation, potScaleInt16: true }),
    ),
  sub: ({ attrs, ins, outs }, context) =>
    fused(context, attrs.clamp, outs[0]!, (activation, target) =>
      context.operator('SUB', ins, target, { activation, potScaleInt16: true }),
    ),
  mul: ({ attrs, ins, outs }, context) =>
    fused(context, attrs.clamp, outs[0]!, (activation, target) =>
      context.operator('MUL', ins, target, { activation }),
    ),
  maximum: plain('MAXIMUM'),
  minimum: plain('MINIMUM'),
  prelu: plain('PRELU'),
  hard_swish: plain('HARD_SWISH'),
  logistic: plain('LOGISTIC'),
  tanh: plain('TANH'),
  quantize: plain('QUANTIZE'),
  dequantize: plain('DEQUANTIZE'),
  leaky_relu: ({ attrs, ins, outs }, context) =>
    context.operator('LEAKY_RELU', ins, outs[0]!, { alpha: attrs.alpha }),
  relu: ({ attrs, ins, outs }, context) => {
    const [x, y] = [ins[0]!, outs[0]!];
    const names = ACTIVATIONS.filter(
      (name) => name !== 'NONE' && sameClamp(activationBounds(name, y), attrs.clamp),
    );
    // TFLite Micro's RELU6 does not rescale.
    const name = names.find((candidate) => candidate !== 'RELU6' || sameQuantization(x, y));
    if (name === undefined || name === 'NONE')
      return context.reject(`an activation is cut to [${attrs.clamp}]`);
    context.operator(name, [x], y, {});
  },
  pad: ({ attrs, ins, outs }, context) => {
    const [x, y] = [ins[0]!, outs[0]!];
    pad(context, x, y, y, attrs);
  },
  reshape: ({ ins, outs }, context) => {
    const { shape } = outs[0]!;
    context.operator('RESHAPE', [ins[0]!, context.int32s('shape', shape)], outs[0]!, { newShape: shape });
  },
  transpose: ({ attrs, ins, outs }, context) =>
    context.operator('TRANSPOSE', [ins[0]!, context.int32s('permutation', attrs.permutation)], outs[0]!, {}),
  concat: ({ attrs, ins, outs }, context) =>
    context.operator('CONCATENATION', ins, outs[0]!, { axis: attrs.axis, activation: 'NONE' }),
  slice: ({ attrs, ins, outs }, context) => {
    const [x, y] = [ins[0]!, outs[0]!];
    const begin = context.int32s('begin', attrs.begin);
    if (attrs.strides.every((stride) => stride === 1)) {
      context.operator('SLICE', [x, begin, context.int32s('size', y.shape)], y, {});
      return;
    }
    const ends = attrs.begin.map((first, d) => first + y.shape[d]! * attrs.strides[d]!);
    // An end before the first element cannot be a number: -1 is the last. The mask says: as far as it goes.
    const endMask = ends.reduce((mask, end, d) => (end < 0 ? mask | (1 << d) : mask), 0);
    const [end, strided] = [context.int32s('end', ends), context.int32s('strides', attrs.strides)];
    context.operator('STRIDED_SLICE', [x, begin, end, strided], y, {
      ...{ beginMask: 0, endMask, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0, offset: false },
    });
  },
  resize_nearest: ({ attrs, ins, outs }, context) =>
    context.operator('RESIZE_NEAREST_NEIGHBOR', [ins[0]!, sizeOf(context, outs[0]!)], outs[0]!, attrs),
  resize_bilinear: ({ attrs, ins, outs }, context) =>
    context.operator('RESIZE_BILINEAR', [ins[0]!, sizeOf(context, outs[0]!)], outs[0]!, attrs),
} satisfies { readonly [K in OpName]?: TfliteExporter<K> };

type Plain = 'maximum' | 'minimum' | 'prelu' | 'hard_swish' | 'logistic' | 'tanh' | 'quantize' | 'dequantize';

function plain(name: Uppercase<Plain>): TfliteExporter<Plain> {
  return ({ ins, outs }, context) => context.operator(name, ins, outs[0]!, {});
}

function pool(name: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D'): TfliteExporter<'average_pool2d' | 'max_pool2d'> {
  return ({ attrs, ins, outs }, context) => {
    const [x, y] = [ins[0]!, outs[0]!];
    const padding = schemeOf(x, y, attrs.kernel, { ...attrs, dilation: [1, 1] });
    if (padding === undefined) return context.reject(`the padding is [${attrs.padding}]`);
    const [filterHeight, filterWidth] = attrs.kernel;
    fused(context, attrs.clamp, y, (activation, target) =>
      context.operator(name, [x], target, {
        ...{ padding, activation, filterHeight, filterWidth, ...strides(attrs.stride) },
      }),
    );
  };
}

const strides = ([strideH, strideW]: Pair) => ({ strideH, strideW });
const dilations = ([dilationH, dilationW]: Pair) => ({ dilationH, dilationW });

interface Window {
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
}

/**
 * The padding scheme with which the windows lie where `window` has them; undefined: neither. What is below or to the right
 * of the last window does not count.
 */
function schemeOf(x: TensorType, y: TensorType, kernel: Pair, window: Window): Scheme | undefined {
  const { stride, dilation, padding } = window;
  const firsts = [padding[0], padding[2]];
  const fits = (scheme: (size: number, d: number) => { first: number; count: number }): boolean =>
    firsts.every((first, d) => {
      const expected = scheme(x.shape[1 + d]!, d);
      return expected.first === first && expected.count === y.shape[1 + d];
    });
  const extent = (d: number): number => (kernel[d]! - 1) * dilation[d]! + 1;
  if (fits((size, d) => ({ first: 0, count: Math.floor((size - extent(d)) / stride[d]!) + 1 })))
    return 'VALID';
  const same = (size: number, d: number) => ({
    first: samePadding(size, kernel[d]!, stride[d]!, dilation[d]!)[0],
    count: Math.ceil(size / stride[d]!),
  });
  return fits(same) ? 'SAME' : undefined;
}

/** Input and padding of a convolution; a border that has no name becomes an operator of its own. */
function padded(
  context: ExportContext,
  x: Value,
  y: Value,
  kernel: Pair,
  window: Window,
): { padding: Scheme; input: Operand } {
  const scheme = schemeOf(x, y, kernel, window);
  if (scheme !== undefined) return { padding: scheme, input: x };
  const [top, bottom, left, right] = window.padding;
  const attrs = {
    before: [0, top, left, 0],
    after: [0, bottom, right, 0],
    value: x.quantization === undefined ? 0 : zeroPointOf(x),
  };
  const type: TensorType = {
    shape: x.shape.map((size, d) => size + attrs.before[d]! + attrs.after[d]!),
    dtype: x.dtype,
    ...(x.quantization && { quantization: x.quantization }),
  };
  if (schemeOf(type, y, kernel, { ...window, padding: NONE }) !== 'VALID')
    context.reject(`the padding is [${window.padding}]`);
  const input = context.between('padded', type);
  pad(context, x, type, input, attrs);
  return { padding: 'VALID', input };
}

function pad(
  context: ExportContext,
  x: Value,
  type: TensorType,
  y: Value | TensorIndex,
  { before, after, value }: { before: readonly number[]; after: readonly number[]; value: number },
): void {
  const sizes = context.int32s(
    'paddings',
    before.flatMap((n, d) => [n, after[d]!]),
    [before.length, 2],
  );
  if (value === (type.quantization === undefined ? 0 : zeroPointOf(type))) {
    context.operator('PAD', [x, sizes], y, {});
  } else context.operator('PADV2', [x, sizes, scalar(context, 'border', type, value)], y, {});
}

/**
 * Writes an operator whose result is cut to `clamp`: by the activation that does so or, where there is none, by MAXIMUM and
 * MINIMUM behind it, which change nothing else.
 */
function fused(
  context: ExportContext,
  clamp: Clamp,
  y: Value,
  write: (activation: Activation, target: Value | TensorIndex) => void,
): void {
  const activation = ACTIVATIONS.find((name) => sameClamp(activationBounds(name, y), clamp));
  if (activation !== undefined) {
    write(activation, y);
    return;
  }
  const whole = context.between('unbounded', y);
  const raised = context.between('raised', y);
  write('NONE', whole);
  context.operator('MAXIMUM', [whole, scalar(context, 'lowest', y, clamp[0])], raised, {});
  context.operator('MINIMUM', [raised, scalar(context, 'highest', y, clamp[1])], y, {});
}

function sameClamp(a: Clamp | undefined, b: Clamp): boolean {
  return a !== undefined && a[0] === b[0] && a[1] === b[1];
}

function scalar(
  context: ExportContext,
  suffix: string,
  { dtype, quantization }: TensorType,
  value: number,
): TensorIndex {
  const data = allocate(dtype, 1);
  data[0] = value;
  return context.constant(suffix, { shape: [1], dtype, ...(quantization && { quantization }) }, data);
}

/** The bias in the scales that a reader expects: those of the products. */
function biasOf(context: ExportContext, x: Value, weights: Value, bias: Value | null | undefined): Operand {
  if (!bias || bias.quantization !== undefined || bias.data === undefined) return bias ?? null;
  if (x.quantization === undefined || weights.quantization === undefined) return bias;
  const scales = weights.quantization.scales.map((scale) => Math.fround(scale * scaleOf(x)));
  const quantization = { scales, zeroPoints: scales.map(() => 0), axis: 0 };
  return context.constant('bias', { shape: bias.shape, dtype: bias.dtype, quantization }, bias.data);
}

function sizeOf(context: ExportContext, { shape }: Value): TensorIndex {
  return context.int32s('size', [shape[1]!, shape[2]!]);
}
