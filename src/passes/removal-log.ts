/** What went and why: the proof that a person can follow, for the report. */
import { hull, type Interval, isPoint } from '../analysis/interval.ts';
import type { Ranges } from '../analysis/ranges.ts';
import type { OpName } from '../ir/attributes.ts';
import type { Graph, Node, Origin, ValueId } from '../ir/types.ts';
import { macsOf } from '../ops/view.ts';
import { channelsOf } from './channel-links.ts';
import type { KeptChannels } from './removable-channels.ts';

/** What one operator no longer computes. */
export interface RemovedChannels {
  readonly origin: Origin;
  /** Output channels that went, as the model counts them; none where only the input became narrower. */
  readonly channels: readonly number[];
  /** Output channels in the model. */
  readonly of: number;
  /** Multiply-accumulates of the operator in the model, and how many of them are saved. */
  readonly macs: number;
  readonly macsSaved: number;
  /** Why every input gives the same outputs as before, in words. */
  readonly proof: string;
}

/** A channel that went and what it could have held. */
interface Gone {
  readonly channel: number;
  readonly range: Interval;
  readonly accumulator: Interval | undefined;
}

/** Operators that sum over their input channels. */
const SUMMING: ReadonlySet<OpName> = new Set(['conv2d', 'transpose_conv2d', 'fully_connected']);

/** Values that a proof names one by one. */
const MOST_VALUES = 3;

export class RemovalLog {
  private readonly graph: Graph;
  private readonly gone = new Map<ValueId, Gone[]>();
  /** Of values that have lost channels: the model's index of each that is left. */
  private readonly left = new Map<ValueId, readonly number[]>();

  /** @param graph as it was before any channel went */
  constructor(graph: Graph) {
    this.graph = graph;
  }

  /** `graph`, with these ranges, loses all channels but `kept`. */
  add(graph: Graph, ranges: Ranges, kept: KeptChannels): void {
    for (const node of graph.nodes) {
      const id = node.outs[0]!;
      const staying = kept.get(id);
      if (staying === undefined) continue;
      const channels = ranges.channels(id);
      const left = this.left.get(id) ?? channels.map((_, c) => c);
      const stays = new Set(staying);
      const going = channels.flatMap((range, c): Gone[] =>
        stays.has(c) ? [] : [{ channel: left[c]!, range, accumulator: ranges.accumulators(node)?.[c] }],
      );
      this.gone.set(id, [...(this.gone.get(id) ?? []), ...going]);
      this.left.set(
        id,
        staying.map((c) => left[c]!),
      );
    }
  }

  /** One entry for each operator that computes less in `result`, in execution order. */
  removed(result: Graph): RemovedChannels[] {
    const macsAfter = new Map(result.nodes.map((node) => [node.outs[0]!, macsOf(result, node)]));
    return this.graph.nodes.flatMap((node): RemovedChannels[] => {
      const id = node.outs[0]!;
      const gone = this.gone.get(id) ?? [];
      const macs = macsOf(this.graph, node);
      const macsSaved = macs - macsAfter.get(id)!;
      if (gone.length === 0 && macsSaved === 0) return [];
      return [
        {
          origin: node.origin,
          channels: gone.map(({ channel }) => channel).toSorted((a, b) => a - b),
          of: channelsOf(this.graph.values.get(id)!.shape),
          macs,
          macsSaved,
          proof: [...proofsOf(gone), ...this.foldedInto(node)].join('; '),
        },
      ];
    });
  }

  /** What became of input channels that went. */
  private foldedInto(node: Node): string[] {
    const lost = SUMMING.has(node.op) ? (this.gone.get(node.ins[0]!)?.length ?? 0) : 0;
    return lost === 0 ? [] : [`${lost} input channels fewer, their share is in the bias`];
  }
}

function proofsOf(gone: readonly Gone[]): string[] {
  const constant = gone.filter(({ range }) => isPoint(range));
  const byValue = new Map<number, Gone[]>();
  for (const channel of constant) {
    byValue.set(channel.range.lo, [...(byValue.get(channel.range.lo) ?? []), channel]);
  }
  const groups = [...byValue].toSorted(([, a], [, b]) => b.length - a.length);
  const named = groups.slice(0, MOST_VALUES).map(([value, channels]) => {
    const accumulators = channels.flatMap(({ accumulator }) => (accumulator ? [accumulator] : []));
    const within = accumulators.length === 0 ? '' : `, accumulators within ${describe(hull(accumulators))}`;
    return `${channels.length} always ${value}${within}`;
  });
  const others = groups.slice(MOST_VALUES).reduce((sum, [, channels]) => sum + channels.length, 0);
  const varying = gone.length - constant.length;
  return [
    ...named,
    ...(others > 0 ? [`${others} always another value`] : []),
    ...(varying > 0 ? [`${varying} reach no output: whatever they hold, their readers give the same`] : []),
  ];
}

function describe({ lo, hi }: Interval): string {
  return `[${lo}, ${hi}]`;
}
