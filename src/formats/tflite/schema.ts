/**
 * The TFLite schema, version 3, as data: the slot of every field of the core tables, the enumerations, and the options
 * of every operator. Reader and writer share these tables, so they cannot disagree.
 * Source of the numbers: schema.fbs of tensorflow/tflite-micro.
 */

/** The only schema version in use, and the identifier at bytes 4 to 7. */
export const SCHEMA_VERSION = 3;
export const FILE_IDENTIFIER = 'TFL3';

/** Slot numbers of the core tables, named as in the schema. */
export const MODEL = {
  version: 0,
  operatorCodes: 1,
  subgraphs: 2,
  description: 3,
  buffers: 4,
  metadata: 6,
  signatureDefs: 7,
} as const;
export const OPERATOR_CODE = { deprecatedBuiltinCode: 0, customCode: 1, version: 2, builtinCode: 3 } as const;
export const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 } as const;
export const TENSOR = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  isVariable: 5,
  sparsity: 6,
  shapeSignature: 7,
  externalBuffer: 10,
} as const;
export const QUANTIZATION = { scale: 2, zeroPoint: 3, detailsType: 4, quantizedDimension: 6 } as const;
export const BUFFER = { data: 0, offset: 1, size: 2 } as const;
export const OPERATOR = {
  opcodeIndex: 0,
  inputs: 1,
  outputs: 2,
  optionsType: 3,
  options: 4,
  customOptions: 5,
  intermediates: 8,
  largeCustomOptionsOffset: 9,
  largeCustomOptionsSize: 10,
} as const;
export const METADATA = { name: 0, buffer: 1 } as const;
export const SIGNATURE = { inputs: 0, outputs: 1, key: 2, subgraph: 4 } as const;
export const TENSOR_MAP = { name: 0, tensorIndex: 1 } as const;

/** Element types; the index is the number in the file. */
export const TENSOR_TYPES = [
  'FLOAT32',
  'FLOAT16',
  'INT32',
  'UINT8',
  'INT64',
  'STRING',
  'BOOL',
  'INT16',
  'COMPLEX64',
  'INT8',
  'FLOAT64',
  'COMPLEX128',
  'UINT64',
  'RESOURCE',
  'VARIANT',
  'UINT32',
  'UINT16',
  'INT4',
  'BFLOAT16',
  'INT2',
  'UINT4',
  'FLOAT8_E4M3FN',
  'FLOAT8_E5M2',
] as const;
export type TensorType = (typeof TENSOR_TYPES)[number];

/** Bits of one element of a constant; types without a fixed size are absent. */
export const ELEMENT_BITS: { readonly [T in TensorType]?: number } = {
  FLOAT32: 32,
  FLOAT16: 16,
  INT32: 32,
  UINT8: 8,
  INT64: 64,
  BOOL: 8,
  INT16: 16,
  COMPLEX64: 64,
  INT8: 8,
  FLOAT64: 64,
  COMPLEX128: 128,
  UINT64: 64,
  UINT32: 32,
  UINT16: 16,
  INT4: 4,
  BFLOAT16: 16,
  INT2: 2,
  UINT4: 4,
  FLOAT8_E4M3FN: 8,
  FLOAT8_E5M2: 8,
};

/** QuantizationParameters.details: anything but NONE replaces scale and zero point. */
export const QUANTIZATION_DETAILS = ['NONE', 'CUSTOM', 'BLOCKWISE', 'MULTI_AXIS'] as const;

const PADDING = ['SAME', 'VALID'] as const;
const ACTIVATION = ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'TANH', 'SIGN_BIT'] as const;
const MIRROR_PAD_MODE = ['REFLECT', 'SYMMETRIC'] as const;
const WEIGHTS_FORMAT = ['DEFAULT', 'SHUFFLED4x16INT8'] as const;
const LSTM_KERNEL = ['FULL', 'BASIC'] as const;

export type Padding = (typeof PADDING)[number];
export type Activation = (typeof ACTIVATION)[number];

/** One field of an options table: its slot, how it is stored, and its value when the file leaves it out. */
export type OptionField =
  | { readonly type: 'bool'; readonly slot: number; readonly fallback: boolean }
  | { readonly type: 'int32' | 'float32'; readonly slot: number; readonly fallback: number }
  | { readonly type: 'int32s'; readonly slot: number; readonly fallback: readonly number[] }
  | { readonly type: 'string'; readonly slot: number; readonly fallback: string }
  | EnumField<string>;
interface EnumField<Name extends string> {
  readonly type: 'enum';
  readonly slot: number;
  readonly fallback: Name;
  readonly names: readonly Name[];
}
export type OptionValue = boolean | number | string | readonly number[];

