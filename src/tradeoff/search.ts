/**
 * SRAM against multiply-accumulates. Sets of levers are compared by the live bytes of their best cuts, which is quick;
 * those that no other set beats in both are then streamed and placed. The search begins with sets that cost nothing
 * (rows carried) or that only help together (two-pass blocks, the widest first: one alone gains nothing because the next
 * is as large), and to the best of them adds recomputing levers that free most. A heuristic, of a fixed number of steps.
 */
import { type KernelChoice, PORTABLE_KERNELS } from '../core/isa.ts';
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

/** Prefixes of one kind that are tried; recomputing levers compared in one step, and steps: more would take minutes. */
const MAX_PREFIXES = 6;
const MAX_RECOMPUTE = 24;
const MAX_STEPS = 3;

export class TradeOffSearch {
  private readonly graph: Graph;
  private readonly pushed: boolean;
  private readonly kernels: KernelChoice;
  private readonly baseMacs: number;
  /** Every set that was looked at, by its levers. */
  private readonly evaluated = new Map<string, Candidate>();

  /** `graph`: after all passes; `pushed`: the input comes row by row; `kernels`: what decides about kernels. */
  constructor(graph: Graph, pushed: boolean, kernels: KernelChoice = PORTABLE_KERNELS) {
    this.graph = graph;
    this.pushed = pushed;
    this.kernels = kernels;
    this.baseMacs = totalMacs(graph);
  }

  /** Candidates with at most `maxExtraPercent` more MACs that no other beats in both, by ascending MACs. */
  front(maxExtraPercent: number): Candidate[] {
    const allowed = this.baseMacs * (1 + maxExtraPercent / 100);
    for (const levers of startingSets(leversOf(this.graph))) this.evaluate(levers, allowed);
    const starts = [...this.evaluated.values()].filter(({ macs }) => macs <= allowed);
    if (maxExtraPercent > 0) {
      this.spend(
        // Of equals the one with most levers, which come later.
        starts.reduce((a, b) => (b.liveBytes <= a.liveBytes ? b : a)),
        allowed,
      );
    }
    const candidates = [...this.evaluated.values()].filter(({ macs }) => macs <= allowed);
    candidates.sort((a, b) => a.macs - b.macs || a.liveBytes - b.liveBytes);
    let least = Number.POSITIVE_INFINITY;
    return candidates.filter(({ liveBytes }) => {
      if (liveBytes >= least) return false;
      least = liveBytes;
      return true;
    });
  }

  /** The graph as it is. Levers that cost no multiply-accumulates still make rows slower, so it comes first where it fits. */
  plain(): Candidate {
    return this.evaluate([], Number.POSITIVE_INFINITY)!;
  }

  /** Adds recomputing levers one after another, each time the one that frees most live bytes. */
  private spend(start: Candidate, allowed: number): void {
    const recompute = leversOf(this.graph).filter(
      ({ kind, extraMacs }) => kind === 'recompute' && extraMacs > 0,
    );
    // Cheap first: a lever that costs more than what is left never comes up.
    recompute.sort((a, b) => a.extraMacs - b.extraMacs);
    let current = start;
    for (let steps = 0; steps < MAX_STEPS; ++steps) {
      let next: Candidate | null = null;
      let most = 0;
      for (const lever of recompute.slice(0, MAX_RECOMPUTE)) {
        if (current.levers.includes(lever)) continue;
        const candidate = this.evaluate([...current.levers, lever], allowed);
        const gain = candidate === null ? 0 : current.liveBytes - candidate.liveBytes;
        if (gain > most) [next, most] = [candidate, gain];
      }
      if (next === null) return;
      current = next;
    }
  }

  /** Streams and places a candidate; an arena of `enough` bytes is made no smaller. */
  place(candidate: Candidate, enough = 0): TradeOff {
    return { ...candidate, ...stream(this.program(candidate.graph), enough) };
  }

  /** The candidate with these levers, or null where it takes more than `allowed` MACs. */
  private evaluate(levers: readonly Lever[], allowed: number): Candidate | null {
    const key = JSON.stringify(levers.map(({ kind, operator }) => `${kind} ${operator}`).sort());
    const known = this.evaluated.get(key);
    if (known !== undefined) return known;
    const graph = applyLevers(this.graph, levers);
    const macs = totalMacs(graph);
    if (macs > allowed) return null;
    const { liveBytes } = new CutSearch(this.program(graph)).best();
    const extraPercent = (100 * (macs - this.baseMacs)) / this.baseMacs;
    const candidate = { levers, macs, extraPercent, liveBytes, graph };
    this.evaluated.set(key, candidate);
    return candidate;
  }

  private program(graph: Graph): Program {
    const program = lower(graph, this.kernels);
    return this.pushed ? pushRows(program) : program;
  }
}

function totalMacs(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + macsOf(graph, node), 0);
}

/** Where the search begins: nothing, rows carried, and wide tensors computed twice, the widest first. */
function startingSets(levers: readonly Lever[]): Lever[][] {
  const ofKind = (kind: Lever['kind']): Lever[] =>
    levers.filter((lever) => lever.kind === kind).toSorted((a, b) => b.bytes - a.bytes);
  const carry = ofKind('carry');
  const wide = prefixes(ofKind('two-pass'));
  return [...wide, ...prefixes(carry).slice(1), ...wide.slice(1).map((set) => [...set, ...carry])];
}

/** The empty list, the first, the first two ... and the whole list. */
function prefixes<T>(list: readonly T[]): T[][] {
  const lengths = Array.from({ length: Math.min(list.length, MAX_PREFIXES) + 1 }, (_, i) => i);
  const all = list.length > MAX_PREFIXES ? [...lengths, list.length] : lengths;
  return all.map((length) => list.slice(0, length));
}
