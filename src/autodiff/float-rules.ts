/** Gradients on float32: docs/training.md has the formulas. */
import { fail } from '../core/diagnostics.ts';
import type { Clamp, GradientWindow, Pair } from '../ir/attributes.ts';
import {
  describeOrigin,
  elementCount,
  type Shape,
  type TensorType,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { windowShape } from '../ops/convolution.ts';
import { UNBOUNDED } from '../ops/float.ts';
import { keptShape } from '../ops/reduction/op.ts';
import { sameShape } from '../ops/strided.ts';
import type { Domain, GradientContext, GradientRules } from './domain.ts';
import { FLOAT_ELEMENTWISE } from './float-elementwise.ts';
import { float, scaled, summedTo } from './float-steps.ts';

const SECOND = 'second derivatives are not taken';
const CHANGES = 'it changes a state';
const INTEGERS = 'it is a part of training in integers';

const RULES: GradientRules = {
  ...FLOAT_ELEMENTWISE,
  conv2d(context) {
    const { attrs, ins, emit } = context;
    const [x, weights] = [ins[0]!, ins[1]!];
    const error = beforeClamp(context, attrs.clamp);
    const window = windowOf(attrs);
    if (context.wants(0)) {
      context.contribute(0, emit('conv2d_input_gradient', window, [error, weights.id], float(x.shape)));
    }
    if (context.wants(1)) {
      context.contribute(1, emit('conv2d_weight_gradient', window, [x.id, error], float(weights.shape)));
    }
    contributeBias(context, error);
  },
  depthwise_conv2d(context) {
    const { attrs, ins, emit } = context;
    const [x, weights] = [ins[0]!, ins[1]!];
    const error = beforeClamp(context, attrs.clamp);
    const window = windowOf(attrs);
    if (context.wants(0)) {
      context.contribute(
        0,
        emit('depthwise_conv2d_input_gradient', window, [error, weights.id], float(x.shape)),
      );
    }
    if (context.wants(1)) {
      context.contribute(
        1,
        emit('depthwise_conv2d_weight_gradient', window, [x.id, error], float(weights.shape)),
      );
    }
    contributeBias(context, error);
  },
  transpose_conv2d: transposeConvolution,
  fully_connected(context) {
    const { ins, emit } = context;
    const [x, weights] = [ins[0]!, ins[1]!];
    const [outputs, inputs] = weights.shape as [number, number];
    const rows = elementCount(x.shape) / inputs;
    const asImage = (id: ValueId, channels: number): ValueId =>
      emit('reshape', {}, [id], float([rows, 1, 1, channels]));
    const error = asImage(beforeClamp(context, context.attrs.clamp), outputs);
    const filter: Shape = [outputs, 1, 1, inputs];
    if (context.wants(0)) {
      const turned = emit('reshape', {}, [weights.id], float(filter));
      const gradient = emit('conv2d_input_gradient', POINTWISE, [error, turned], float([rows, 1, 1, inputs]));
      context.contribute(0, emit('reshape', {}, [gradient], float(x.shape)));
    }
    if (context.wants(1)) {
      const gradient = emit(
        'conv2d_weight_gradient',
        POINTWISE,
        [asImage(x.id, inputs), error],
        float(filter),
      );
      context.contribute(1, emit('reshape', {}, [gradient], float(weights.shape)));
    }
    contributeBias(context, error);
  },
  expand_depthwise2d: 'it is made for firmware, from the two convolutions that have one',
  average_pool2d(context) {
    const { kernel, stride, padding, clamp } = context.attrs;
    const error = beforeClamp(context, clamp);
    const type = float(context.ins[0]!.shape);
    context.contribute(
      0,
      context.emit('average_pool2d_gradient', { kernel, stride, padding }, [error], type),
    );
  },
  max_pool2d(context) {
    const { kernel, stride, padding, clamp } = context.attrs;
    const x = context.ins[0]!;
    const error = beforeClamp(context, clamp);
    const gradient = context.emit(
      'max_pool2d_gradient',
      { kernel, stride, padding },
      [x.id, error],
      float(x.shape),
    );
    context.contribute(0, gradient);
  },
  mean(context) {
    const x = context.ins[0]!;
    const kept = keptShape(x.shape, context.attrs.axes);
    const share = elementCount(kept) / elementCount(x.shape);
    const error = context.emit(
      'reshape',
      {},
      [scaled(context, context.error, context.out.shape, share)],
      float(kept),
    );
    context.contribute(0, context.emit('broadcast', {}, [error], float(x.shape)));
  },
  softmax(context) {
    const { out, emit } = context;
    const type = float(out.shape);
    const sums = float([...out.shape.slice(0, -1), 1]);
    const products = emit('mul', { clamp: UNBOUNDED }, [context.error, out.id], type);
    const mean = emit('sum', {}, [products], sums);
    const distance = emit('sub', { clamp: UNBOUNDED }, [context.error, mean], type);
    const slope = emit('mul', { clamp: UNBOUNDED }, [distance, out.id], type);
    context.contribute(0, scaled(context, slope, out.shape, context.attrs.beta));
  },
  softmax_cross_entropy(context) {
    const { attrs, ins: operands } = context;
    const [logits, labels] = [operands[0]!, operands[1]!];
    const ins = [logits.id, labels.id, context.error];
    context.contribute(0, context.emit('softmax_cross_entropy_gradient', attrs, ins, float(logits.shape)));
  },
  quantize: 'rounding has none on float32',
  dequantize: 'its input is not float32',
  trained_conv2d: INTEGERS,
  quantized_conv2d_input_gradient: INTEGERS,
  conv2d_update: INTEGERS,
  bias_update: INTEGERS,
  trained_depthwise_conv2d: INTEGERS,
  quantized_depthwise_conv2d_input_gradient: INTEGERS,
  depthwise_conv2d_update: INTEGERS,
  gradient_sum: INTEGERS,
  mean_gradient: INTEGERS,
  quantized_average_pool2d_gradient: INTEGERS,
  quantized_max_pool2d_gradient: INTEGERS,
  unary_gradient: INTEGERS,
  mul_gradient: INTEGERS,
  quantized_softmax_gradient: INTEGERS,
  quantized_resize_nearest_gradient: INTEGERS,
  quantized_resize_bilinear_gradient: INTEGERS,
  softmax_cross_entropy_loss: INTEGERS,
  quantized_softmax_cross_entropy_gradient: INTEGERS,
  clamp_mask: INTEGERS,
  gather_channels: INTEGERS,
  pad(context) {
    const { shape } = context.ins[0]!;
    const attrs = { begin: context.attrs.before, strides: shape.map(() => 1) };
    context.contribute(0, context.emit('slice', attrs, [context.error], float(shape)));
  },
  reshape(context) {
    context.contribute(0, context.emit('reshape', {}, [context.error], float(context.ins[0]!.shape)));
  },
  transpose(context) {
    const { permutation } = context.attrs;
    const inverse = permutation.map((_, d) => permutation.indexOf(d));
    context.contribute(
      0,
      context.emit('transpose', { permutation: inverse }, [context.error], float(context.ins[0]!.shape)),
    );
  },
  concat(context) {
    const { axis } = context.attrs;
    let start = 0;
    context.ins.forEach((x, operand) => {
      const { shape } = x!;
      const attrs = { begin: shape.map((_, d) => (d === axis ? start : 0)), strides: shape.map(() => 1) };
      start += shape[axis]!;
      if (context.wants(operand)) {
        context.contribute(operand, context.emit('slice', attrs, [context.error], float(shape)));
      }
    });
  },
  slice(context) {
    context.contribute(
      0,
      context.emit('slice_gradient', context.attrs, [context.error], float(context.ins[0]!.shape)),
    );
  },
  resize_nearest(context) {
    const type = float(context.ins[0]!.shape);
    context.contribute(0, context.emit('resize_nearest_gradient', context.attrs, [context.error], type));
  },
  resize_bilinear(context) {
    const type = float(context.ins[0]!.shape);
    context.contribute(0, context.emit('resize_bilinear_gradient', context.attrs, [context.error], type));
  },
  sum(context) {
    context.contribute(0, context.emit('broadcast', {}, [context.error], float(context.ins[0]!.shape)));
  },
  broadcast(context) {
    context.contribute(0, summedTo(context, context.error, context.out, context.ins[0]!.shape));
  },
  batch_norm: batchNorm,
  batch_moments: 'it is part of the gradient of the batch_norm that reads the same values',
  conv2d_input_gradient: SECOND,
  conv2d_weight_gradient: SECOND,
  depthwise_conv2d_input_gradient: SECOND,
  depthwise_conv2d_weight_gradient: SECOND,
  average_pool2d_gradient: SECOND,
  max_pool2d_gradient: SECOND,
  clamp_gradient: SECOND,
  batch_norm_parameter_gradient: SECOND,
  batch_norm_input_gradient: SECOND,
  slice_gradient: SECOND,
  resize_nearest_gradient: SECOND,
  resize_bilinear_gradient: SECOND,
  softmax_cross_entropy_gradient: SECOND,
  running_average: CHANGES,
  sgd_update: CHANGES,
  adam_update: CHANGES,
};

export const FLOAT_DOMAIN: Domain = {
  rules: RULES,
  seed: (emitter, loss) => emitter.constant(float(loss.shape), Float32Array.of(1)),
  add: (emitter, a, b, { shape }) => emitter.emit('add', { clamp: UNBOUNDED }, [a, b], float(shape)),
};

const POINTWISE: GradientWindow = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] };

