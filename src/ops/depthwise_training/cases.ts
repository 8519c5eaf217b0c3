import type { ConvolutionAttributes, Padding, Pair } from '../../ir/attributes.ts';
import type { Shape } from '../../ir/types.ts';
import {
  bias,
  type CaseOperand,
  constant,
  float32,
  int8,
  type OpCase,
  opCase,
  state,
  vector,
  weights,
} from '../case.ts';
import { windowOutput } from '../convolution.ts';
import { gradient, gradientScale, mask, zeroGradient } from '../gradient-case.ts';

/** A depthwise convolution of one image. */
interface Layer {
  readonly name: string;
  readonly size: Pair;
  readonly kernel: Pair;
  readonly channels: number;
  readonly stride?: Pair;
  readonly dilation?: Pair;
  readonly padding?: Padding;
  /** All, or these; undefined: none. */
  readonly trained?: 'all' | readonly number[];
  readonly masked?: boolean;
  readonly scale?: number;
  readonly shift?: number;
}

const LAYERS: readonly Layer[] = [
  { name: '3x3, nothing trained', size: [5, 7], kernel: [3, 3], channels: 6, masked: true },
  {
    name: '3x3, some trained',
    size: [4, 4],
    kernel: [3, 3],
    channels: 9,
    trained: [0, 3, 4, 8],
    masked: true,
  },
  { name: '5x5, all trained', size: [4, 5], kernel: [5, 5], channels: 5, trained: 'all', shift: 9 },
  {
    name: '7x7, stride 2, some trained',
    size: [8, 8],
    kernel: [7, 7],
    stride: [2, 2],
    channels: 8,
    trained: [1, 7],
    masked: true,
  },
  {
    name: '5x5, stride 2, odd',
    size: [9, 7],
    kernel: [5, 5],
    stride: [2, 2],
    channels: 4,
    masked: true,
    shift: 13,
  },
  {
    name: '3x3, stride 2',
    size: [7, 6],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [0, 1, 1, 0],
    channels: 7,
    trained: [6],
  },
  {
    name: 'any window',
    size: [6, 9],
    kernel: [2, 4],
    stride: [1, 3],
    dilation: [2, 1],
    padding: [1, 0, 2, 1],
    channels: 3,
    trained: [2],
    masked: true,
  },
  { name: 'an image of one pixel', size: [1, 1], kernel: [3, 3], channels: 4, trained: [1, 2], masked: true },
  {
    name: 'one channel',
    size: [3, 10],
    kernel: [3, 3],
    channels: 1,
    trained: 'all',
    masked: true,
    shift: 20,
  },
  { name: 'one row of 5x5', size: [1, 6], kernel: [5, 5], channels: 4, masked: true },
  {
    name: 'a window larger than the image',
    size: [3, 2],
    kernel: [7, 7],
    channels: 5,
    trained: [0, 4],
    masked: true,
  },
  { name: 'tiny scales', size: [4, 4], kernel: [3, 3], channels: 4, scale: 1e-36, masked: true },
  {
    name: 'large scales',
    size: [4, 4],
    kernel: [3, 3],
    channels: 4,
    scale: 3,
    trained: [0],
    masked: true,
    shift: 40,
  },
  { name: '3x3, blocks of four', size: [4, 8], kernel: [3, 3], channels: 8, masked: true },
  { name: '7x7', size: [6, 9], kernel: [7, 7], channels: 4, masked: true, shift: 14 },
  {
    name: '7x7, stride 2',
    size: [8, 8],
    kernel: [7, 7],
    stride: [2, 2],
    channels: 12,
    masked: true,
    shift: 12,
  },
  { name: '7x7, stride 2 by 1, one plane', size: [9, 5], kernel: [7, 7], stride: [2, 1], channels: 3 },
  {
    name: '5x5, stride 3, pixels under no window',
    size: [11, 8],
    kernel: [5, 5],
    stride: [3, 3],
    padding: [1, 0, 0, 2],
    channels: 4,
    masked: true,
  },
];

