import type { Graph, NodeOf, Shape, Value } from '../ir/types.ts';
import { type Pass, Rewriter } from './rewrite.ts';

/**
 * Transposes that move no byte become reshapes, chains of transposes become one, and MEAN after a transpose averages the
 * untransposed axes instead (integer sums do not depend on order), so that exporters' NHWC -> NCHW detours vanish.
 */
export const eliminateTranspose: Pass = {
  name: 'eliminate-transpose',
  summary: 'transposes are merged, moved behind MEAN, or turned into reshapes where no byte moves',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    const transposes: Transposes = new Map();
    for (const node of graph.nodes) {
      if (node.op === 'transpose') rewriteTranspose(node, transposes, rewriter);
      else if (node.op === 'mean') rewriteMean(node, transposes, rewriter);
      else rewriter.keep(node);
    }
    return rewriter.finish();
  },
};

/** By result. */
type Transposes = Map<number, NodeOf<'transpose'>>;

function rewriteTranspose(node: NodeOf<'transpose'>, transposes: Transposes, rewriter: Rewriter): void {
  const before = transposes.get(node.ins[0]!);
  const source = before === undefined ? node.ins[0]! : before.ins[0]!;
  const permutation = node.attrs.permutation.map((axis) => before?.attrs.permutation[axis] ?? axis);
  const out = node.outs[0]!;
  if (movesNothing(rewriter.value(source).shape, permutation)) {
    transposes.delete(out);
    rewriter.add('reshape', {}, [source], [out], node.origin);
  } else {
    const merged: NodeOf<'transpose'> = { ...node, ins: [source], attrs: { permutation } };
    transposes.set(out, merged);
    rewriter.keep(merged);
  }
}

function rewriteMean(node: NodeOf<'mean'>, transposes: Transposes, rewriter: Rewriter): void {
  const before = transposes.get(node.ins[0]!);
  const source = before && rewriter.value(before.ins[0]!);
  const axes =
    before && node.attrs.axes.map((axis) => before.attrs.permutation[axis]!).toSorted((a, b) => a - b);
  if (!source || !axes || axes.some((axis, i) => i > 0 && axis !== axes[i - 1]! + 1)) {
    rewriter.keep(node);
    return;
  }
  const output = rewriter.value(node.outs[0]!);
  const kept = source.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = before.attrs.permutation.filter((axis) => !axes.includes(axis));
  const averaged = between(
    rewriter,
    output,
    'mean',
    kept.map((axis) => source.shape[axis]!),
  );
  rewriter.add('mean', { axes }, [source.id], [averaged.id], node.origin);
  const permutation = order.map((axis) => kept.indexOf(axis));
  if (movesNothing(averaged.shape, permutation)) {
    rewriter.add('reshape', {}, [averaged.id], [output.id], node.origin);
    return;
  }
  // The transpose now comes after the mean, where it is smaller and may vanish with the next one.
  const shape = permutation.map((axis) => averaged.shape[axis]!);
  const direct = shape.length === output.shape.length && shape.every((size, i) => size === output.shape[i]);
  const transposed = direct ? output : between(rewriter, output, 'transpose', shape);
  const transpose: NodeOf<'transpose'> = {
    op: 'transpose',
    attrs: { permutation },
    ins: [averaged.id],
    outs: [transposed.id],
    origin: node.origin,
  };
  transposes.set(transposed.id, transpose);
  rewriter.keep(transpose);
  if (!direct) rewriter.add('reshape', {}, [transposed.id], [output.id], node.origin);
}

function between(rewriter: Rewriter, output: Value, suffix: string, shape: Shape): Value {
  const { id: _, data: __, ...type } = output;
  return rewriter.value(rewriter.activation(`${output.name}/${suffix}`, { ...type, shape }));
}

/** Dimensions larger than 1 keep their order. */
function movesNothing(shape: Shape, permutation: readonly number[]): boolean {
  const moving = permutation.filter((axis) => shape[axis] !== 1);
  return moving.every((axis, i) => i === 0 || axis > moving[i - 1]!);
}
