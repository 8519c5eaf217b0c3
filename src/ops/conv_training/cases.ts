import type { TypedArray } from '../../core/dtype.ts';
import type { ConvolutionAttributes, Padding } from '../../ir/attributes.ts';
import type { TensorType } from '../../ir/types.ts';
import { bias, type CaseOperand, int8, type OpCase, opCase, state, weights } from '../case.ts';
import { windowOutput } from '../convolution.ts';

interface Layer {
  readonly name: string;
  readonly size: readonly [number, number];
  readonly depth: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly padding?: Padding;
  /** Trained channels; none: all. */
  readonly channels?: readonly number[];
}

const LAYERS: readonly Layer[] = [
  { name: 'pointwise', size: [3, 5], depth: 8, outputs: 12, kernel: 1 },
  { name: 'pointwise, some channels', size: [4, 4], depth: 9, outputs: 7, kernel: 1, channels: [0, 3, 4, 8] },
  { name: 'one pixel', size: [1, 1], depth: 16, outputs: 10, kernel: 1 },
  { name: 'one channel', size: [2, 3], depth: 1, outputs: 1, kernel: 1 },
  { name: 'wide', size: [2, 2], depth: 40, outputs: 33, kernel: 1, channels: [1, 2, 30] },
  { name: '3x3', size: [5, 6], depth: 4, outputs: 6, kernel: 3, padding: [1, 1, 1, 1] },
  {
    name: '3x3, stride 2',
    size: [6, 7],
    depth: 3,
    outputs: 5,
    kernel: 3,
    stride: 2,
    padding: [0, 1, 1, 1],
    channels: [2],
  },
  { name: '2x2, dilated', size: [5, 5], depth: 5, outputs: 4, kernel: 2, dilation: 2, padding: [1, 0, 0, 1] },
];

/** Channels by fours, as cores with the DSP extension take them. */
const PLAIN: readonly Layer[] = [
  { name: 'one pixel', size: [1, 1], depth: 8, outputs: 4, kernel: 1 },
  { name: 'three pixels', size: [1, 3], depth: 4, outputs: 8, kernel: 1 },
  { name: 'four by four', size: [4, 4], depth: 12, outputs: 12, kernel: 1 },
  { name: 'odd image', size: [3, 5], depth: 16, outputs: 8, kernel: 1 },
];

/** The same with some channels trained: by fours, with a remainder, a single one. */
const PARTLY: readonly Layer[] = [
  { ...PLAIN[2]!, name: 'four of twelve', channels: [1, 2, 7, 11] },
  { ...PLAIN[3]!, name: 'six of sixteen', channels: [0, 3, 4, 8, 9, 15] },
  { ...PLAIN[1]!, name: 'one of four', channels: [2] },
];

const BY_FOURS = [...PLAIN, ...PARTLY].map((layer) => ({ ...layer, name: `by fours, ${layer.name}` }));

const given = (type: TensorType, data: TypedArray) => ({ ...type, data });

const FRACTION = [0, 4, 8] as const;

function windowOf({ stride = 1, dilation = 1, padding = [0, 0, 0, 0] }: Layer): ConvolutionAttributes {
  return { stride: [stride, stride], dilation: [dilation, dilation], padding, clamp: [-128, 127] };
}

function outputOf(layer: Layer): TensorType {
  const { kernel, stride = 1, dilation = 1, padding = [0, 0, 0, 0], size } = layer;
  const [height, width] = [0, 1].map((d) =>
    windowOutput(size[d]!, kernel, stride, dilation, padding[2 * d]!, padding[2 * d + 1]!),
  );
  return { shape: [1, height!, width!, layer.outputs], dtype: 'int8' };
}

const inputOf = ({ size, depth }: Layer): TensorType => int8([1, ...size, depth], 0.05, -7);
const weightsOf = ({ outputs, kernel, depth }: Layer) =>
  weights([outputs, kernel, kernel, depth], 0, outputs + depth);
const trainedOf = (layer: Layer) => {
  const { outputs, kernel, channels, depth } = layer;
  const { shape, dtype, data } = weights([outputs, kernel, kernel, channels?.length ?? depth], 0, 99);
  return state({ shape, dtype, data });
};
const indicesOf = ({ channels }: Layer) =>
  channels ? given({ shape: [channels.length], dtype: 'int32' }, Int32Array.from(channels)) : null;
const integers = (...values: number[]) =>
  state(given({ shape: [values.length], dtype: 'int32' }, Int32Array.from(values)));
