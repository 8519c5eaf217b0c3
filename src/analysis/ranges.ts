/**
 * Range analysis: what every channel of every 8-bit value, and every accumulator, can be for any input whatsoever. Interval
 * arithmetic from the inputs' full range through the graph, with the real weights, biases, scales and clamps. An interval
 * may be too wide, never too narrow.
 */
import type { OpName } from '../ir/attributes.ts';
import { type Graph, type Node, requireValue, type Value, type ValueId } from '../ir/types.ts';
import { isByteType } from '../ops/bytes.ts';
import type { NodeView } from '../ops/definition.ts';
import { viewOf } from '../ops/view.ts';
import { ACCUMULATED, type Accumulated, type AccumulatingOp } from './accumulators.ts';
import { type Channels, fitsInt32, type Interval, magnitude } from './interval.ts';
import { anything, channelCount, RULES, type Rule } from './rules.ts';

export interface Ranges {
  /** By index of the last axis; none for types other than int8 and uint8. */
  channels(value: ValueId): Channels;
  /**
   * By output channel, the sum bias + Σ w · (x − Z_in) of an operator that has one (of expand_depthwise2d that of its
   * depthwise half), as integers: outside int32 the arithmetic wraps.
   */
  accumulators(node: Node): readonly Interval[] | undefined;
  /**
   * The largest magnitude of any accumulator of the node, 0 for operators without: below 2^30, x and 2x fit int32, which
   * is what the fast exact requantisation asks for.
   */
  largestAccumulator(node: Node): number;
  /** Whether an accumulator may leave int32, where C gives no guarantee. */
  overflows(node: Node): boolean;
}

/**
 * Channels of all values of a graph that is analysed. MCUNetV2-large has 72 thousand with those of its weights; a hostile
 * file of a few kilobytes can declare 64 million.
 */
const MOST_CHANNELS = 1 << 18;

const analysed = new WeakMap<Graph, Ranges | null>();

/** The ranges of a valid graph, computed once for each; null where it has so many channels that nothing is worth knowing. */
export function rangesOf(graph: Graph): Ranges | null {
  const known = analysed.get(graph);
  if (known !== undefined) return known;
  const count = [...graph.values.values()].reduce((sum, value) => sum + channelCount(value), 0);
  const ranges = count > MOST_CHANNELS ? null : analyse(graph);
  analysed.set(graph, ranges);
  return ranges;
}

function analyse(graph: Graph): Ranges {
  const channels = new Map<ValueId, Channels>();
  for (const value of graph.values.values()) {
    if (value.role !== 'activation') channels.set(value.id, held(value));
  }
  const accumulators = new Map<Node, readonly Interval[]>();
  for (const node of graph.nodes) {
    const view = viewOf(graph, node);
    const ins = node.ins.map((id) => (id === null ? [] : channels.get(id)!));
    if (!isByteType(view.outs[0]!.dtype)) {
      channels.set(node.outs[0]!, []);
    } else if (accumulates(node.op)) {
      const rule = ACCUMULATED[node.op] as (view: NodeView<OpName>, x: Channels) => Accumulated;
      const { accumulators: sums, outputs } = rule(view, ins[0]!);
      channels.set(node.outs[0]!, outputs);
      accumulators.set(node, sums);
    } else {
      // Operators of training have none, and no 8-bit results.
      const rules = RULES as Readonly<Partial<Record<OpName, Rule<OpName>>>>;
      channels.set(node.outs[0]!, rules[node.op]!(view, ins));
    }
  }
  return {
    channels: (id) => channels.get(id) ?? anything(requireValue(graph, id)),
    accumulators: (node) => accumulators.get(node),
    largestAccumulator: (node) => magnitude(accumulators.get(node) ?? []),
    overflows: (node) => !(accumulators.get(node) ?? []).every(fitsInt32),
  };
}

function accumulates(op: OpName): op is AccumulatingOp {
  return op in ACCUMULATED;
}

/** What an input or a constant can hold. */
function held(value: Value): Channels {
  const { data, dtype } = value;
  if (data === undefined || !isByteType(dtype)) return anything(value);
  const count = channelCount(value);
  const lo = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  const hi = new Array<number>(count).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < data.length; ++i) {
    const [c, element] = [i % count, data[i] as number];
    lo[c] = Math.min(lo[c]!, element);
    hi[c] = Math.max(hi[c]!, element);
  }
  return lo.map((least, c) => ({ lo: least, hi: hi[c]! }));
}
