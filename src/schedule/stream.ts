/**
 * The streaming schedule with the least SRAM: which calls take turns, in which direction, and where everything lies.
 * Cuts start from the optimum of live bytes (`CutSearch`) and from near-optima with fewer groups; then a seeded local
 * search moves cuts and turns groups round, judged by the arena with every ring staged that can be. In the
 * end that is decided ring by ring. Nothing is computed twice.
 */
import { createRandom } from '../core/random.ts';
import { arenaOf, type Plan, plan } from '../plan/plan.ts';
import { finalTries } from '../plan/work.ts';
import { inferenceCalls, type Program, type Run } from '../program/types.ts';
import { chooseStages, copyBytes } from './choose-stages.ts';
import { CutSearch, MAX_CALLS } from './cuts.ts';
import { type Group, pullOrder, runsOf } from './pull.ts';
import { applyRings } from './rings.ts';
import { stageRings, stageSites } from './stages.ts';

/** How much larger than the optimum the live bytes of other cut sets may be. */
const SLACKS = [1, 1.03, 1.06, 1.1, 1.2, 1.3];
/** Local search: firings times steps stays below this, so that large networks do not take minutes. */
const SEARCH_WORK = 2_500_000;
const MAX_STEPS = 600;
/** The best candidates are placed with more tries before one is chosen. */
const FINALISTS = 6;
/** Independent walks. */
const WALKS = 2;
/** Worse candidates are accepted up to this share, falling to none. */
const TEMPERATURE = 0.1;

export interface Streamed {
  /** The program with rings, staged where that helps. */
  readonly program: Program;
  readonly plan: Plan;
}

/**
 * Streams `program` (in whole-tensor form). The result is never larger than the whole-tensor plan.
 * @param enough bytes of an arena for which no smaller one is looked for: that takes most of the time
 */
export function stream(program: Program, enough = 0): Streamed {
  if (program.calls.length === 0) return { program, plan: plan(program) };
  const search = new StreamSearch(program, enough);
  const ringed = search.run();
  // Of equals the one that is simplest to run.
  const programs = new Set([program, ringed, chooseStages(ringed)]);
  const planned = [...programs].map((each) => ({ program: each, plan: plan(each) }));
  return planned.reduce((a, b) => (bytesOf(b) < bytesOf(a) ? b : a));
}

function bytesOf({ program, plan: { arenaBytes } }: Streamed): number {
  return arenaBytes + copyBytes(program);
}

interface Candidate {
  readonly groups: readonly Group[];
  /** With rings. */
  readonly ringed: Program;
  /** With all rings staged that can be. */
  readonly staged: Program;
  /** Of the smaller of the two, as far as they have been placed. */
  readonly arenaBytes: number;
}

function smaller<T extends Candidate | undefined>(a: T, b: Candidate | null): T | Candidate {
  return b === null || (a !== undefined && a.arenaBytes <= b.arenaBytes) ? a : b;
}

class StreamSearch {
  private readonly program: Program;
  private readonly enough: number;
  private readonly cuts: CutSearch;
  private readonly seen = new Set<string>();
  /** The best candidates so far, smallest first. */
  private readonly finalists: Candidate[] = [];

  constructor(program: Program, enough: number) {
    this.program = program;
    this.enough = enough;
    this.cuts = new CutSearch(program);
  }

  /** The program with rings that is the smallest once they are staged. */
  run(): Program {
    let first: Candidate | undefined;
    for (const slack of SLACKS) {
      if (first !== undefined && first.arenaBytes <= this.enough) break;
      const { groups } = this.cuts.best(slack);
      for (const phase of [-1, 0, 1])
        first = smaller(first, this.consider(this.alternate(groups, phase), Number.POSITIVE_INFINITY));
    }
    let best = first!;
    if (best.arenaBytes > this.enough) best = this.turnGroups(best);
    for (let walk = 0; walk < WALKS; ++walk) best = this.walk(best, walk);
    return this.final().ringed;
  }

  /** The finalist that is the smallest when placed with more tries. */
  private final(): Candidate {
    let best: Candidate | undefined;
    for (const finalist of this.finalists) {
      const { ringed, staged } = finalist;
      const limit = best?.arenaBytes ?? Number.POSITIVE_INFINITY;
      const stagedBytes = arenaOf(staged, limit, finalTries) + copyBytes(staged);
      const ringedBytes = arenaOf(ringed, stagedBytes, finalTries);
      best = smaller(best, { ...finalist, arenaBytes: Math.min(stagedBytes, ringedBytes) });
    }
    return best!;
  }

