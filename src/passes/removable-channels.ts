/** Which channels of a graph can go: the ones whose absence no output can tell, whole classes of them at a time. */
import type { Interval } from '../analysis/interval.ts';
import { isPoint } from '../analysis/interval.ts';
import type { Ranges } from '../analysis/ranges.ts';
import { INT32_MAX, INT32_MIN } from '../core/fixedpoint.ts';
import type { OpName } from '../ir/attributes.ts';
import { type Graph, type Node, requireValue, type ValueId } from '../ir/types.ts';
import { biasOf } from '../ops/convolution.ts';
import type { NodeView } from '../ops/definition.ts';
import { zeroPointOf } from '../ops/quantization.ts';
import { viewOf } from '../ops/view.ts';
import { type ChannelLinks, channelLinksOf, channelsOf } from './channel-links.ts';

/**
 * Kernels for cores with DSP instructions take input channels in fours and output channels in pairs, and end with slower
 * code for what is left over. A few constant channels stay where they make the count a multiple of this. It also keeps one
 * scale of a dense layer's many from becoming the only one, which would be rounded by another rule (docs/numerics.md, 2).
 */
const GRANULE = 4;

/** For each value that loses channels, the ones that stay, ascending. */
export type KeptChannels = ReadonlyMap<ValueId, readonly number[]>;

/**
 * Channels that are linked through operators which work channel by channel go together or not at all. A class of them can
 * go if every operator that sums over one of them can do without: it has only zero weights for it, or it is the same for
 * every input and its share can be put into the bias. Values in between need not be constant: nobody else reads them.
 */
export function keptChannels(graph: Graph, ranges: Ranges): KeptChannels {
  return new Selection(graph, ranges).run();
}

interface Linked {
  readonly node: Node;
  readonly view: NodeView<OpName>;
  readonly links: ChannelLinks;
}

class Selection {
  private readonly graph: Graph;
  private readonly ranges: Ranges;
  private readonly nodes: readonly Linked[];
  /** A number for every channel of every value: `first` of the value plus the channel. */
  private readonly first = new Map<ValueId, number>();
  private readonly classes: Classes;

  constructor(graph: Graph, ranges: Ranges) {
    this.graph = graph;
    this.ranges = ranges;
    this.nodes = graph.nodes.map((node) => {
      const view = viewOf(graph, node);
      return { node, view, links: channelLinksOf(node, view) };
    });
    let count = 0;
    for (const { id, shape } of graph.values.values()) {
      this.first.set(id, count);
      count += channelsOf(shape);
    }
    this.classes = new Classes(count);
  }

  run(): KeptChannels {
    for (const linked of this.nodes) this.couple(linked);
    for (const id of [...this.graph.inputs, ...this.graph.outputs]) this.keepAll(id);
    for (const linked of this.nodes) this.keepNeeded(linked);
    while (this.fillGranules() || this.nodes.some((linked) => this.keepOverflowing(linked)));
    const kept = new Map<ValueId, readonly number[]>();
    for (const { id } of this.graph.values.values()) {
      const channels = this.channels(id);
      const staying = channels.filter((c) => this.stays(id, c));
      if (staying.length < channels.length) kept.set(id, staying);
    }
    return kept;
  }

  private couple({ node, links }: Linked): void {
    links.operands.forEach((link, i) => {
      if (link.kind !== 'coupled') return;
      link.from.forEach((channel, output) => {
        if (channel >= 0)
          this.classes.join(this.atom(node.outs[0]!, output), this.atom(node.ins[i]!, channel));
      });
    });
  }

  private keepNeeded(linked: Linked): void {
    const { node, links } = linked;
    if (!links.sheds) this.keepAll(node.outs[0]!);
    links.operands.forEach((link, i) => {
      const id = node.ins[i] ?? null;
      if (id === null || link.kind === 'coupled') return;
      if (link.kind === 'needed') this.keepAll(id);
      else for (const c of this.unabsorbed(linked, link.padded)) this.keep(id, c);
    });
  }