function attributesOf({ kernel, stride = [1, 1], dilation = [1, 1], padding }: Layer): ConvolutionAttributes {
  const [y, x] = kernel.map((size) => (size - 1) >> 1) as [number, number];
  return { stride, dilation, padding: padding ?? [y, y, x, x], clamp: [-128, 127] };
}

function shapesOf(layer: Layer): { x: Shape; y: Shape } {
  const { stride, dilation, padding } = attributesOf(layer);
  const out = (d: 0 | 1): number =>
    windowOutput(
      layer.size[d],
      layer.kernel[d],
      stride[d],
      dilation[d],
      padding[2 * d]!,
      padding[2 * d + 1]!,
    );
  return { x: [1, ...layer.size, layer.channels], y: [1, out(0), out(1), layer.channels] };
}

/** Weights, trained?, channels? */
function weightOperands({ kernel, channels, trained, scale }: Layer, seed: number): CaseOperand[] {
  const frozen = weights([1, ...kernel, channels], 3, seed, scale);
  if (trained === undefined) return [frozen, null, null];
  const count = trained === 'all' ? channels : trained.length;
  const { quantization: _, ...raw } = weights([1, ...kernel, count], 3, seed + 1);
  const indices = trained === 'all' ? null : Int32Array.from(trained);
  return [frozen, state(raw), indices && { shape: [count], dtype: 'int32', data: indices }];
}

/** Multipliers and biases for which fast requantisation would not be exact. */
function extreme(
  name: string,
  size: 3 | 5 | 7,
  scale: number,
  biases: readonly number[],
  zeroPoint: number,
): OpCase {
  const pad = (size - 1) / 2;
  return opCase(
    name,
    'trained_depthwise_conv2d',
    { stride: [1, 1], dilation: [1, 1], padding: [pad, pad, pad, pad], clamp: [-100, 90] },
    [
      int8([1, 4, 5, 6], 1, 9),
      weights([1, size, size, 6], 3, size, scale),
      state(vector('int32', biases)),
      null,
      null,
    ],
    int8([1, 4, 5, 6], 1, zeroPoint),
  );
}

export const forwardCases: readonly OpCase[] = [
  extreme('multipliers around 1', 3, 1, [100, -50, 0, 7, -3000, 20000], 4),
  extreme(
    'tiny multipliers and huge biases',
    5,
    2 ** -21,
    [2 ** 30, -(2 ** 30), 2 ** 29, 2 ** 27, -(2 ** 28), 0],
    -128,
  ),
  extreme('huge biases', 7, 2 ** -12, [2 ** 30 + 9, -(2 ** 30) - 5, 2 ** 31 - 2 ** 22, 3e8, -3e8, 17], -7),
  ...LAYERS.map((layer, i) => {
    const { x, y } = shapesOf(layer);
    const [frozen, ...trained] = weightOperands(layer, 10 * i);
    return opCase(
      layer.name,
      'trained_depthwise_conv2d',
      { ...attributesOf(layer), clamp: i % 2 === 0 ? [-128, 127] : [-90, 60] },
      [int8(x, 0.04, [-128, 3, 127][i % 3]!), frozen!, state(bias(layer.channels, i)), ...trained],
      int8(y, 0.1 * (layer.scale ?? 1), i % 2 === 0 ? -128 : 5),
    );
  }),
];

function inputGradient(layer: Layer, g: CaseOperand, name = layer.name): OpCase {
  const { x, y } = shapesOf(layer);
  return opCase(
    name,
    'quantized_depthwise_conv2d_input_gradient',
    attributesOf(layer),
    [
      g,
      gradientScale(-12, 3),
      layer.masked ? mask(y) : null,
      ...weightOperands(layer, layer.channels),
      gradientScale(0, layer.shift ?? 11),
    ],
    gradient(x),
  );
}

export const inputGradientCases: readonly OpCase[] = [
  ...LAYERS.map((layer) => inputGradient(layer, gradient(shapesOf(layer).y))),
  inputGradient(LAYERS[1]!, zeroGradient(shapesOf(LAYERS[1]!).y), 'a gradient of zeros'),
];

