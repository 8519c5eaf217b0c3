/** Which rings of a program are staged, and how they are turned: what placing them says. */
import { arenaOf } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';
import { type StageSite, stageRings, stageSites, UNSTAGE } from './stages.ts';

/** A call that takes turns with others has a counter of its rows. */
const COUNTER_BYTES = 2;
/** Rings that are looked at one by one; each is placed twice. */
const MAX_RINGS = 32;

/**
 * The program with rings that needs least, staged where that helps. At first none or all rings; then, one by one, a ring
 * is staged no more, those of which most rows are copied first, or turned the other way, where that needs less.
 */
export function chooseStages(ringed: Program): Program {
  const sites = stageSites(ringed);
  let best = weigh(ringed, [], Number.POSITIVE_INFINITY);
  best = lighter(best, weigh(ringed, sites, best.bytes));
  const busiest = best.sites.toSorted((a, b) => b.rows.length - a.rows.length).slice(0, MAX_RINGS);
  for (const site of busiest) {
    const others = best.sites.filter((other) => other !== site);
    best = lighter(best, weigh(ringed, others, best.bytes));
  }
  for (const site of busiest) {
    if (site.turn === site.otherTurn || !best.sites.includes(site)) continue;
    const turned = best.sites.map((other) => (other === site ? { ...site, turn: site.otherTurn } : other));
    best = lighter(best, weigh(ringed, turned, best.bytes));
  }
  return stageRings(ringed, best.sites);
}

/** SRAM that copying takes besides the arena. */
export function copyBytes({ calls }: Program): number {
  return COUNTER_BYTES * calls.filter(({ op }) => op === UNSTAGE).length;
}

interface Weighed {
  readonly sites: readonly StageSite[];
  /** Of the arena and the counters of what is staged. */
  readonly bytes: number;
}

function weigh(ringed: Program, sites: readonly StageSite[], limit: number): Weighed {
  const program = stageRings(ringed, sites);
  return { sites, bytes: arenaOf(program, limit) + copyBytes(program) };
}

function lighter(a: Weighed, b: Weighed): Weighed {
  return b.bytes < a.bytes ? b : a;
}
