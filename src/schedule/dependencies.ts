/** Which firings of earlier calls a firing needs: the rows it reads must have been written. */
import type { Program, RowView } from '../program/types.ts';

/** What one call needs of one producer before each of its firings. */
export interface Need {
  readonly producer: number;
  /** By firing of the consumer: the first and last firing of the producer that writes what it reads, -1 for none. */
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** needs[c]: all producers of call c. The program must be in whole-tensor form: every row has a place of its own. */
export function dependencies(program: Program): Need[][] {
  const producers = new Map<number, number[]>();
  for (const call of program.calls) {
    producers.set(call.output.buffer, [...(producers.get(call.output.buffer) ?? []), call.index]);
  }
  return program.calls.map((call) => {
    const needs = new Map<number, Need>();
    for (const slot of call.slots) {
      if (slot.source.kind !== 'buffer') continue;
      for (const producer of producers.get(slot.source.buffer) ?? []) {
        if (producer >= call.index) continue;
        const need = needs.get(producer) ?? emptyNeed(producer, call.firings);
        needs.set(producer, need);
        addSlot(need, slot, program.calls[producer]!.output);
      }
    }
    return [...needs.values()];
  });
}

function emptyNeed(producer: number, firings: number): Need {
  return { producer, first: new Int32Array(firings).fill(-1), last: new Int32Array(firings).fill(-1) };
}

/** Widens `need` by the rows that `slot` reads of what `output` writes. */
function addSlot(need: Need, slot: RowView, output: RowView): void {
  const writes = writesOf(output);
  for (let y = 0; y < slot.rows.length; ++y) {
    if (slot.rows[y]! < 0) continue;
    const start = slot.offset + slot.rows[y]! * slot.pitch;
    const end = start + slot.rowBytes;
    // Writes ascend by address: those that overlap [start, end) are neighbours.
    let i = lowerBound(writes.ends, start + 1);
    for (; i < writes.starts.length && writes.starts[i]! < end; ++i) {
      const firing = writes.firings[i]!;
      if (need.first[y]! < 0 || firing < need.first[y]!) need.first[y] = firing;
      if (firing > need.last[y]!) need.last[y] = firing;
    }
  }
}

interface Writes {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly firings: readonly number[];
}

/** The writes of an output by ascending address. */
function writesOf(output: RowView): Writes {
  const firings = [...output.rows.keys()].filter((y) => output.rows[y]! >= 0);
  firings.sort((a, b) => output.rows[a]! - output.rows[b]!);
  const starts = firings.map((y) => output.offset + output.rows[y]! * output.pitch);
  return { firings, starts, ends: starts.map((start) => start + output.rowBytes) };
}

/** Index of the first element that is at least `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
