/** Operators with windows: convolutions and pools. */
import type { Padding, Pair } from '../../ir/attributes.ts';
import type { Shape } from '../../ir/types.ts';
import { windowOutput } from '../../ops/convolution.ts';
import { UNBOUNDED } from '../../ops/float.ts';
import { type KnownTensor, permuted } from './constants.ts';
import { type Computed, type OnnxContext, reject, requireAxis } from './context.ts';

interface Window {
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
  /** Of the result. */
  readonly size: Pair;
}

export function importConv(context: OnnxContext): void {
  const x = context.channelsLast(0);
  const weights = weightsOf(context, 0);
  const [outputs, depth, ...kernel] = weights.shape as [number, number, number, number];
  const [batch, channels] = x.shape as [number, number];
  const groups = context.int('group', 1);
  if (depth * groups !== channels || outputs % groups !== 0) {
    reject('RV2005', `weights [${weights.shape}] in ${groups} groups for an input of [${x.shape}]`);
  }
  const { size, ...window } = windowOf(context, x.shape, kernel);
  // Weights [channels * multiplier, 1, kh, kw] -> [1, kh, kw, channels * multiplier]; of others, inputs go last.
  const depthwise = depth === 1 && groups > 1;
  const w = context.constant('weights', permuted(weights, depthwise ? [1, 2, 3, 0] : [0, 2, 3, 1]));
  context.emit(
    depthwise ? 'depthwise_conv2d' : 'conv2d',
    { ...window, clamp: UNBOUNDED },
    [x.id, w.id, biasOf(context, 2)],
    [batch, outputs, ...size],
    'channels-last',
  );
}

export function importConvTranspose(context: OnnxContext): void {
  const x = context.channelsLast(0);
  const weights = weightsOf(context, 1);
  const [inputs, outputs, ...kernel] = weights.shape as [number, number, number, number];
  if (context.int('group', 1) !== 1 || inputs !== x.shape[1]) {
    reject('RV2002', `weights [${weights.shape}] in ${context.int('group', 1)} groups`);
  }
  if ((context.ints('dilations') ?? []).some((d) => d !== 1) || context.ints('output_shape')) {
    reject('RV2002', 'dilations and output shapes of transposed convolutions are not supported');
  }
  const [top = 0, left = 0, bottom = 0, right = 0] = padsOf(context);
  const stride = pair(context.ints('strides'), 1);
  const more = pair(context.ints('output_padding'), 0);
  const size = [0, 1].map((d) => {
    const pads = d === 0 ? top + bottom : left + right;
    return (x.shape[d + 2]! - 1) * stride[d]! + kernel[d]! - pads + more[d]!;
  });
  const w = context.constant('weights', permuted(weights, [1, 2, 3, 0]));
  context.emit(
    'transpose_conv2d',
    { stride, padding: [top, bottom, left, right], clamp: UNBOUNDED },
    [x.id, w.id, biasOf(context, 2)],
    [x.shape[0]!, outputs, ...size],
    'channels-last',
  );
}

export function importPool(op: 'max_pool2d' | 'average_pool2d') {
  return (context: OnnxContext): void => {
    const kernel = context.ints('kernel_shape') ?? reject('RV1004', 'the window has no size');
    let x = context.channelsLast(0);
    let { size, dilation, ...window } = windowOf(context, x.shape, kernel);
    if (dilation.some((d) => d !== 1)) reject('RV2002', 'dilated pools are not supported');
    if (op === 'average_pool2d' && context.int('count_include_pad', 0) !== 0) {
      x = bordered(context, x, window.padding);
      window = { ...window, padding: [0, 0, 0, 0] };
    }
    context.emit(
      op,
      { ...window, kernel: [kernel[0]!, kernel[1]!], clamp: UNBOUNDED },
      [x.id],
      [...x.shape.slice(0, 2), ...size],
      'channels-last',
    );
  };
}

/** Zeros around the picture, which count. */
function bordered(context: OnnxContext, x: Computed, [top, bottom, left, right]: Padding): Computed {
  if (top + bottom + left + right === 0) return x;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const attrs = { before: [0, top, left, 0], after: [0, bottom, right, 0], value: 0 };
  const shape = [batch, channels, top + height + bottom, left + width + right];
  return context.emitAs('pad', attrs, [x.id], shape, 'channels-last');
}

function windowOf(context: OnnxContext, shape: Shape, kernel: readonly number[]): Window {
  const [stride, dilation] = [pair(context.ints('strides'), 1), pair(context.ints('dilations'), 1)];
  if (kernel.length !== 2 || [...kernel, ...stride, ...dilation].some((n) => !(n >= 1))) {
    reject('RV2002', `a window [${kernel}] with stride [${stride}] and dilation [${dilation}]`);
  }
  const auto = context.text('auto_pad', 'NOTSET');
  const given = padsOf(context);
  const ceil = context.int('ceil_mode', 0) !== 0;
  const sides = [0, 1].map((d): readonly [number, number, number] => {
    const [input, k, s, dil] = [shape[d + 2]!, kernel[d]!, stride[d]!, dilation[d]!];
    const reach = (k - 1) * dil + 1;
    if (auto.startsWith('SAME')) {
      const total = Math.max(0, (Math.ceil(input / s) - 1) * s + reach - input);
      const before = auto === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2);
      return [before, total - before, Math.ceil(input / s)];
    }
    const [before, after] = auto === 'VALID' ? [0, 0] : [given[d] ?? 0, given[d + 2] ?? 0];
    const size = windowOutput(input, k, s, dil, before, after);
    // A last window that begins inside, but does not end there: more padding, which pools leave out.
    const rounded = Math.ceil((input + before + after - reach) / s) + 1;
    if (!ceil || rounded === size || size * s >= input + before) return [before, after, size];
    return [before, size * s + reach - input - before, rounded];
  });
  const [[top, bottom, rows], [left, right, columns]] = sides as [
    readonly [number, number, number],
    readonly [number, number, number],
  ];
  return { stride, dilation, padding: [top, bottom, left, right], size: [rows, columns] };
}

/** top, left, bottom, right */
function padsOf(context: OnnxContext): readonly number[] {
  const pads = context.ints('pads') ?? [];
  if (pads.some((n) => n < 0)) reject('RV2002', `the padding [${pads}] is negative`);
  return pads;
}

/** Weights whose output channels are in dimension `axis`. */
function weightsOf(context: OnnxContext, axis: number): KnownTensor {
  const weights = context.known(1, 'the weights');
  requireAxis(weights, axis);
  if (weights.shape.length === 4) return weights;
  return reject(
    'RV2002',
    `the weights are [${weights.shape}]; convolutions over rows and columns are supported`,
  );
}

function biasOf(context: OnnxContext, index: number): number | null {
  return context.has(index) ? context.constant('bias', context.known(index, 'the bias')).id : null;
}

function pair(values: readonly number[] | undefined, otherwise: number): Pair {
  return [values?.[0] ?? otherwise, values?.[1] ?? otherwise];
}
