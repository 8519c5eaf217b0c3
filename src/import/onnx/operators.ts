/** ONNX operators by name: what each becomes. */
import type { Clamp, OpName } from '../../ir/attributes.ts';
import { UNBOUNDED } from '../../ops/float.ts';
import { broadcastShape } from '../../ops/strided.ts';
import { type KnownTensor, permuted } from './constants.ts';
import { type Computed, constantLast, type OnnxContext, reject, requireAxis, TO_LAST } from './context.ts';
import { importDequantize, importQuantize } from './qdq.ts';
import {
  importConcat,
  importFlatten,
  importPad,
  importReshape,
  importResize,
  importSlice,
  importSplit,
  importSqueeze,
  importTranspose,
  importUnsqueeze,
} from './shapes.ts';
import { importConv, importConvTranspose, importPool } from './windows.ts';

export const ONNX_IMPORTERS: Readonly<Record<string, (context: OnnxContext) => void>> = {
  Add: binary('add'),
  AveragePool: importPool('average_pool2d'),
  BatchNormalization: importNormalization,
  Clip: importClip,
  Concat: importConcat,
  Conv: importConv,
  ConvTranspose: importConvTranspose,
  DequantizeLinear: importDequantize,
  Dropout: (context) => context.alias(),
  Flatten: importFlatten,
  Gemm: importGemm,
  GlobalAveragePool: (context) => reduce(context, [2, 3], true),
  HardSigmoid: importHardSigmoid,
  HardSwish: (context) => unary('hard_swish')(context),
  Identity: (context) => context.alias(),
  LeakyRelu: importLeakyRelu,
  MatMul: importMatMul,
  Max: binary('maximum'),
  MaxPool: importPool('max_pool2d'),
  Min: binary('minimum'),
  Mul: binary('mul'),
  PRelu: binary('prelu'),
  Pad: importPad,
  QuantizeLinear: importQuantize,
  ReduceMean: importReduceMean,
  Relu: (context) => clamped(context, [0, Number.POSITIVE_INFINITY]),
  Reshape: importReshape,
  Resize: importResize,
  Sigmoid: (context) => unary('logistic')(context),
  Slice: importSlice,
  Softmax: importSoftmax,
  Split: importSplit,
  Squeeze: importSqueeze,
  Sub: binary('sub'),
  Tanh: (context) => unary('tanh')(context),
  Transpose: importTranspose,
  Unsqueeze: importUnsqueeze,
};

function unary(op: 'hard_swish' | 'logistic' | 'tanh') {
  return (context: OnnxContext): void => {
    const { id, shape, layout, planes } = context.computed(0);
    context.emit(op, {}, [id], shape, layout, planes);
  };
}

function clamped(context: OnnxContext, clamp: Clamp): void {
  const { id, shape, layout, planes } = context.computed(0);
  context.emit('relu', { clamp }, [id], shape, layout, planes);
}

function importClip(context: OnnxContext): void {
  const low = context.numbers(1, 'the lower bound')?.[0] ?? Number.NEGATIVE_INFINITY;
  const high = context.numbers(2, 'the upper bound')?.[0] ?? Number.POSITIVE_INFINITY;
  if (!(low <= high)) reject('RV2002', `the bounds ${low} and ${high}`);
  clamped(context, [low, high]);
}

function importLeakyRelu(context: OnnxContext): void {
  const { id, shape, layout, planes } = context.computed(0);
  context.emit('leaky_relu', { alpha: context.float('alpha', 0.01) }, [id], shape, layout, planes);
}

/** clamp(alpha x + beta, 0, 1) */
function importHardSigmoid(context: OnnxContext): void {
  const { id, shape, layout, planes } = context.computed(0);
  const number = (suffix: string, x: number): Computed =>
    context.constant(suffix, { shape: [1], dtype: 'float32', values: Float32Array.of(x) });
  const [alpha, beta] = [
    number('alpha', context.float('alpha', 0.2)),
    number('beta', context.float('beta', 0.5)),
  ];
  const scaled = context.emitAs('mul', { clamp: UNBOUNDED }, [id, alpha.id], shape, layout);
  context.emit('add', { clamp: [0, 1] }, [scaled.id, beta.id], shape, layout, planes);
}

/** Channels-last where one operand is and the other can be; else in ONNX's order. */
function binary(op: 'add' | 'sub' | 'mul' | 'maximum' | 'minimum' | 'prelu') {
  return (context: OnnxContext): void => {
    if (context.operands !== 2) reject('RV2002', `${context.operands} operands, two are supported`);
    const [a, b] = [context.computed(0), context.computed(1)];
    const shape =
      broadcastShape(a.shape, b.shape) ??
      reject('RV2005', `[${a.shape}] and [${b.shape}] do not broadcast to one shape`);
    const last = shape.length === 4 && [a, b].some(({ layout }) => layout === 'channels-last');
    const ins = [a, b].map((x, i): Computed => {
      if (!last || (x.shape.length < 4 && !context.isKnown(i))) return context.plain(x);
      return context.isKnown(i)
        ? context.constant(`operand${i}/last`, constantLast(context.known(i, 'an operand')))
        : context.channelsLast(i);
    });
    if (last && ins.some((x, i) => x.shape.length < 4 && !context.isKnown(i))) {
      reject('RV2002', `operands [${a.shape}] and [${b.shape}] with different numbers of dimensions`);
    }
    const attrs = op === 'maximum' || op === 'minimum' || op === 'prelu' ? {} : { clamp: UNBOUNDED };
    const ids = ins.map(({ id }) => id);
    context.emit(op as OpName, attrs as never, ids, shape, last ? 'channels-last' : 'plain');
  };
}

