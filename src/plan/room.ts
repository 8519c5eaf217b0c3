/**
 * Faster kernels in bytes that nobody uses. A kernel may want scratch only for speed; the arena is planned without it, and
 * grows for it only as far as the user allows, which is not at all unless told. First every call gets the best kernel whose scratch fits beside what lives while the call fires,
 * and all is placed again; if that takes a larger arena, calls near the peak go without. What is left over after
 * that is filled by calls that still have none.
 */
import type { BufferId, Call, Program, RoomyKernel } from '../program/types.ts';
import { checkPlan } from './check.ts';
import { type Cell, cellsOfAll } from './liveness.ts';
import { ALIGNMENT, alignUp } from './place.ts';
import { type Plan, planInOrder } from './plan.ts';

interface Gap {
  readonly start: number;
  readonly bytes: number;
}

/** Placing again is tried with scratch up to these shares of the arena. */
const SHARES = [1, 0.97, 0.94, 0.9, 0.85, 0.75, 0.5];

interface Planned {
  readonly program: Program;
  readonly plan: Plan;
}

/**
 * `program` with roomy kernels where they fit, and its plan; constants that nobody refers to are dropped.
 * @param limit bytes that the arena may grow to
 */
export function takeRoom(program: Program, plan: Plan, limit = plan.arenaBytes): Planned {
  const placed = placeAgain(program, plan, Math.max(limit, plan.arenaBytes));
  const filled = fillGaps(placed.program, placed.plan);
  const roomy = withoutUnusedConstants(filled.program);
  checkPlan(roomy, filled.plan);
  return { program: roomy, plan: filled.plan };
}

/** The kernels that live bytes allow, as many as can be placed in `limit` bytes. */
function placeAgain(program: Program, plan: Plan, limit: number): Planned {
  const { arenaBytes, liveByCall, schedule } = plan;
  let tried = '';
  for (const share of SHARES) {
    const chosen = program.calls.map((call) => {
      const own = call.scratch === null ? 0 : program.buffers[call.scratch]!.bytes;
      const free = limit * share - liveByCall[call.index]! + own;
      return call.roomy.find(({ scratchBytes }) => scratchBytes <= free) ?? null;
    });
    const key = chosen.map((kernel) => kernel?.scratchBytes).join();
    if (key === tried || chosen.every((kernel) => kernel === null)) continue;
    tried = key;
    const roomy = withKernels(program, chosen);
    const placed = planInOrder(roomy, schedule);
    if (placed.arenaBytes <= limit) {
      return { program: roomy, plan: { ...placed, arenaBytes: Math.max(placed.arenaBytes, arenaBytes) } };
    }
  }
  return { program, plan };
}

/** The calls of `program` with other kernels, null: as they are. */
function withKernels(program: Program, kernels: readonly (RoomyKernel | null)[]): Program {
  const buffers = [...program.buffers];
  const calls = program.calls.map((call, i): Call => {
    const kernel = kernels[i]!;
    if (kernel === null) return call;
    const { scratchBytes, ...bound } = kernel;
    const id = call.scratch ?? buffers.length;
    buffers[id] = { id, name: `${call.origin.name}/scratch`, bytes: scratchBytes, role: 'scratch' };
    return { ...call, ...bound, scratch: id, roomy: [] };
  });
  return { ...program, buffers, calls };
}

/** Scratch for calls that have not got any yet, in gaps between everything else. */
function fillGaps(program: Program, plan: Plan): Planned {
  const cells = cellsOfAll(
    program,
    plan.schedule,
    program.buffers.map(({ id }) => id),
  );
  const firings = firingTimes(program, plan);
  const choices = program.calls.map(({ index, roomy, scratch }) =>
    roomy.length === 0 ? null : bestFit(roomy, gapsDuring(firings[index]!, cells, plan, scratch)),
  );
  const filled = withKernels(
    program,
    choices.map((choice) => choice?.kernel ?? null),
  );
  const addresses = [...plan.addresses];
  filled.calls.forEach(({ scratch }, i) => {
    if (choices[i]) addresses[scratch!] = choices[i].address;
  });
  const calls = filled.calls.map((call) => ({ ...call, roomy: [] }));
  return { program: { ...filled, calls }, plan: { ...plan, addresses } };
}

/** The first kernel that fits, in the smallest gap that holds it. */
function bestFit(
  kernels: readonly RoomyKernel[],
  gaps: readonly Gap[],
): { kernel: RoomyKernel; address: number } | null {
  for (const kernel of kernels) {
    const holding = gaps.filter(({ bytes }) => bytes >= kernel.scratchBytes);
    if (holding.length === 0) continue;
    const { start } = holding.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    return { kernel, address: start };
  }
  return null;
}

/** For each call the times of its firings, ascending. */
function firingTimes(program: Program, { schedule }: Plan): number[][] {
  const times: number[][] = program.calls.map(() => []);
  let time = 0;
  for (const run of schedule) for (let i = 0; i < run.count; ++i) times[run.call]!.push(time++);
  return times;
}

/** Aligned stretches of the arena that hold nothing at any of `times`, but for buffer `own`. */
function gapsDuring(
  times: readonly number[],
  cells: ReadonlyMap<BufferId, readonly Cell[]>,
  { addresses, arenaBytes }: Plan,
  own: BufferId | null,
): Gap[] {
  const taken: { start: number; end: number }[] = [];
  for (const [buffer, list] of cells) {
    if (buffer === own) continue;
    const base = addresses[buffer]!;
    for (const { start, end, birth, death } of list) {
      if (anyWithin(times, birth, death)) taken.push({ start: base + start, end: base + end });
    }
  }
  taken.sort((a, b) => a.start - b.start);
  const gaps: Gap[] = [];
  let free = 0;
  for (const { start, end } of [...taken, { start: arenaBytes, end: arenaBytes }]) {
    const aligned = alignUp(free);
    if (start - aligned >= ALIGNMENT) gaps.push({ start: aligned, bytes: start - aligned });
    free = Math.max(free, end);
  }
  return gaps;
}

/** Whether one of the ascending `times` lies in [first, last]. */
function anyWithin(times: readonly number[], first: number, last: number): boolean {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < first) low = middle + 1;
    else high = middle;
  }
  return low < times.length && times[low]! <= last;
}

function withoutUnusedConstants(program: Program): Program {
  const used = new Set<number>();
  for (const { data, slots } of program.calls) {
    for (const id of Object.values(data)) used.add(id);
    for (const { source } of slots) if (source.kind === 'constant') used.add(source.constant);
  }
  for (const { initial } of program.states) if (initial !== null) used.add(initial);
  const kept = program.constants.filter(({ id }) => used.has(id));
  const renumbered = new Map(kept.map(({ id }, i) => [id, i]));
  return {
    ...program,
    constants: kept.map((constant, id) => ({ ...constant, id })),
    states: program.states.map((state) =>
      state.initial === null ? state : { ...state, initial: renumbered.get(state.initial)! },
    ),
    calls: program.calls.map((call) => ({
      ...call,
      data: Object.fromEntries(Object.entries(call.data).map(([field, id]) => [field, renumbered.get(id)!])),
      slots: call.slots.map((slot) =>
        slot.source.kind === 'constant'
          ? { ...slot, source: { kind: 'constant', constant: renumbered.get(slot.source.constant)! } }
          : slot,
      ),
    })),
  };
}
