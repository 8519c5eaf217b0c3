/**
 * SRAM against multiply-accumulates. Sets of levers are compared by the live bytes of their best cuts, which is quick;
 * those that no other set beats in both are then streamed and placed. The sets tried are prefixes: levers of a kind in
 * order of the bytes they free, and in order of bytes per MAC, combined between kinds. A heuristic: one block alone often
 * gains nothing because the next one is as large, which is why prefixes are tried and not single levers.
 */
import type { Graph } from '../ir/types.ts';
import { lower } from '../lower/lower.ts';
import { macsOf } from '../ops/view.ts';
import type { Program } from '../program/types.ts';
import { CutSearch } from '../schedule/cuts.ts';
import { pushRows } from '../schedule/push.ts';
import { type Streamed, stream } from '../schedule/stream.ts';
import { applyLevers, type Lever, leversOf } from './levers.ts';

/** A set of levers and what it is worth. */
export interface Candidate {
  readonly levers: readonly Lever[];
  readonly macs: number;
  /** Multiply-accumulates beyond those of the model, in percent. */
  readonly extraPercent: number;
  /** The most bytes live with the best cuts: the SRAM that placement approaches. */
  readonly liveBytes: number;
  readonly graph: Graph;
}

/** A candidate that has been streamed and placed. */
export interface TradeOff extends Candidate, Streamed {}

/** Sets of one kind that are tried: more prefixes than this of a large network would take minutes. */
const MAX_PREFIXES = 12;

export class TradeOffSearch {
  private readonly graph: Graph;
  private readonly pushed: boolean;
  private readonly baseMacs: number;

  /** `graph`: after all passes; `pushed`: the input comes row by row. */
  constructor(graph: Graph, pushed: boolean) {
    this.graph = graph;
    this.pushed = pushed;
    this.baseMacs = totalMacs(graph);
  }

  /** Candidates with at most `maxExtraPercent` more MACs that no other beats in both, by ascending MACs. */
  front(maxExtraPercent: number): Candidate[] {
    const candidates: Candidate[] = [];
    const seen = new Set<string>();
    for (const levers of leverSets(leversOf(this.graph))) {
      const key = JSON.stringify(levers.map(({ kind, operator }) => `${kind} ${operator}`).sort());
      const extra = levers.reduce((sum, { extraMacs }) => sum + extraMacs, 0);
      if (seen.has(key) || extra > (this.baseMacs * maxExtraPercent) / 100) continue;
      seen.add(key);
      const candidate = this.evaluate(levers);
      if (candidate.extraPercent <= maxExtraPercent) candidates.push(candidate);
    }
    candidates.sort((a, b) => a.macs - b.macs || a.liveBytes - b.liveBytes);
    let least = Number.POSITIVE_INFINITY;
    return candidates.filter(({ liveBytes }) => {
      if (liveBytes >= least) return false;
      least = liveBytes;
      return true;
    });
  }

  /** Streams and places a candidate. */
  place(candidate: Candidate): TradeOff {
    return { ...candidate, ...stream(this.program(candidate.graph)) };
  }

  private evaluate(levers: readonly Lever[]): Candidate {
    const graph = applyLevers(this.graph, levers);
    const macs = totalMacs(graph);
    const { liveBytes } = new CutSearch(this.program(graph)).best();
    return { levers, macs, extraPercent: (100 * (macs - this.baseMacs)) / this.baseMacs, liveBytes, graph };
  }

  private program(graph: Graph): Program {
    const program = lower(graph);
    return this.pushed ? pushRows(program) : program;
  }
}

function totalMacs(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + macsOf(graph, node), 0);
}

/** The sets to try: combinations of prefixes of two-pass and of narrow-ring levers. */
function* leverSets(levers: readonly Lever[]): Generator<Lever[]> {
  const ofKind = (kind: Lever['kind']): Lever[] => levers.filter((lever) => lever.kind === kind);
  const byBytes = (list: Lever[]): Lever[] => list.toSorted((a, b) => b.bytes - a.bytes);
  const byPrice = (list: Lever[]): Lever[] =>
    list.toSorted((a, b) => b.bytes / (b.extraMacs + 1) - a.bytes / (a.extraMacs + 1));
  const wide = prefixes(byBytes(ofKind('two-pass')));
  const narrow = [
    ...prefixes(byBytes(ofKind('recompute'))),
    ...prefixes(byPrice(ofKind('recompute'))),
    ...prefixes(byBytes(ofKind('carry'))),
  ];
  for (const first of wide) yield first;
  for (const second of narrow) yield second;
  // With all wide tensors that matter gone, narrow rings decide; and the other way round.
  for (const first of wide.slice(1)) yield [...first, ...narrow.at(-1)!];
  const mostWide = wide.at(-1)!;
  if (mostWide.length > 0) for (const second of narrow.slice(1)) yield [...mostWide, ...second];
}

/** The empty list, the first, the first two ... and the whole list. */
function prefixes<T>(list: readonly T[]): T[][] {
  const lengths = Array.from({ length: Math.min(list.length, MAX_PREFIXES) + 1 }, (_, i) => i);
  const all = list.length > MAX_PREFIXES ? [...lengths, list.length] : lengths;
  return all.map((length) => list.slice(0, length));
}
