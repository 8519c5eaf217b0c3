import type { Value } from '../../ir/types.ts';
import type { ImportContext, TfliteImporter } from '../import-context.ts';
import { sameShape } from '../strided.ts';

export const importSlice: TfliteImporter<'SLICE'> = (_, context) => {
  const [x, y] = [context.operand(0), context.result()];
  const begin = context.constant(1, 'the begin of a slice');
  const size = context.constant(2, 'the size of a slice');
  const shape = x.shape.map((n, d) => (size[d] === -1 ? n - (begin[d] ?? 0) : size[d]!));
  expectShape(context, y, shape);
  context.node('slice', { begin, strides: x.shape.map(() => 1) }, [x], [y]);
};

export const importSplit: TfliteImporter<'SPLIT'> = (_, context) => {
  split(context, context.operand(1), context.constant(0, 'the axis of a split'));
};

export const importSplitV: TfliteImporter<'SPLIT_V'> = (_, context) => {
  split(context, context.operand(0), context.constant(2, 'the axis of a split'));
};

/** One slice an output; together the outputs must be the input. */
function split(context: ImportContext, x: Value, [axisInFile]: readonly number[]): void {
  const axis = context.axis(axisInFile ?? Number.NaN, x.shape.length);
  let start = 0;
  for (const y of context.outs) {
    const begin = x.shape.map((_, d) => (d === axis ? start : 0));
    expectShape(
      context,
      y,
      x.shape.map((size, d) => (d === axis ? (y.shape[axis] ?? 0) : size)),
    );
    context.node('slice', { begin, strides: x.shape.map(() => 1) }, [x], [y]);
    start += y.shape[axis]!;
  }
  if (start !== x.shape[axis]) {
    context.reject('RV2005', `the parts have ${start} of the ${x.shape[axis]} elements along axis ${axis}`);
  }
}

/** `StridedSliceStartForAxis` and `StridedSliceEndForAxis` of TFLite, one dimension after the other. */
export const importStridedSlice: TfliteImporter<'STRIDED_SLICE'> = ({ options }, context) => {
  if (options.ellipsisMask !== 0 || options.newAxisMask !== 0) {
    context.reject(
      'RV2002',
      'ellipsis and new-axis masks are not supported',
      'write the slice out per dimension',
    );
  }
  const [x, y] = [context.operand(0), context.result()];
  const begin = context.constant(1, 'the begin of a slice');
  const end = context.constant(2, 'the end of a slice');
  const steps = context.constant(3, 'the strides of a slice');
  const ranges = x.shape.map((size, d): Range => {
    if (d >= begin.length) return { first: 0, stride: 1, count: size };
    const [from, to, stride] = [begin[d]!, end[d], steps[d]];
    if (to === undefined || stride === undefined || stride === 0) {
      return context.reject('RV2002', `the slice has no end or no stride in dimension ${d}`);
    }
    const has = (mask: number): boolean => ((mask >> d) & 1) === 1;
    const first = has(options.beginMask) ? edge(size, -stride) : bound(from, size, stride);
    if (has(options.shrinkAxisMask)) return { first, stride: 1, count: 1 };
    const relative = options.offset ? to + first : to;
    const last = has(options.endMask)
      ? edge(size, stride) + Math.sign(stride)
      : bound(relative, size, stride);
    return { first, stride, count: Math.max(0, Math.ceil((last - first) / stride)) };
  });
  const full = ranges.map(({ count }) => count);
  expectShape(
    context,
    y,
    full.filter((_, d) => ((options.shrinkAxisMask >> d) & 1) === 0),
  );
  const attrs = { begin: ranges.map(({ first }) => first), strides: ranges.map(({ stride }) => stride) };
  if (options.shrinkAxisMask === 0) {
    context.node('slice', attrs, [x], [y]);
    return;
  }
  const { dtype, quantization } = y;
  const kept = context.between('kept', { shape: full, dtype, ...(quantization && { quantization }) });
  context.node('slice', attrs, [x], [kept]);
  context.node('reshape', {}, [kept], [y]);
};

interface Range {
  readonly first: number;
  readonly stride: number;
  readonly count: number;
}

/** The last element in the direction of `stride`. */
function edge(size: number, stride: number): number {
  return stride > 0 ? size - 1 : 0;
}

/** An index, negative from the end, within what a walk in this direction can reach or stop at. */
function bound(index: number, size: number, stride: number): number {
  const absolute = index < 0 ? index + size : index;
  const [lowest, highest] = stride > 0 ? [0, size] : [-1, size - 1];
  return Math.min(highest, Math.max(lowest, absolute));
}

function expectShape(context: ImportContext, y: Value, expected: readonly number[]): void {
  if (sameShape(y.shape, expected)) return;
  context.reject('RV2005', `the output is [${y.shape}] where [${expected}] follows from the slice`);
}
