/** How much planning a program takes; looked at before the planner starts. */
import { fail } from '../core/diagnostics.ts';
import { LIMITS } from '../core/limits.ts';
import type { BufferId, Call, Program, RowView } from '../program/types.ts';

/** Tries of the placement search for turning one call round, and for comparing schedules. */
export const TURN_TRIES = 30;
export const DRAFT_TRIES = 120;
/** Tries for the final placement; fewer where `pairs` of buffers that meet make a try expensive. */
export function finalTries(pairs: number): number {
  return Math.min(6000, Math.max(300, Math.ceil(2_000_000 / Math.max(1, pairs))));
}

/**
 * Throws RV2007 for a program without calls, RV2006 for one that takes too long to plan.
 * @param placements which placements are too many; see `LIMITS`
 */
export function requirePlannable(program: Program, placements: number = LIMITS.placements): void {
  if (program.calls.length === 0) {
    fail('RV2007', 'the outputs are the inputs under other names; nothing is left to compute', {
      origin: program.name,
      hint: 'reshapes and conversions at the border need no firmware; give a model with at least one other operator',
    });
  }
  const pairs = livePairs(program);
  const checks: [string, number, number][] = [
    ['rows read and written', sum(program.calls, accesses), LIMITS.rowEntries],
    ['bytes read by all rows', sum(program.calls, bytesRead), LIMITS.bytesRead],
    ['pairs of rows that live at the same time', pairs.rows, LIMITS.rowPairs],
    [
      'placements to try',
      pairs.buffers * (finalTries(pairs.buffers) + TURN_TRIES * program.calls.length),
      placements,
    ],
  ];
  for (const [what, size, limit] of checks) {
    if (size <= limit) continue;
    fail('RV2006', `${size} ${what}, the limit is ${limit}`, {
      origin: program.name,
      hint: 'use a smaller input or fewer layers, or exchange rows and columns where the long side counts the rows',
    });
  }
}

function accesses(call: Call): number {
  return call.firings * (call.slots.length + 1);
}

function bytesRead(call: Call): number {
  return call.firings * sum(call.slots, (slot) => (slot.source.kind === 'buffer' ? slot.rowBytes : 0));
}

/** Pairs of buffers that some call finds alive together, and the sum of the products of their numbers of rows. */
function livePairs(program: Program): { buffers: number; rows: number } {
  const spans = program.buffers.map(({ role }) => ({
    first: role === 'input' || role === 'state' || role === 'history' ? 0 : Number.POSITIVE_INFINITY,
    last: role === 'output' || role === 'state' || role === 'history' ? program.calls.length : 0,
    /** Rows by the views that cut the buffer into them. */
    cuts: new Map<string, number>(),
  }));
  const touch = (buffer: BufferId, { index }: Call, { offset, pitch, rowBytes, ring }: RowView): void => {
    const span = spans[buffer]!;
    span.first = Math.min(span.first, index);
    span.last = Math.max(span.last, index);
    span.cuts.set(`${offset} ${pitch} ${rowBytes}`, ring);
  };
  for (const call of program.calls) {
    touch(call.output.buffer, call, call.output);
    for (const slot of call.slots) if (slot.source.kind === 'buffer') touch(slot.source.buffer, call, slot);
  }
  const rows = spans.map(({ cuts }) => sum([...cuts.values()], (ring) => ring));
  const pairs = { buffers: 0, rows: 0 };
  spans.forEach((a, i) => {
    for (let j = i + 1; j < spans.length; ++j) {
      const b = spans[j]!;
      if (a.first > b.last || b.first > a.last) continue;
      pairs.buffers += 1;
      pairs.rows += rows[i]! * rows[j]!;
    }
  });
  return pairs;
}

function sum<T>(items: readonly T[], sizeOf: (item: T) => number): number {
  return items.reduce((total, item) => total + sizeOf(item), 0);
}
