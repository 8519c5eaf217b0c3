/** Which schedule a model gets: whole, streamed, in patches, or streamed with more MACs, whatever was asked for and fits. */
import { fail } from './core/diagnostics.ts';
import type { KernelChoice } from './core/isa.ts';
import { sramBytes } from './emit/push.ts';
import type { Graph } from './ir/types.ts';
import { lower } from './lower/lower.ts';
import { patches } from './passes/patches.ts';
import { type Plan, plan } from './plan/plan.ts';
import { takeRoom } from './plan/room.ts';
import { requirePlannable } from './plan/work.ts';
import type { Program } from './program/types.ts';
import { type Candidate, TradeOffSearch } from './tradeoff/search.ts';

/** auto, whole, stream, or patch:PxP@N, MCUNetV2's patches: the first N operators in P x P tiles. */
export type Schedule = 'auto' | 'whole' | 'stream' | `patch:${number}x${number}@${number}`;

/** A schedule by name, or the tiles of a patch schedule. */
export type ParsedSchedule = 'auto' | 'whole' | 'stream' | { rows: number; columns: number; count: number };

/** @throws RivuletError RV3001 */
export function parseSchedule(text: string): ParsedSchedule {
  const patch = /^patch:(\d{1,4})x(\d{1,4})@(\d{1,6})$/.exec(text);
  if (patch !== null) return { rows: Number(patch[1]), columns: Number(patch[2]), count: Number(patch[3]) };
  const found = (['auto', 'whole', 'stream'] as const).find((name) => name === text);
  return (
    found ??
    fail('RV3001', `"${text}" is not a schedule`, {
      origin: '--schedule',
      hint: 'auto, whole, stream, or patch:2x2@12 for the first 12 operators in 2x2 tiles',
    })
  );
}

export interface Scheduled {
  readonly graph: Graph;
  readonly program: Program;
  readonly plan: Plan;
}

export interface ScheduleLimits {
  readonly pushed: boolean;
  readonly maxExtraMacs: number;
  /** Bytes, undefined for no limit. */
  readonly maxSram: number | undefined;
  readonly kernels: KernelChoice;
  /** Bytes that the SRAM may grow to for faster kernels; smaller than the schedule needs: not at all. */
  readonly room: number;
}

/** Lowers, schedules and plans `graph`; graph, program and plan of the result belong together. */
export function chooseSchedule(graph: Graph, schedule: ParsedSchedule, limits: ScheduleLimits): Scheduled {
  const chosen = scheduled(graph, schedule, limits);
  const counters = sramBytes(chosen.program, chosen.plan) - chosen.plan.arenaBytes;
  return { ...chosen, ...takeRoom(chosen.program, chosen.plan, limits.room - counters) };
}

function scheduled(graph: Graph, schedule: ParsedSchedule, limits: ScheduleLimits): Scheduled {
  const { pushed, maxSram = Number.POSITIVE_INFINITY, kernels } = limits;
  if (typeof schedule === 'object') {
    const tiled = patches(graph, schedule.rows, schedule.columns, schedule.count);
    return planWhole(tiled, kernels);
  }
  const fits = (scheduled: Scheduled): boolean => sramBytes(scheduled.program, scheduled.plan) <= maxSram;
  if (!pushed && schedule !== 'stream') {
    const whole = planWhole(graph, kernels);
    if (schedule === 'whole' || fits(whole)) return whole;
  }
  return leastSram(graph, schedule === 'auto' ? maxSram : 0, limits);
}

/** Share of the SRAM that is left for counters beside the arena. */
const COUNTERS = 1 / 64;

/** The fewest MACs that reach `wanted` bytes, else the least SRAM, within the MACs allowed. */
function leastSram(
  graph: Graph,
  wanted: number,
  { pushed, maxExtraMacs, kernels }: ScheduleLimits,
): Scheduled {
  requirePlannable(lower(graph, kernels));
  const search = new TradeOffSearch(graph, pushed, kernels);
  // With a goal, towards more MACs until it is reached; without, from the smallest on while a smaller one is possible.
  const candidates = wanted > 0 ? fewestFirst(search, maxExtraMacs) : search.front(maxExtraMacs).toReversed();
  let best: Scheduled | undefined;
  for (const candidate of candidates) {
    const least = best === undefined ? Number.POSITIVE_INFINITY : sramBytes(best.program, best.plan);
    if (least <= wanted || candidate.liveBytes >= least) break;
    const placed = search.place(candidate, wanted * (1 - COUNTERS));
    if (sramBytes(placed.program, placed.plan) < least) best = placed;
  }
  return best!;
}

/** The front is looked for only if the plain network does not do: that takes most of the time. */
function* fewestFirst(search: TradeOffSearch, maxExtraMacs: number): Generator<Candidate> {
  const plain = search.plain();
  yield plain;
  for (const candidate of search.front(maxExtraMacs)) if (candidate !== plain) yield candidate;
}

function planWhole(graph: Graph, kernels: KernelChoice): Scheduled {
  const program = plannable(graph, kernels);
  return { graph, program, plan: plan(program) };
}

function plannable(graph: Graph, kernels: KernelChoice): Program {
  const program = lower(graph, kernels);
  requirePlannable(program);
  return program;
}