const bool = (slot: number, fallback = false) => ({ type: 'bool' as const, slot, fallback });
const int = (slot: number, fallback = 0) => ({ type: 'int32' as const, slot, fallback });
const float = (slot: number, fallback = 0) => ({ type: 'float32' as const, slot, fallback });
const ints = (slot: number) => ({ type: 'int32s' as const, slot, fallback: [] as readonly number[] });
const string = (slot: number) => ({ type: 'string' as const, slot, fallback: '' });
const oneOf = <Name extends string>(slot: number, names: readonly [Name, ...Name[]]): EnumField<Name> => ({
  type: 'enum',
  slot,
  fallback: names[0],
  names,
});
const activation = (slot: number) => oneOf(slot, ACTIVATION);
const padding = (slot: number) => oneOf(slot, PADDING);
const tensorType = (slot: number) => oneOf(slot, TENSOR_TYPES);

/** One operator: its builtin code, the number of its options table in the union (0: none) and the fields of that table. */
interface OpSchema<Fields extends { readonly [name: string]: OptionField }> {
  readonly code: number;
  readonly union: number;
  readonly fields: Fields;
}
const op = <Fields extends { readonly [name: string]: OptionField }>(
  code: number,
  union: number,
  fields: Fields,
): OpSchema<Fields> => ({ code, union, fields });
const plain = (code: number, union = 0) => op(code, union, {});

const pool = {
  padding: padding(0),
  strideW: int(1),
  strideH: int(2),
  filterWidth: int(3),
  filterHeight: int(4),
};
const reducer = { keepDims: bool(0) };

/** Every operator whose options are decoded, in order of code. */
export const OPS = {
  ADD: op(0, 11, { activation: activation(0), potScaleInt16: bool(1, true) }),
  AVERAGE_POOL_2D: op(1, 5, { ...pool, activation: activation(5) }),
  CONCATENATION: op(2, 10, { axis: int(0), activation: activation(1) }),
  CONV_2D: op(3, 1, {
    padding: padding(0),
    strideW: int(1),
    strideH: int(2),
    activation: activation(3),
    dilationW: int(4, 1),
    dilationH: int(5, 1),
    quantizedBiasType: tensorType(6),
  }),
  DEPTHWISE_CONV_2D: op(4, 2, {
    padding: padding(0),
    strideW: int(1),
    strideH: int(2),
    depthMultiplier: int(3),
    activation: activation(4),
    dilationW: int(5, 1),
    dilationH: int(6, 1),
  }),
  DEPTH_TO_SPACE: op(5, 94, { blockSize: int(0) }),
  DEQUANTIZE: plain(6, 38),
  FLOOR: plain(8),
  FULLY_CONNECTED: op(9, 8, {
    activation: activation(0),
    weightsFormat: oneOf(1, WEIGHTS_FORMAT),
    keepNumDims: bool(2),
    asymmetricQuantizeInputs: bool(3),
    quantizedBiasType: tensorType(4),
  }),
  L2_NORMALIZATION: op(11, 12, { activation: activation(0) }),
  LOGISTIC: plain(14),
  LSTM: op(16, 14, {
    activation: activation(0),
    cellClip: float(1),
    projClip: float(2),
    kernelType: oneOf(3, LSTM_KERNEL),
    asymmetricQuantizeInputs: bool(4),
  }),
  MAX_POOL_2D: op(17, 5, { ...pool, activation: activation(5) }),
  MUL: op(18, 21, { activation: activation(0) }),
  RELU: plain(19),
  RELU_N1_TO_1: plain(20),
  RELU6: plain(21),
  RESHAPE: op(22, 17, { newShape: ints(0) }),
  // Slots 0 and 1 held the new height and width once.
  RESIZE_BILINEAR: op(23, 15, { alignCorners: bool(2), halfPixelCenters: bool(3) }),
  // The schema says 0, which no model means: writers always store beta, and its absence is read as 1.
  SOFTMAX: op(25, 9, { beta: float(0, 1) }),
  SPACE_TO_DEPTH: op(26, 19, { blockSize: int(0) }),
  SVDF: op(27, 6, { rank: int(0), activation: activation(1), asymmetricQuantizeInputs: bool(2) }),
  TANH: plain(28),
  CUSTOM: plain(32),
  PAD: plain(34, 22),
  GATHER: op(36, 23, { axis: int(0), batchDims: int(1) }),
  BATCH_TO_SPACE_ND: plain(37, 24),
  SPACE_TO_BATCH_ND: plain(38, 25),
  TRANSPOSE: plain(39, 26),
  MEAN: op(40, 27, reducer),
  SUB: op(41, 28, { activation: activation(0), potScaleInt16: bool(1, true) }),
  DIV: op(42, 29, { activation: activation(0) }),
  SQUEEZE: op(43, 30, { squeezeDims: ints(0) }),
  UNIDIRECTIONAL_SEQUENCE_LSTM: op(44, 71, {
    activation: activation(0),
    cellClip: float(1),
    projClip: float(2),
    timeMajor: bool(3),
    asymmetricQuantizeInputs: bool(4),
    diagonalRecurrentTensors: bool(5),
  }),
  STRIDED_SLICE: op(45, 32, {
    beginMask: int(0),
    endMask: int(1),
    ellipsisMask: int(2),
    newAxisMask: int(3),
    shrinkAxisMask: int(4),
    offset: bool(5),
  }),
  EXP: plain(47, 33),
  TOPK_V2: plain(48, 34),
  SPLIT: op(49, 35, { numSplits: int(0) }),
  LOG_SOFTMAX: plain(50, 36),
  CAST: op(53, 37, { inDataType: tensorType(0), outDataType: tensorType(1) }),
  PRELU: plain(54),
  MAXIMUM: plain(55, 39),
  ARG_MAX: op(56, 40, { outputType: tensorType(0) }),
  MINIMUM: plain(57, 39),
  LESS: plain(58, 41),
  NEG: plain(59, 42),
  PADV2: plain(60, 43),
  GREATER: plain(61, 44),
  SLICE: plain(65, 48),
  SIN: plain(66),
  TRANSPOSE_CONV: op(67, 49, {
    padding: padding(0),
    strideW: int(1),
    strideH: int(2),
    activation: activation(3),
    quantizedBiasType: tensorType(4),
  }),
  TILE: plain(69, 51),
  EXPAND_DIMS: plain(70, 52),
  EQUAL: plain(71, 53),
  LOG: plain(73),
  SUM: op(74, 27, reducer),
  SQRT: plain(75),
  RSQRT: plain(76),
  SHAPE: op(77, 55, { outType: tensorType(0) }),
  POW: plain(78, 56),
  ARG_MIN: op(79, 57, { outputType: tensorType(0) }),
  REDUCE_MAX: op(82, 27, reducer),
  PACK: op(83, 59, { valuesCount: int(0), axis: int(1) }),
  UNPACK: op(88, 64, { num: int(0), axis: int(1) }),
  REDUCE_MIN: op(89, 27, reducer),
  SQUARE: plain(92, 66),
  FILL: plain(94, 68),
  RESIZE_NEAREST_NEIGHBOR: op(97, 74, { alignCorners: bool(0), halfPixelCenters: bool(1) }),
  LEAKY_RELU: op(98, 75, { alpha: float(0) }),
  SQUARED_DIFFERENCE: plain(99, 76),
  MIRROR_PAD: op(100, 77, { mode: oneOf(0, MIRROR_PAD_MODE) }),
  ABS: plain(101, 78),
  SPLIT_V: op(102, 79, { numSplits: int(0) }),
  ELU: plain(111),
  QUANTIZE: plain(114, 89),
  ROUND: plain(116),
  HARD_SWISH: plain(117, 91),
  IF: op(118, 92, { thenSubgraph: int(0), elseSubgraph: int(1) }),
  WHILE: op(119, 93, { condSubgraph: int(0), bodySubgraph: int(1) }),
  SELECT_V2: plain(123, 98),
  DENSIFY: plain(124, 99),
  BATCH_MATMUL: op(126, 101, { adjX: bool(0), adjY: bool(1), asymmetricQuantizeInputs: bool(2) }),
  CUMSUM: op(128, 102, { exclusive: bool(0), reverse: bool(1) }),
  CALL_ONCE: op(129, 103, { initSubgraph: int(0) }),
  BROADCAST_TO: plain(130, 104),
  VAR_HANDLE: op(142, 111, { container: string(0), sharedName: string(1) }),
  READ_VARIABLE: plain(143, 112),
  ASSIGN_VARIABLE: plain(144, 113),
  BROADCAST_ARGS: plain(145),
  GELU: op(150, 116, { approximate: bool(0) }),
} as const;