const maskOf = ({ shape }: TensorType) => {
  const [, height, width, channels] = shape as [number, number, number, number];
  const bytes = Math.ceil((width * channels) / 8);
  return given(
    { shape: [1, height, 1, bytes], dtype: 'uint8' },
    Uint8Array.from({ length: height * bytes }, (_, i) => (i * 167 + 91) & 255),
  );
};
const rateOf = (rate: number) => given({ shape: [1], dtype: 'float32' }, Float32Array.of(rate));
const count = (type: { readonly shape: readonly number[] }): number => type.shape.reduce((a, b) => a * b, 1);

export const forwardCases: readonly OpCase[] = [...LAYERS, ...BY_FOURS].flatMap((layer) => {
  const y = { ...outputOf(layer), ...int8(outputOf(layer).shape, 0.1, 3) };
  const operands = (trained: boolean): CaseOperand[] => [
    inputOf(layer),
    weightsOf(layer),
    state(bias(layer.outputs, 5)),
    trained ? trainedOf(layer) : null,
    trained ? indicesOf(layer) : null,
  ];
  return [
    opCase(layer.name, 'trained_conv2d', windowOf(layer), operands(true), y),
    opCase(`${layer.name}, bias only`, 'trained_conv2d', windowOf(layer), operands(false), y),
  ];
});

export const inputGradientCases: readonly OpCase[] = [...LAYERS, ...BY_FOURS].flatMap((layer, i) => {
  const g = outputOf(layer);
  const dx: TensorType = { shape: inputOf(layer).shape, dtype: 'int8' };
  const operands = (mask: boolean, trained: boolean, shift: number): CaseOperand[] => [
    g,
    integers(-9, 3),
    mask ? maskOf(g) : null,
    weightsOf(layer),
    trained ? trainedOf(layer) : null,
    trained ? indicesOf(layer) : null,
    integers(0, shift),
  ];
  return [
    opCase(
      layer.name,
      'quantized_conv2d_input_gradient',
      windowOf(layer),
      operands(i % 2 === 0, true, 0),
      dx,
    ),
    opCase(
      `${layer.name}, frozen`,
      'quantized_conv2d_input_gradient',
      windowOf(layer),
      operands(i % 2 === 1, false, 25),
      dx,
    ),
  ];
});

/** Learning rates: nothing, tiny, usual, far too large, not a number. */
const RATES = [0, 1e-9, 0.01, 1e20, Number.NaN] as const;

/** Three fifths of the rates, others for each layer, in step with nothing else that alternates. */
function someOf(i: number, rates: readonly number[]): { rate: number; j: number }[] {
  return rates.map((rate, j) => ({ rate, j })).filter(({ j }) => (3 * i + 2 * j) % 5 < 3);
}

export const updateCases: readonly OpCase[] = LAYERS.flatMap((layer, i) =>
  someOf(i, RATES).map(({ rate, j }) => {
    const g = outputOf(layer);
    const trained = trainedOf(layer);
    const elements = count(trained);
    const residualBits = FRACTION[(i + j) % 3]!;
    const bytes = Math.ceil((elements * residualBits) / 8);
    const perElement = () => integers(...new Int32Array(elements).map((_, k) => (k - 3) * 40000));
    const [isFast, isBatched] = [(i + j) % 2 === 1, (i + j) % 4 > 1];
    return opCase(
      `${layer.name}, rate ${rate}, ${residualBits} bits${isFast ? ', momentum' : ''}${isBatched ? ', batch' : ''}`,
      'conv2d_update',
      { ...windowOf(layer), residualBits, momentum: isFast ? 29491 : 0, qas: j % 2 === 0 },
      [
        int8([1, ...layer.size, layer.channels?.length ?? layer.depth], 0.05, -7),
        g,
        integers(-9, 3),
        i % 2 === 0 ? maskOf(g) : null,
        weightsOf(layer),
        trained,
        residualBits === 0
          ? null
          : state(given({ shape: [bytes], dtype: 'uint8' }, new Uint8Array(bytes).fill(0x88))),
        integers(12345 + i),
        rateOf(rate),
        isFast ? perElement() : null,
        isBatched ? perElement() : null,
        isBatched ? given({ shape: [1], dtype: 'int32' }, Int32Array.of(j % 2)) : null,
      ],
      { shape: [1], dtype: 'int32' },
    );
  }),
);

export const biasUpdateCases: readonly OpCase[] = [...LAYERS.slice(0, 5), ...PLAIN].flatMap((layer, i) =>
  someOf(i, RATES).map(({ rate, j }) => {
    const g = outputOf(layer);
    const [isFast, isBatched] = [(i + j) % 2 === 1, (i + j) % 4 > 1];
    const perElement = () => integers(...new Int32Array(layer.outputs).map((_, k) => (k - 3) * 50000));
    return opCase(
      `${layer.name}, rate ${rate}${isFast ? ', momentum' : ''}${isBatched ? ', batch' : ''}`,
      'bias_update',
      { inputScale: Math.fround(0.05), momentum: isFast ? 29491 : 0, qas: j % 2 === 0 },
      [
        g,
        integers(-7, 3),
        i % 2 === 0 ? maskOf(g) : null,
        weightsOf(layer),
        state(bias(layer.outputs, 5)),
        integers(777 + i),
        rateOf(rate),
        isFast ? perElement() : null,
        isBatched ? perElement() : null,
        isBatched ? given({ shape: [1], dtype: 'int32' }, Int32Array.of(j % 2)) : null,
      ],
      { shape: [1], dtype: 'int32' },
    );
  }),
);