type Clamped =
  | 'conv2d'
  | 'depthwise_conv2d'
  | 'transpose_conv2d'
  | 'fully_connected'
  | 'average_pool2d'
  | 'max_pool2d';

function windowOf({ stride, dilation, padding }: GradientWindow): GradientWindow {
  return { stride, dilation, padding };
}

/** The gradient before the clamp that an operator ends with. */
function beforeClamp({ error, out, emit }: GradientContext<Clamped>, clamp: Clamp): ValueId {
  if (clamp[0] === UNBOUNDED[0] && clamp[1] === UNBOUNDED[1]) return error;
  return emit('clamp_gradient', { clamp }, [out.id, error], float(out.shape));
}

/** The bias is the third operand, if there is one, and has the channels of the output. */
function contributeBias(context: GradientContext<Clamped>, error: ValueId): void {
  if (!context.wants(2)) return;
  const { shape } = context.ins[2]!;
  context.contribute(2, context.emit('sum', {}, [error], float(shape)));
}

/**
 * A transposed convolution is the gradient of a convolution from its output to its input, so its own gradients are that
 * convolution, and its weight gradient. Weights change places: [out, kh, kw, in] here, [in, kh, kw, out] there.
 */
function transposeConvolution(context: GradientContext<'transpose_conv2d'>): void {
  const { attrs, ins, out, emit } = context;
  const [x, weights] = [ins[0]!, ins[1]!];
  const permutation = [3, 1, 2, 0];
  const turned = permutation.map((d) => weights.shape[d]!);
  const kernel: Pair = [weights.shape[1]!, weights.shape[2]!];
  const error = beforeClamp(context, attrs.clamp);
  const after = (d: 0 | 1): number => {
    const reach = (x.shape[1 + d]! - 1) * attrs.stride[d] + kernel[d];
    return Math.max(0, reach - out.shape[1 + d]! - attrs.padding[2 * d]!);
  };
  const padding = [attrs.padding[0], after(0), attrs.padding[2], after(1)] as const;
  const window: GradientWindow = { stride: attrs.stride, dilation: [1, 1], padding };
  // Windows that no input pixel belongs to may fit into the image as well.
  const windows = windowShape(out, kernel, attrs.stride, [1, 1], padding);
  const seen = [x.shape[0]!, ...windows, x.shape[3]!];
  const cut = { begin: [0, 0, 0, 0], strides: [1, 1, 1, 1] };
  if (context.wants(0)) {
    const filter = emit('transpose', { permutation }, [weights.id], float(turned));
    const gradient = emit('conv2d', { ...window, clamp: UNBOUNDED }, [error, filter], float(seen));
    context.contribute(
      0,
      sameShape(seen, x.shape) ? gradient : emit('slice', cut, [gradient], float(x.shape)),
    );
  }
  if (context.wants(1)) {
    const image = sameShape(seen, x.shape) ? x.id : emit('slice_gradient', cut, [x.id], float(seen));
    const gradient = emit('conv2d_weight_gradient', window, [error, image], float(turned));
    context.contribute(1, emit('transpose', { permutation }, [gradient], float(weights.shape)));
  }
  contributeBias(context, error);
}

