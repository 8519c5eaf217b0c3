/**
 * Networks as JSON: operators in order with the quantisation of every tensor, the parameters in a .safetensors file beside
 * it. It is how the backbones of MCUNetV3 (tiny-training) are stored. Layouts are those of PyTorch: activations [batch,
 * channels, height, width], weights [out, in / groups, height, width].
 */
import { type JsonObject, parseJsonObject } from './json.ts';

export const BLOCKS_FORMAT = 'int8-mobilenet-blocks';
const VERSION = 1;
const DIALECT = { code: 'RV1008', maxBytes: 1 << 20 } as const;
const MAX_SIZE = 2 ** 31 - 1;

export interface BlocksNetwork {
  readonly input: {
    readonly id: string;
    /** [batch, channels, height, width] */
    readonly shape: readonly [number, number, number, number];
    readonly dtype: 'int8' | 'uint8';
  } & BlocksQuantization;
  /** Id of the tensor that the network returns. */
  readonly output: string;
  readonly ops: readonly BlocksOp[];
}

/** real = scale * (q - zero) */
export interface BlocksQuantization {
  readonly scale: number;
  readonly zero: number;
}

interface Op {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

/** `conv2d` and `depthwise_conv2d`, padded on both sides with the zero point of the input. */
export interface BlocksConvolution extends Op {
  readonly op: 'conv2d' | 'depthwise_conv2d';
  readonly outChannels: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: number;
  readonly padding: readonly [height: number, width: number];
  readonly groups: number;
  readonly outSize: readonly [height: number, width: number];
  readonly inputQuantization: BlocksQuantization;
  readonly outputQuantization: BlocksQuantization;
  /** Names of tensors: int8 [out, in / groups, kh, kw], int32 [out], float32 [out]. */
  readonly weight: string;
  readonly bias: string;
  readonly weightScale: string;
}

export interface BlocksAdd extends Op {
  readonly op: 'add';
  readonly inputQuantizations: readonly BlocksQuantization[];
  readonly outputQuantization: BlocksQuantization;
}

/** The mean of each channel over the whole plane; input and output have the same quantisation. */
export interface BlocksPool extends Op {
  readonly op: 'global_avg_pool';
}

export type BlocksOp = BlocksConvolution | BlocksAdd | BlocksPool;

/**
 * Reads the description of a network. What the operators refer to is not looked up.
 * @param file its name, for diagnostics
 * @throws RivuletError RV1008 if it is no such description, RV2001 for an operator that the format does not have
 */
export function readBlocks(bytes: Uint8Array, file: string): BlocksNetwork {
  const root = parseJsonObject(bytes, DIALECT, file);
  if (root.text('format') !== BLOCKS_FORMAT) root.refuse('format', `only ${BLOCKS_FORMAT} is read`);
  root.integer('version', VERSION, VERSION);
  return {
    input: readInput(root.object('input')),
    output: root.text('output'),
    ops: root.objects('ops').map(readOp),
  };
}

function readInput(input: JsonObject): BlocksNetwork['input'] {
  const dtype = input.text('dtype');
  if (dtype !== 'int8' && dtype !== 'uint8')
    input.refuse('dtype', `${dtype} inputs are not supported`, 'RV2003');
  const shape = input.integers('shape', 1, MAX_SIZE, 4) as BlocksNetwork['input']['shape'];
  return { id: input.text('id'), shape, dtype, scale: input.number('scale'), zero: readZero(input, 'zero') };
}

function readOp(entry: JsonObject): BlocksOp {
  const op = entry.text('op');
  const base = { id: entry.text('id'), output: entry.text('output') };
  switch (op) {
    case 'conv2d':
    case 'depthwise_conv2d':
      return { ...base, op, inputs: [entry.text('input')], ...readConvolution(entry) };
    case 'add': {
      const zeros = entry.integers('input_zeros', -128, 255, 2);
      const scales = entry.numbers('input_scales', 2);
      return {
        ...base,
        op,
        inputs: entry.texts('inputs', 2),
        inputQuantizations: scales.map((scale, i) => ({ scale, zero: zeros[i]! })),
        outputQuantization: readQuantization(entry, 'output'),
      };
    }
    case 'global_avg_pool':
      return { ...base, op, inputs: [entry.text('input')] };
    default:
      return entry.refuse('op', `${op} is not supported`, 'RV2001');
  }
}

function readConvolution(entry: JsonObject): Omit<BlocksConvolution, keyof Op | 'op'> {
  const pair = (key: string, lowest: number) =>
    entry.integers(key, lowest, MAX_SIZE, 2) as readonly [number, number];
  // Weights are symmetric, whether or not the file says so.
  if (entry.has('weight_zero')) entry.integer('weight_zero', 0, 0);
  return {
    outChannels: entry.integer('out_channels', 1, MAX_SIZE),
    kernel: pair('kernel', 1),
    stride: entry.integer('stride', 1, MAX_SIZE),
    padding: pair('padding', 0),
    groups: entry.integer('groups', 1, MAX_SIZE),
    outSize: pair('out_hw', 1),
    inputQuantization: readQuantization(entry, 'input'),
    outputQuantization: readQuantization(entry, 'output'),
    weight: entry.text('weight'),
    bias: entry.text('bias'),
    weightScale: entry.text('weight_scale'),
  };
}

function readQuantization(entry: JsonObject, side: 'input' | 'output'): BlocksQuantization {
  return { scale: entry.number(`${side}_scale`), zero: readZero(entry, `${side}_zero`) };
}

function readZero(entry: JsonObject, key: string): number {
  return entry.integer(key, -128, 255);
}