  /** Annealing over cuts and directions, from `start`; returns the best candidate met. */
  private walk(start: Candidate, seed: number): Candidate {
    const bound = Math.max(this.enough, this.cuts.best().liveBytes);
    const firings = this.program.calls.reduce((sum, call) => sum + call.firings, 0);
    const steps = Math.min(MAX_STEPS, Math.ceil(SEARCH_WORK / firings));
    const random = createRandom(firings + seed);
    let best = start;
    let current = start;
    for (let i = 0; i < steps && best.arenaBytes > bound; ++i) {
      const limit = current.arenaBytes * (1 + TEMPERATURE * (1 - i / steps) * random());
      const candidate = this.consider(this.vary(current.groups, random), limit);
      if (candidate === null || candidate.arenaBytes > limit) continue;
      current = candidate;
      best = smaller(best, candidate);
      if (i % 100 === 99) {
        best = this.turnGroups(best);
        current = best;
      }
    }
    return best;
  }

  /** Turns single groups round as long as that helps. */
  private turnGroups(start: Candidate): Candidate {
    let best = start;
    for (let i = 0; i < best.groups.length; ++i) {
      const turned = best.groups.map((g, j) =>
        j === i ? { ...g, reverse: !g.reverse && this.mayReverse(g) } : g,
      );
      best = smaller(best, this.consider(turned, best.arenaBytes));
    }
    return best;
  }

  /** Gradients and updates do not take turns. */
  private isAllowed({ first, last }: Group): boolean {
    const forward = inferenceCalls(this.program);
    return last - first < MAX_CALLS && (last < forward || first === last);
  }

  /** Evaluates groups that have not been looked at before; precisely only as far as `limit`. */
  private consider(groups: readonly Group[], limit: number): Candidate | null {
    const key = JSON.stringify(groups);
    if (this.seen.has(key) || !groups.every((group) => this.isAllowed(group))) return null;
    this.seen.add(key);
    return this.evaluate(groups, limit);
  }

  private evaluate(groups: readonly Group[], limit: number): Candidate {
    const { calls } = this.program;
    const schedule: Run[] = groups.flatMap((group) =>
      runsOf(calls, group, pullOrder(calls, this.cuts.needs, group)),
    );
    const ringed = applyRings(this.program, schedule);
    const staged = stageRings(ringed, stageSites(ringed));
    const stagedBytes = arenaOf(staged, limit);
    // Staged is the smaller one nearly always; only where the search begins it is worth to look at both.
    const ringedBytes = limit < Number.POSITIVE_INFINITY ? limit + 1 : arenaOf(ringed, stagedBytes);
    const candidate = { groups, ringed, staged, arenaBytes: Math.min(stagedBytes, ringedBytes) };
    if (candidate.arenaBytes <= limit) this.nominate(candidate);
    return candidate;
  }

  private nominate(candidate: Candidate): void {
    this.finalists.push(candidate);
    this.finalists.sort((a, b) => a.arenaBytes - b.arenaBytes);
    this.finalists.splice(FINALISTS);
  }

  /** Every second group bottom-up, beginning with `phase`; -1: none. */
  private alternate(groups: readonly Group[], phase: number): Group[] {
    return groups.map((group, i) => ({ ...group, reverse: i % 2 === phase && this.mayReverse(group) }));
  }

  private mayReverse({ first, last }: Group): boolean {
    return this.program.calls.slice(first, last + 1).every((call) => call.reversible);
  }

  /** One or two changes: turn a group round, add, remove or move a cut. */
  private vary(groups: readonly Group[], random: () => number): Group[] {
    const pick = (count: number): number => Math.floor(random() * count);
    let varied = [...groups];
    for (let changes = 1 + pick(2); changes > 0; --changes) {
      const i = pick(varied.length);
      const group = varied[i]!;
      const next = varied[i + 1];
      const kind = pick(4);
      if (kind === 0) varied[i] = { ...group, reverse: !group.reverse };
      else if (kind === 1 && group.last > group.first) {
        const cut = group.first + pick(group.last - group.first);
        varied.splice(i, 1, { ...group, last: cut }, { ...group, first: cut + 1 });
      } else if (kind === 2 && next) {
        varied.splice(i, 2, { ...group, last: next.last });
      } else if (kind === 3 && next) {
        const cut = Math.min(next.last - 1, Math.max(group.first, group.last + pick(7) - 3));
        if (cut >= group.first && cut < next.last) {
          varied.splice(i, 2, { ...group, last: cut }, { ...next, first: cut + 1 });
        }
      }
    }
    varied = varied.map((group) => ({ ...group, reverse: group.reverse && this.mayReverse(group) }));
    return varied;
  }
}