/** Through the moments as well where they are those of the input; else they are constants of the layer. */
function batchNorm(context: GradientContext<'batch_norm'>): void {
  const { attrs, ins, error, emit } = context;
  const [x, moments, gamma] = ins as [Value, Value, Value];
  const channels = gamma.shape[0]!;
  const operands = ins.map((value) => value!.id);
  const type: TensorType = float([2, channels]);
  const ofBatch = context.producer(moments.id);
  const isOwn = ofBatch?.op === 'batch_moments' && ofBatch.ins[0] === x.id;
  if (!isOwn && context.wants(1)) {
    fail('RV2008', 'batch_norm has no gradient for moments of other values', {
      origin: describeOrigin(context.node.origin),
    });
  }
  const sums = emit('batch_norm_parameter_gradient', attrs, [...operands, error], type);
  if (context.wants(0)) {
    const passed = isOwn ? sums : context.constant(type, new Float32Array(2 * channels));
    context.contribute(
      0,
      emit('batch_norm_input_gradient', attrs, [...operands, error, passed], float(x.shape)),
    );
  }
  for (const [row, operand] of [
    [0, 2],
    [1, 3],
  ] as const) {
    if (!context.wants(operand)) continue;
    const part = emit('slice', { begin: [row, 0], strides: [1, 1] }, [sums], float([1, channels]));
    context.contribute(operand, emit('reshape', {}, [part], float([channels])));
  }
}