interface Step {
  readonly residualBits: 0 | 4 | 8;
  readonly momentum?: number;
  readonly batch?: 'waits' | 'applies' | 'either';
  readonly qas?: boolean;
  /** The learning rate; undefined: given with the input, anything around 0. */
  readonly rate?: number;
  readonly exponent?: number;
}

function update(layer: Layer, step: Step, name: string, g?: CaseOperand): OpCase {
  const { x, y } = shapesOf(layer);
  const { residualBits, momentum, batch, qas = true, rate, exponent = -24 } = step;
  const [frozen, trained, channels] = weightOperands({ ...layer, trained: layer.trained ?? 'all' }, 7);
  const count = trained!.data!.length;
  const kept = (dtype: 'int32' | 'uint8', seed: number, length: number): CaseOperand =>
    state(dtype === 'int32' ? bias(length, seed, 200000) : constant({ shape: [length], dtype }, seed));
  const one = { shape: [1], dtype: 'int32' } as const;
  return opCase(
    name,
    'depthwise_conv2d_update',
    { ...attributesOf(layer), residualBits, momentum: momentum ?? 0, qas },
    [
      int8(x.with(3, trained!.shape[3]!), 0.04, 3),
      g ?? gradient(y),
      gradientScale(exponent, 3),
      layer.masked ? mask(y) : null,
      frozen!,
      trained!,
      residualBits === 0 ? null : kept('uint8', 1, Math.ceil((count * residualBits) / 8)),
      state({ ...one, data: Int32Array.of(12345) }),
      rate === undefined ? float32([1]) : { ...float32([1]), data: Float32Array.of(rate) },
      momentum === undefined ? null : kept('int32', 2, count),
      batch === undefined ? null : kept('int32', 3, count),
      batch === undefined || batch === 'either'
        ? null
        : { ...one, data: Int32Array.of(batch === 'waits' ? 0 : 1) },
      channels!,
    ],
    one,
  );
}

const PARTLY = LAYERS[1]!;

export const updateCases: readonly OpCase[] = [
  update(PARTLY, { residualBits: 4 }, '4 bits below, some trained, masked'),
  update(LAYERS[2]!, { residualBits: 8 }, '8 bits below, 5x5'),
  update(LAYERS[3]!, { residualBits: 0, exponent: -18 }, 'no bits below, stride 2'),
  update(LAYERS[6]!, { residualBits: 4 }, 'any window, an odd number of nibbles'),
  update(LAYERS[7]!, { residualBits: 8 }, 'an image of one pixel'),
  update(PARTLY, { residualBits: 4, qas: false, exponent: -8 }, 'without quantisation-aware scaling'),
  update(PARTLY, { residualBits: 4, momentum: 29491 }, 'momentum 0.9'),
  update(PARTLY, { residualBits: 0, momentum: 32767, exponent: -30 }, 'momentum, no bits below'),
  update(PARTLY, { residualBits: 8, batch: 'waits' }, 'within a batch'),
  update(PARTLY, { residualBits: 8, batch: 'applies' }, 'at the end of a batch'),
  update(PARTLY, { residualBits: 4, batch: 'either', momentum: 16384 }, 'momentum of batches of one'),
  update(PARTLY, { residualBits: 4, rate: 0 }, 'rate 0'),
  update(PARTLY, { residualBits: 4, rate: 3e38 }, 'a huge rate'),
  update(PARTLY, { residualBits: 4, rate: 1e-39 }, 'a denormal rate'),
  update(PARTLY, { residualBits: 0, rate: -1, exponent: 100 }, 'every weight is clamped'),
  update(PARTLY, { residualBits: 8, exponent: -300 }, 'a gradient too small for any step'),
  update(LAYERS[11]!, { residualBits: 8 }, 'tiny scales'),
  update(PARTLY, { residualBits: 4 }, 'a gradient of zeros', zeroGradient(shapesOf(PARTLY).y)),
];