/** Name of an operator whose options are decoded, e.g. `CONV_2D`. */
export type OpName = keyof typeof OPS;

/** The code that op codes of 127 and above carry in the old 8-bit field. */
export const PLACEHOLDER_CODE = 127;

const NAME_BY_CODE: ReadonlyMap<number, OpName> = new Map(
  (Object.keys(OPS) as OpName[]).map((name) => [OPS[name].code, name]),
);

/** The operator with this builtin code; undefined when the schema above does not describe it. */
export function opNameOf(code: number): OpName | undefined {
  return NAME_BY_CODE.get(code);
}

export function isKnownOp(name: string): name is OpName {
  return Object.hasOwn(OPS, name);
}

/** The fields of an operator's options in the order they are declared, as [name, field]. */
export function optionFields(name: OpName): readonly (readonly [string, OptionField])[] {
  return Object.entries(OPS[name].fields);
}

type ValueOf<Field> = Field extends { readonly names: readonly (infer Name)[] }
  ? Name
  : Field extends { readonly fallback: infer Value }
    ? Value
    : never;

/** The decoded options of an operator, every field present: `OptionsOf<'ADD'>` is { activation, potScaleInt16 }. */
export type OptionsOf<Name extends OpName> = {
  readonly [Field in keyof (typeof OPS)[Name]['fields']]: ValueOf<(typeof OPS)[Name]['fields'][Field]>;
};
