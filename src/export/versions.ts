/** The version that a reader must know to run an operator, as TFLite's own writer decides it (`op_version.cc`). */
import type { TfliteTensor } from '../formats/tflite/model.ts';
import type { OpName } from '../formats/tflite/schema.ts';

/** First versions that take int8 and int16; all operators take float32 and uint8 from version 1 on, unless said. */
const BY_TYPE: { readonly [N in OpName]?: { readonly INT8?: number; readonly INT16?: number } } = {
  CONV_2D: { INT8: 3, INT16: 4 },
  DEPTHWISE_CONV_2D: { INT8: 3, INT16: 5 },
  TRANSPOSE_CONV: { INT8: 2, INT16: 2 },
  FULLY_CONNECTED: { INT8: 4, INT16: 7 },
  AVERAGE_POOL_2D: { INT8: 2, INT16: 3 },
  MAX_POOL_2D: { INT8: 2, INT16: 3 },
  MEAN: { INT8: 2, INT16: 3 },
  SOFTMAX: { INT8: 2, INT16: 3 },
  ADD: { INT8: 2, INT16: 3 },
  SUB: { INT8: 2, INT16: 5 },
  MUL: { INT8: 2, INT16: 4 },
  MAXIMUM: { INT8: 2, INT16: 4 },
  MINIMUM: { INT8: 2, INT16: 4 },
  RELU: { INT8: 2, INT16: 3 },
  RELU6: { INT8: 2, INT16: 3 },
  LEAKY_RELU: { INT16: 2 },
  LOGISTIC: { INT8: 2, INT16: 3 },
  TANH: { INT8: 2, INT16: 3 },
  DEQUANTIZE: { INT8: 2, INT16: 3 },
  PAD: { INT8: 2, INT16: 3 },
  PADV2: { INT8: 2 },
  TRANSPOSE: { INT8: 2, INT16: 2 },
  CONCATENATION: { INT8: 2, INT16: 3 },
  SLICE: { INT8: 2, INT16: 4 },
  STRIDED_SLICE: { INT8: 2, INT16: 4 },
  RESIZE_NEAREST_NEIGHBOR: { INT8: 2, INT16: 4 },
  RESIZE_BILINEAR: { INT8: 2, INT16: 4 },
};

/** Versions that something else than the type asks for. */
const BY_USE: {
  readonly [N in OpName]?: (
    ins: readonly (TfliteTensor | undefined)[],
    out: TfliteTensor,
    options: Readonly<Record<string, unknown>>,
  ) => number;
} = {
  CONV_2D: ([x, weights], _, { dilationW, dilationH }) =>
    x?.shape[3] !== weights?.shape[3] ? 6 : dilationW !== 1 || dilationH !== 1 ? 2 : 1,
  DEPTHWISE_CONV_2D: (_ins, _out, { dilationW, dilationH }) => (dilationW !== 1 || dilationH !== 1 ? 2 : 1),
  TRANSPOSE_CONV: (ins, _, { activation }) => (activation !== 'NONE' ? 4 : ins[3] !== undefined ? 3 : 1),
  FULLY_CONNECTED: ([, weights, bias], _, { keepNumDims }) =>
    (weights?.quantization?.scale.length ?? 0) > 1
      ? 12
      : bias === undefined
        ? 6
        : keepNumDims === true
          ? 5
          : 1,
  MUL: ([a, b], y) => {
    const [sa, sb, sy] = [a, b, y].map((tensor) => tensor?.quantization?.scale[0] ?? 0) as [
      number,
      number,
      number,
    ];
    return sy > 0 && (sa * sb) / sy >= 1 ? 3 : 1;
  },
  QUANTIZE: ([x], y) => (x?.type === 'INT16' || y.type === 'INT16' ? 2 : 1),
  RESIZE_NEAREST_NEIGHBOR: (_ins, _out, { alignCorners, halfPixelCenters }) =>
    alignCorners === true || halfPixelCenters === true ? 3 : 1,
  RESIZE_BILINEAR: (_ins, _out, { halfPixelCenters }) => (halfPixelCenters === true ? 3 : 1),
};

/** @param ins undefined where an optional operand is absent */
export function versionOf(
  name: OpName,
  ins: readonly (TfliteTensor | undefined)[],
  out: TfliteTensor,
  options: Readonly<Record<string, unknown>>,
): number {
  const type = name === 'DEQUANTIZE' ? ins[0]!.type : out.type;
  const byType = type === 'INT8' || type === 'INT16' ? (BY_TYPE[name]?.[type] ?? 1) : 1;
  return Math.max(byType, BY_USE[name]?.(ins, out, options) ?? 1);
}
