/** Operators that move elements or name them anew. */
import { elementCount, type Shape } from '../../ir/types.ts';
import { reshaped, sliceOf } from './constants.ts';
import { type Computed, FROM_LAST, keepsOrder, type OnnxContext, reject, TO_LAST } from './context.ts';

export function importReshape(context: OnnxContext): void {
  const wanted = context.numbers(1, 'the shape') ?? [];
  const { shape } = context.computed(0);
  renamed(context, reshaped(shape, wanted) ?? reject('RV2005', `[${shape}] as [${wanted}]`));
}

export function importFlatten(context: OnnxContext): void {
  const { shape } = context.computed(0);
  const axis = context.int('axis', 1) < 0 ? context.int('axis', 1) + shape.length : context.int('axis', 1);
  renamed(context, [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))]);
}

export function importSqueeze(context: OnnxContext): void {
  const { shape } = context.computed(0);
  const axes = context.numbers(1, 'the axes')?.map((axis) => context.axis(axis, shape.length));
  renamed(
    context,
    shape.filter((size, d) => (axes === undefined ? size !== 1 : !axes.includes(d))),
  );
}

export function importUnsqueeze(context: OnnxContext): void {
  const { shape } = context.computed(0);
  const wanted = context.numbers(1, 'the axes') ?? [];
  const rank = shape.length + wanted.length;
  const axes = new Set(wanted.map((axis) => context.axis(axis, rank)));
  const sizes = [...shape];
  renamed(
    context,
    Array.from({ length: rank }, (_, d) => (axes.has(d) ? 1 : (sizes.shift() ?? 1))),
  );
}

/** Another shape for the elements in the order of ONNX. */
function renamed(context: OnnxContext, shape: Shape): void {
  const x = context.computed(0);
  const [batch, ...planes] = x.shape;
  const flat = x.layout === 'channels-last' && shape.length === 2 && shape[0] === batch;
  if (flat && !keepsOrder(x.shape)) {
    context.emit('reshape', {}, [x.id], shape, 'flattened', planes);
    return;
  }
  const own = x.layout === 'channels-last' && keepsOrder(x.shape) ? x : context.plain(x);
  context.emit('reshape', {}, [own.id], shape, 'plain');
}

export function importTranspose(context: OnnxContext): void {
  const x = context.computed(0);
  const order = context.ints('perm') ?? x.shape.map((_, d) => x.shape.length - 1 - d);
  if (order.length !== x.shape.length || [...order].sort().some((axis, d) => axis !== d)) {
    reject('RV2002', `[${order}] is not a permutation of ${x.shape.length} dimensions`);
  }
  const shape = order.map((d) => x.shape[d]!);
  const is = (other: readonly number[]): boolean => order.join() === other.join();
  // What a transposition only puts the way it lies already is another name for it.
  if (x.layout === 'channels-last' && is(TO_LAST)) {
    context.result({ computed: { ...x, shape, layout: 'plain' } });
  } else if (x.layout === 'plain' && is(FROM_LAST)) {
    context.result({ computed: { ...x, shape, layout: 'channels-last' } });
  } else {
    context.emit('transpose', { permutation: order }, [context.plain(x).id], shape, 'plain');
  }
}

export function importConcat(context: OnnxContext): void {
  const all = Array.from({ length: context.operands }, (_, i) => context.computed(i));
  const rank = all[0]!.shape.length;
  const axis = context.axis(context.int('axis', 0), rank);
  const last = rank === 4 && all.some(({ layout }) => layout === 'channels-last');
  const ins = all.map((x, i) => (last ? context.channelsLast(i) : context.plain(x)));
  const shape = ins[0]!.shape.map((size, d) =>
    d === axis ? ins.reduce((sum, x) => sum + (x.shape[d] ?? 0), 0) : size,
  );
  context.emit(
    'concat',
    { axis: stored(axis, last) },
    ins.map(({ id }) => id),
    shape,
    last ? 'channels-last' : 'plain',
  );
}

export function importPad(context: OnnxContext): void {
  if (context.text('mode', 'constant') !== 'constant') {
    reject('RV2002', `padding in the mode ${context.text('mode', '')} is not supported`);
  }
  const x = unflattened(context);
  const rank = x.shape.length;
  const sizes = context.numbers(1, 'the padding') ?? [];
  const axes =
    context.numbers(3, 'the axes')?.map((axis) => context.axis(axis, rank)) ?? x.shape.map((_, d) => d);
  if (sizes.length !== 2 * axes.length || sizes.some((n) => !(n >= 0))) {
    reject('RV2002', `the padding [${sizes}] of ${axes.length} dimensions`);
  }
  const at = (offset: number) => (d: number) => sizes[axes.indexOf(d) + offset] ?? 0;
  const side = (offset: number): number[] => x.shape.map((_, d) => (axes.includes(d) ? at(offset)(d) : 0));
  const [before, after] = [side(0), side(axes.length)];
  const value = context.numbers(2, 'the padding value')?.[0] ?? 0;
  const shape = x.shape.map((size, d) => before[d]! + size + after[d]!);
  const attrs = { before: storedSizes(before, x), after: storedSizes(after, x), value };
  context.emit('pad', attrs, [x.id], shape, x.layout);
}