/** scale, bias, mean, variance: as constants of batch_norm, which has mean and variance in one. */
function importNormalization(context: OnnxContext): void {
  if (context.int('training_mode', 0) !== 0 && context.node.outputs.length > 1) {
    reject(
      'RV2002',
      'normalisation by the moments of a batch is for training',
      'export the model in eval mode',
    );
  }
  const x =
    context.computed(0).shape.length === 4 ? context.channelsLast(0) : context.plain(context.computed(0));
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => context.known(i, 'a parameter'));
  const channels = x.shape[1]!;
  if (
    (x.shape.length !== 4 && x.shape.length !== 2) ||
    [gamma, beta, mean, variance].some((p) => p!.values.length !== channels)
  ) {
    reject('RV2005', `parameters of [${gamma!.shape}] for an input of [${x.shape}]`);
  }
  const moments = {
    shape: [2, channels],
    dtype: 'float32',
    values: Float32Array.from([...mean!.values, ...variance!.values]),
  } as const;
  const ins = [
    x,
    context.constant('moments', moments),
    context.constant('gamma', gamma!),
    context.constant('beta', beta!),
  ];
  const attrs = { epsilon: context.float('epsilon', 1e-5), clamp: UNBOUNDED };
  context.emit(
    'batch_norm',
    attrs,
    ins.map(({ id }) => id),
    x.shape,
    x.layout,
  );
}

/** y = alpha A B + beta C, with constant B: a dense layer. */
function importGemm(context: OnnxContext): void {
  if (context.int('transA', 0) !== 0) reject('RV2002', 'a transposed first operand is not supported');
  const [alpha, beta] = [context.float('alpha', 1), context.float('beta', 1)];
  const given = context.known(1, 'the weights');
  requireAxis(given, context.int('transB', 0) === 0 ? 1 : 0);
  const weights =
    context.int('transB', 0) === 0 && given.shape.length === 2 ? permuted(given, [1, 0]) : given;
  const bias = context.has(2) ? context.known(2, 'the bias') : undefined;
  if (weights.quantization !== undefined && alpha !== 1) {
    reject('RV2002', `a factor of ${alpha} for quantised weights`);
  }
  const outputs = weights.shape[0]!;
  const biases =
    bias &&
    Float32Array.from({ length: outputs }, (_, i) => beta * bias.values[bias.values.length === 1 ? 0 : i]!);
  if (bias !== undefined && bias.values.length !== 1 && bias.values.length !== outputs) {
    reject('RV2002', `a bias of [${bias.shape}] for ${outputs} outputs`);
  }
  dense(context, { ...weights, values: Float32Array.from(weights.values, (w) => alpha * w) }, biases);
}

function importMatMul(context: OnnxContext): void {
  const weights = context.known(1, 'the second operand');
  requireAxis(weights, 1);
  if (weights.shape.length !== 2) reject('RV2002', `a product with [${weights.shape}]`);
  dense(context, permuted(weights, [1, 0]), undefined);
}

/** Weights [outputs, inputs]. */
function dense(context: OnnxContext, weights: KnownTensor, bias: Float32Array | undefined): void {
  const x = context.computed(0);
  const [outputs, inputs] = weights.shape as [number, number];
  if (weights.shape.length !== 2 || x.shape.at(-1) !== inputs) {
    reject('RV2005', `weights [${weights.shape}] for an input of [${x.shape}]`);
  }
  const flat = x.layout === 'flattened';
  const turned = flat ? permuted({ ...weights, shape: [outputs, ...x.planes!] }, TO_LAST) : weights;
  const w = context.constant('weights', { ...turned, shape: [outputs, inputs] });
  const b = bias && context.constant('bias', { shape: [outputs], dtype: 'float32', values: bias });
  const own = flat ? x : context.plain(x);
  context.emit(
    'fully_connected',
    { clamp: UNBOUNDED },
    [own.id, w.id, b?.id ?? null],
    [...x.shape.slice(0, -1), outputs],
    'plain',
  );
}

function importReduceMean(context: OnnxContext): void {
  const { shape } = context.computed(0);
  const axes = context.ints('axes') ?? context.numbers(1, 'the axes') ?? shape.map((_, d) => d);
  reduce(
    context,
    axes.map((axis) => context.axis(axis, shape.length)),
    context.int('keepdims', 1) !== 0,
  );
}

/** The mean over `axes` of ONNX's order. */
function reduce(context: OnnxContext, axes: readonly number[], keep: boolean): void {
  const given = context.computed(0);
  const spatial = given.shape.length === 4 && [...axes].sort().join() === '2,3';
  const last = spatial || (keep && given.layout === 'channels-last');
  const x = last ? context.channelsLast(0) : context.plain(given);
  const stored = axes.map((axis) => (last ? (TO_LAST as readonly number[]).indexOf(axis) : axis));
  const shape = x.shape.flatMap((size, d) => (axes.includes(d) ? (keep ? [1] : []) : [size]));
  context.emit(
    'mean',
    { axes: [...stored].sort((a, b) => a - b) },
    [x.id],
    shape,
    last && keep ? 'channels-last' : 'plain',
  );
}

function importSoftmax(context: OnnxContext): void {
  const given = context.computed(0);
  const rank = given.shape.length;
  const axis = context.axis(context.int('axis', -1), rank);
  const last = given.layout === 'channels-last' && axis === 1;
  if (!last && axis !== rank - 1) reject('RV2002', `a softmax over dimension ${axis} of ${rank}`);
  const x = last ? given : context.plain(given);
  context.emit('softmax', { beta: 1 }, [x.id], x.shape, x.layout);
}
