import { type Ranges, rangesOf } from '../analysis/ranges.ts';
import type { TypedArray } from '../core/dtype.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  elementCount,
  type Graph,
  type Node,
  type TensorType,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { viewOf } from '../ops/view.ts';
import { channelsOf } from './channel-links.ts';
import { foldedBias, type KeptChannels, keptChannels } from './removable-channels.ts';
import { RemovalLog } from './removal-log.ts';
import type { Pass } from './rewrite.ts';

/** Each looks at all weights. One does for the development models; a hostile file could ask for hundreds. */
const MOST_ROUNDS = 16;

/**
 * Channels that hold one value for every possible input, and channels that reach no output, are not computed. What a
 * constant adds to the sums of its readers goes into their biases. That a channel is constant follows from the weights
 * alone (src/analysis/ranges.ts); training with pruning or strong regularisation leaves many behind.
 */
export const removeConstantChannels: Pass = {
  name: 'remove-constant-channels',
  summary:
    'channels that are the same for every input, or that no output depends on, go; biases take up their share',
  run(graph, tell) {
    const log = new RemovalLog(graph);
    let current = graph;
    // A channel that goes may have been the last reader of another.
    for (let round = 0; round < MOST_ROUNDS; ++round) {
      const ranges = rangesOf(current);
      if (ranges === null) break;
      const kept = keptChannels(current, ranges);
      if (kept.size === 0) break;
      log.add(current, ranges, kept);
      current = withKept(current, ranges, kept);
    }
    if (tell !== undefined) for (const removed of log.removed(current)) tell(removed);
    return current;
  },
};

/** The graph with only the channels `kept` of the values named there. */
function withKept(graph: Graph, ranges: Ranges, kept: KeptChannels): Graph {
  const builder = GraphBuilder.from(graph);
  for (const [id, channels] of kept) {
    const value = builder.value(id);
    builder.redefine({ ...value, ...sliced(value, value.shape.length - 1, channels) });
  }
  for (const node of graph.nodes) builder.push(narrowed(graph, node, ranges, kept, builder));
  return builder.build(graph.outputs);
}

/** The node with the parameters that belong to the channels that stay; others than convolutions have none. */
function narrowed(graph: Graph, node: Node, ranges: Ranges, kept: KeptChannels, builder: GraphBuilder): Node {
  const outputs = kept.get(node.outs[0]!);
  const inputs = kept.get(node.ins[0] ?? -1);
  if (outputs === undefined && inputs === undefined) return node;
  const view = viewOf(graph, node);
  const [x, weights, bias] = view.ins as [Value, Value | undefined, Value | null | undefined];
  switch (node.op) {
    case 'depthwise_conv2d': {
      const filter = constant(
        builder,
        weights!,
        outputs === undefined ? weights! : sliced(weights!, 3, outputs),
      );
      const sums = bias ? Array.from(bias.data as Int32Array) : undefined;
      return { ...node, ins: [node.ins[0]!, filter, biasConstant(builder, bias, sums, outputs)] };
    }
    case 'conv2d':
    case 'transpose_conv2d':
    case 'fully_connected': {
      const last = weights!.shape.length - 1;
      const columns = inputs && columnsOf(weights!.shape[last]!, channelsOf(x.shape), inputs);
      const shorter = columns === undefined ? weights! : { ...weights!, ...sliced(weights!, last, columns) };
      const filter = outputs === undefined ? shorter : sliced(shorter, 0, outputs);
      const stays = new Set(inputs);
      const going = new Set(
        inputs && Array.from({ length: channelsOf(x.shape) }, (_, c) => c).filter((c) => !stays.has(c)),
      );
      const sums = foldedBias(view, ranges.channels(x.id), going);
      const folded = bias || sums.some((sum) => sum !== 0) ? sums : undefined;
      return {
        ...node,
        ins: [
          node.ins[0]!,
          constant(builder, weights!, filter),
          biasConstant(builder, bias, folded, outputs),
        ],
      };
    }
    default:
      return node;
  }
}

type Data = TensorType & { readonly data?: TypedArray };

function constant(
  builder: GraphBuilder,
  { name }: Value,
  { shape, dtype, quantization, data }: Data,
): ValueId {
  return builder.constant(name, { shape, dtype, ...(quantization && { quantization }) }, data!);
}

/** The bias `sums` of the `outputs` that stay; null where there is none. The scale of a bias says nothing new. */
function biasConstant(
  builder: GraphBuilder,
  bias: Value | null | undefined,
  sums: readonly number[] | undefined,
  outputs: readonly number[] | undefined,
): ValueId | null {
  if (sums === undefined) return null;
  const data = Int32Array.from(outputs === undefined ? sums : outputs.map((o) => sums[o]!));
  return builder.constant(bias?.name ?? 'bias', { shape: [data.length], dtype: 'int32' }, data);
}

/** Columns of weights over `count` input channels, again and again, that belong to the channels `staying`. */
function columnsOf(columns: number, count: number, staying: readonly number[]): number[] {
  const stays = new Set(staying);
  return Array.from({ length: columns }, (_, column) => column).filter((column) => stays.has(column % count));
}

/** Indices `staying` of a value along `axis`: of its shape, its data and scales that lie along that axis. */
function sliced({ shape, dtype, quantization, data }: Data, axis: number, staying: readonly number[]): Data {
  const type: TensorType = {
    shape: shape.with(axis, staying.length),
    dtype,
    ...(quantization && {
      quantization:
        quantization.scales.length > 1 && quantization.axis === axis
          ? {
              axis,
              scales: staying.map((i) => quantization.scales[i]!),
              zeroPoints: staying.map((i) => quantization.zeroPoints[i]!),
            }
          : quantization,
    }),
  };
  if (data === undefined) return type;
  const inner = elementCount(shape.slice(axis + 1));
  const count = shape[axis]!;
  const stays = new Set(staying);
  return {
    ...type,
    data: data.filter((_: number | bigint, i: number) => stays.has(Math.floor(i / inner) % count)),
  };
}