/** No step, small ones, those at both ends of what has a 32-bit form, and beyond all bounds. */
const PLAIN_RATES = [0, 1e-30, 1e-12, 3e-5, 0.4, 30, 1e9, -2, Number.POSITIVE_INFINITY];

export const plainUpdateCases: readonly OpCase[] = PLAIN.flatMap((layer, i) =>
  someOf(i, PLAIN_RATES).map(({ rate, j }) => {
    const residualBits = FRACTION[(i + j) % 3]!;
    const g = outputOf(layer);
    const trained = trainedOf(layer);
    const bytes = (count(trained) * residualBits) / 8;
    const perChannel = weightsOf(layer);
    const { scales, zeroPoints, axis } = perChannel.quantization!;
    // A dead channel draws nothing, and the others go on with the same numbers.
    const quantization = { scales: scales.map((s, o) => (o === 1 ? 0 : s)), zeroPoints, axis };
    return opCase(
      `plain, ${layer.name}, rate ${rate}, ${residualBits} bits`,
      'conv2d_update',
      { ...windowOf(layer), residualBits, momentum: 0, qas: j % 4 < 2 },
      [
        int8([1, ...layer.size, layer.depth], 0.05, 11 - 40 * i),
        g,
        integers(-9 - 7 * (j % 2), 3),
        (i + j) % 2 === 0 ? maskOf(g) : null,
        (i + j) % 4 === 1 ? { ...perChannel, quantization } : perChannel,
        trained,
        residualBits === 0
          ? null
          : state(given({ shape: [bytes], dtype: 'uint8' }, new Uint8Array(bytes).fill(0x5a))),
        integers(99 + i),
        rateOf(rate),
        null,
        null,
        null,
      ],
      { shape: [1], dtype: 'int32' },
    );
  }),
);

const ZERO = (shape: readonly number[]) => given({ shape, dtype: 'int8' }, new Int8Array(count({ shape })));

/** Nothing arrives; weights from 1e-30 to 1e9 in one layer; states that promise too much. */
export const extremeGradientCases: readonly OpCase[] = [
  { name: 'zero gradient', g: true, scale: 0.01, shift: 9 },
  { name: 'scales 39 decades apart', g: false, scale: 1e9, shift: 3 },
  { name: 'tiny scales, an impossible prediction', g: false, scale: 1e-37, shift: -5 },
].map(({ name, g, scale, shift }) => {
  const layer = PLAIN[2]!;
  const output = outputOf(layer);
  const { quantization, ...type } = weightsOf(layer);
  const scales = quantization!.scales.map((_, o) => Math.fround(o === 3 ? scale : 1e-30));
  return opCase(
    name,
    'quantized_conv2d_input_gradient',
    windowOf(layer),
    [
      g ? ZERO(output.shape) : output,
      integers(-9, 3),
      null,
      { ...type, quantization: { ...quantization!, scales } },
      null,
      null,
      integers(0, shift),
    ],
    { shape: inputOf(layer).shape, dtype: 'int8' },
  );
});

/** Multipliers at and beyond the ends of the fast requantisation, and biases as large as they get. */
export const extremeForwardCases: readonly OpCase[] = [2 ** -20, 2 ** -21, 0.49, 0.5, 3, 0].map(
  (multiplier) => {
    const layer = PLAIN[2]!;
    const { quantization, ...type } = weightsOf(layer);
    const scales = quantization!.scales.map((_, o) =>
      Math.fround((multiplier * 0.1 * (o % 2 === 0 ? 1 : 0.7)) / 0.05),
    );
    const ends = Int32Array.from(
      { length: layer.outputs },
      (_, o) => [2 ** 30, -(2 ** 30), 2 ** 30 - 1, 1 - 2 ** 30, 2 ** 29, 7][o % 6]!,
    );
    return opCase(
      `multiplier ${multiplier}`,
      'trained_conv2d',
      { ...windowOf(layer), clamp: [-100, 90] },
      [
        inputOf(layer),
        { ...type, quantization: { ...quantization!, scales } },
        state({ shape: [layer.outputs], dtype: 'int32', data: ends }),
        trainedOf(layer),
        null,
      ],
      int8(outputOf(layer).shape, 0.1, 3),
    );
  },
);
