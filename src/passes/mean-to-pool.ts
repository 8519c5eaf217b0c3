import { type Graph, type NodeOf, type TensorType, typeOf } from '../ir/types.ts';
import { averageOf } from '../ops/average_pool2d/reference.ts';
import { meanOf, meanParameters } from '../ops/mean/reference.ts';
import { sameQuantization } from '../ops/quantization.ts';
import { type Pass, Rewriter } from './rewrite.ts';

/** Above this many elements the proof by exhaustion would take longer than it saves. */
const MAX_WINDOW = 1024;

/**
 * MEAN over height and width becomes one average pooling where both give the same byte for every possible sum. The two
 * round differently (fixed point against exact division), so this is decided by trying every sum.
 */
export const meanToPool: Pass = {
  name: 'mean-to-pool',
  summary:
    'MEAN over height and width becomes an average pooling where every possible sum gives the same byte',
  run(graph: Graph): Graph {
    const rewriter = new Rewriter(graph);
    for (const node of graph.nodes) {
      if (node.op === 'mean' && isPooling(node, rewriter)) rewriteMean(node, rewriter);
      else rewriter.keep(node);
    }
    return rewriter.finish();
  },
};

function isPooling(node: NodeOf<'mean'>, rewriter: Rewriter): boolean {
  const input = rewriter.operands(node)[0]!;
  const output = rewriter.value(node.outs[0]!);
  const [first, second] = node.attrs.axes;
  if (input.shape.length !== 4 || node.attrs.axes.length !== 2 || first !== 1 || second !== 2) return false;
  return agree(input, output, input.shape[1]! * input.shape[2]!);
}

/** Whether exact division and the fixed-point mean give the same byte for every sum of `count` int8 values. */
function agree(input: TensorType, output: TensorType, count: number): boolean {
  if (!sameQuantization(input, output) || count > MAX_WINDOW) return false;
  const parameters = meanParameters(input, output, count);
  for (let sum = -128 * count; sum <= 127 * count; ++sum) {
    if (averageOf(sum, count) !== meanOf(sum, parameters)) return false;
  }
  return true;
}

function rewriteMean(node: NodeOf<'mean'>, rewriter: Rewriter): void {
  const input = rewriter.operands(node)[0]!;
  const output = rewriter.value(node.outs[0]!);
  const [batch, height, width, channels] = input.shape as [number, number, number, number];
  const attrs = {
    kernel: [height, width],
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    clamp: [-128, 127],
  } as const;
  if (output.shape.length === 4) {
    rewriter.add('average_pool2d', attrs, [input.id], [output.id], node.origin);
    return;
  }
  const pooled = rewriter.activation(`${output.name}/pool`, {
    ...typeOf(output),
    shape: [batch, 1, 1, channels],
  });
  rewriter.add('average_pool2d', attrs, [input.id], [pooled], node.origin);
  rewriter.add('reshape', {}, [pooled], [output.id], node.origin);
}