  /** Channels of the first operand that a summing operator cannot do without. */
  private unabsorbed({ node, view }: Linked, padded: boolean): number[] {
    const [x, weights] = [view.ins[0]!, view.ins[1]!];
    const count = channelsOf(x.shape);
    const read = new Set<number>();
    weights.data!.forEach((w: number | bigint, i: number) => {
      if (w !== 0) read.add(i % count);
    });
    const ranges = this.ranges.channels(node.ins[0]!);
    const zero = zeroPointOf(x);
    return [...read].filter((c) => !isPoint(ranges[c]!) || (padded && ranges[c]!.lo !== zero));
  }

  /** Keeps channels until every value has a multiple of GRANULE of them, or all; true if there were any to keep. */
  private fillGranules(): boolean {
    let changed = false;
    for (const { id } of this.graph.values.values()) {
      const going = this.channels(id).filter((c) => !this.stays(id, c));
      if (going.length === 0) continue;
      let staying = channelsOf(requireValue(this.graph, id).shape) - going.length;
      for (const c of going) {
        if (staying > 0 && staying % GRANULE === 0) break;
        if (this.stays(id, c)) continue;
        this.keep(id, c);
        staying = this.channels(id).filter((other) => this.stays(id, other)).length;
        changed = true;
      }
    }
    return changed;
  }

  /** Keeps what a node would put into its bias if that left int32; true if it did. */
  private keepOverflowing({ node, view, links }: Linked): boolean {
    if (links.operands[0]?.kind !== 'summed') return false;
    const id = node.ins[0]!;
    const going = this.channels(id).filter((c) => !this.stays(id, c));
    if (going.length === 0) return false;
    const fits = foldedBias(view, this.ranges.channels(id), new Set(going)).every(
      (sum) => sum >= INT32_MIN && sum <= INT32_MAX,
    );
    if (!fits) for (const c of going) this.keep(id, c);
    return !fits;
  }

  private channels(id: ValueId): number[] {
    return Array.from({ length: channelsOf(requireValue(this.graph, id).shape) }, (_, c) => c);
  }

  private atom(id: ValueId, channel: number): number {
    return this.first.get(id)! + channel;
  }

  private stays(id: ValueId, channel: number): boolean {
    return this.classes.isKept(this.atom(id, channel));
  }

  private keep(id: ValueId, channel: number): void {
    this.classes.keep(this.atom(id, channel));
  }

  private keepAll(id: ValueId): void {
    for (const c of this.channels(id)) this.keep(id, c);
  }
}

/**
 * The bias of a summing operator that takes up its constant input channels `going`: b + Σ w · (c − Z_in), exactly. Channels
 * that are not constant have only zero weights, and for padded operators the constant is Z_in itself: they add nothing.
 * @param x intervals by channel of the first operand
 * @returns one number an output channel, which may leave int32
 */
export function foldedBias(
  { ins }: NodeView<OpName>,
  x: readonly Interval[],
  going: ReadonlySet<number>,
): number[] {
  const [input, weights, bias] = [ins[0]!, ins[1]!, ins[2]];
  const filter = weights.data as Int8Array;
  const outputs = weights.shape[0]!;
  const perOutput = filter.length / outputs;
  const zero = zeroPointOf(input);
  const steps = x.map((channel, c) => (going.has(c) ? channel.lo - zero : 0));
  return Array.from(biasOf(bias, outputs), (b, o) => {
    const own = filter.subarray(o * perOutput, (o + 1) * perOutput);
    return own.reduce((sum, w, i) => sum + w * steps[i % steps.length]!, b);
  });
}

/** Disjoint sets of numbers, each of which stays or goes as a whole; joined first, and all go until they are kept. */
class Classes {
  private readonly parent: Int32Array;
  /** By representative. */
  private readonly kept: Uint8Array;

  constructor(count: number) {
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.kept = new Uint8Array(count);
  }

  join(a: number, b: number): void {
    this.parent[this.find(a)] = this.find(b);
  }

  keep(i: number): void {
    this.kept[this.find(i)] = 1;
  }

  isKept(i: number): boolean {
    return this.kept[this.find(i)] === 1;
  }

  private find(i: number): number {
    let at = i;
    while (this.parent[at] !== at) {
      this.parent[at] = this.parent[this.parent[at]!]!;
      at = this.parent[at]!;
    }
    return at;
  }
}
