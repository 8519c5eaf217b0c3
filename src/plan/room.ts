/**
 * Faster kernels in bytes that nobody uses. A kernel may want scratch only for speed; the arena is planned without it, and
 * here, when everything has its address, each call gets the best such kernel whose scratch fits between what lives while
 * the call fires. The arena never grows.
 */
import type { BufferId, Call, Program, RoomyKernel } from '../program/types.ts';
import { checkPlan } from './check.ts';
import { type Cell, cellsOfAll } from './liveness.ts';
import { ALIGNMENT, alignUp } from './place.ts';
import type { Plan } from './plan.ts';

interface Gap {
  readonly start: number;
  readonly bytes: number;
}

/** `program` with roomy kernels where they fit, `plan` with their scratch; constants that nobody refers to are dropped. */
export function takeRoom(program: Program, plan: Plan): { program: Program; plan: Plan } {
  const buffers = [...program.buffers];
  const addresses = [...plan.addresses];
  const cells = cellsOfAll(
    program,
    plan.schedule,
    buffers.map(({ id }) => id),
  );
  const firings = firingTimes(program, plan);
  const calls = program.calls.map((call): Call => {
    if (call.roomy.length === 0) return call;
    const gaps = gapsDuring(firings[call.index]!, cells, plan, call.scratchKeeps ? null : call.scratch);
    const choice = bestFit(call.roomy, gaps);
    if (choice === null) return { ...call, roomy: [] };
    const { scratchBytes, ...bound } = choice.kernel;
    const scratch = call.scratch ?? buffers.length;
    buffers[scratch] = {
      id: scratch,
      name: `${call.origin.name}/scratch`,
      bytes: scratchBytes,
      role: 'scratch',
    };
    addresses[scratch] = choice.address;
    return { ...call, ...bound, scratch, roomy: [] };
  });
  const roomy = withoutUnusedConstants({ ...program, buffers, calls });
  const planned = { ...plan, addresses };
  checkPlan(roomy, planned);
  return { program: roomy, plan: planned };
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
  const kept = program.constants.filter(({ id }) => used.has(id));
  const renumbered = new Map(kept.map(({ id }, i) => [id, i]));
  return {
    ...program,
    constants: kept.map((constant, id) => ({ ...constant, id })),
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