export function importSlice(context: OnnxContext): void {
  const x = unflattened(context);
  const [starts = [], ends = [], axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((what, i) =>
    context.numbers(i + 1, `the list of ${what}`),
  );
  const [begin, strides, shape] = [x.shape.map(() => 0), x.shape.map(() => 1), [...x.shape]];
  starts.forEach((start, i) => {
    const d = context.axis(axes?.[i] ?? i, x.shape.length);
    const step = steps?.[i] ?? 1;
    if (step === 0) reject('RV2002', 'a step of 0');
    const { first, count } = sliceOf(x.shape[d]!, start, ends[i] ?? 0, step);
    [begin[d], strides[d], shape[d]] = [first, step, count];
  });
  const attrs = { begin: storedSizes(begin, x), strides: storedSizes(strides, x) };
  context.emit('slice', attrs, [x.id], shape, x.layout);
}

export function importSplit(context: OnnxContext): void {
  const x = unflattened(context);
  const axis = context.axis(context.int('axis', 0), x.shape.length);
  const parts = context.node.outputs.length;
  const even = Math.ceil(x.shape[axis]! / parts);
  const sizes =
    context.numbers(1, 'the sizes') ??
    context.node.outputs.map((_, i) => Math.min(even, x.shape[axis]! - i * even));
  if (sizes.length !== parts || sizes.reduce((a, b) => a + b, 0) !== x.shape[axis]) {
    reject('RV2005', `[${sizes}] of [${x.shape}] in ${parts} parts`);
  }
  let start = 0;
  sizes.forEach((size, i) => {
    const begin = x.shape.map((_, d) => (d === axis ? start : 0));
    const shape = x.shape.map((n, d) => (d === axis ? size : n));
    const attrs = { begin: storedSizes(begin, x), strides: x.shape.map(() => 1) };
    const part = context.emitAs('slice', attrs, [x.id], shape, x.layout, context.node.outputs[i]);
    context.result({ computed: part }, i);
    start += size;
  });
}

export function importResize(context: OnnxContext): void {
  const x = context.channelsLast(0);
  const sizes = context.numbers(3, 'the sizes');
  const scales = context.numbers(2, 'the scales') ?? [];
  const shape =
    sizes?.length === 4 ? sizes : x.shape.map((size, d) => Math.floor(size * (scales[d] ?? Number.NaN)));
  if (shape[0] !== x.shape[0] || shape[1] !== x.shape[1]) {
    reject('RV2002', `[${x.shape}] resized to [${shape}]: rows and columns alone can be`);
  }
  const mode = context.text('mode', 'nearest');
  const how = context.text('coordinate_transformation_mode', 'half_pixel');
  const rounding = context.text('nearest_mode', 'round_prefer_floor');
  const whole = [2, 3].every((d) => shape[d]! % x.shape[d]! === 0);
  if (mode === 'nearest') {
    // Repeated by a whole factor, all ways of rounding are one.
    const floor = how === 'asymmetric' && rounding === 'floor';
    if (!floor && !(whole && how !== 'align_corners' && (how !== 'asymmetric' || rounding === 'floor'))) {
      reject('RV2002', `nearest neighbours with ${how} and ${rounding} are not supported`);
    }
    const attrs = { alignCorners: false, halfPixelCenters: false };
    context.emit('resize_nearest', attrs, [x.id], shape, 'channels-last');
    return;
  }
  const known = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'].includes(how);
  if (mode !== 'linear' || !known) reject('RV2002', `resizing by ${mode} with ${how} is not supported`);
  context.emit(
    'resize_bilinear',
    { alignCorners: how === 'align_corners', halfPixelCenters: how.endsWith('half_pixel') },
    [x.id],
    shape,
    'channels-last',
  );
}

function unflattened(context: OnnxContext): Computed {
  const x = context.computed(0);
  return x.layout === 'flattened' ? context.plain(x) : x;
}

function stored(axis: number, last: boolean): number {
  return last ? (TO_LAST as readonly number[]).indexOf(axis) : axis;
}

function storedSizes(sizes: readonly number[], { layout }: Computed): number[] {
  return layout === 'channels-last' ? TO_LAST.map((d) => sizes[d]!) : [...sizes];
}
