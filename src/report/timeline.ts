/**
 * The arena over time, ready to be drawn: which bytes are live in each step, how many, and which call fires. A column is
 * one step, or several where a program has too many to draw; what is live in any step of a column is live in the column,
 * so that no peak is lost.
 */
import { type Cell, cellsOf } from '../plan/liveness.ts';
import type { Plan } from '../plan/plan.ts';
import { type BufferId, type BufferRole, type Program, touched } from '../program/types.ts';

export interface Timeline {
  /** 1: every column is one firing. The first column begins before the first firing, the last ends after the last. */
  readonly stepsPerColumn: number;
  /** The most bytes live, by column. */
  readonly live: readonly number[];
  /** The call that fires when these are live, by column; -1: none, before the first and after the last firing. */
  readonly calls: readonly number[];
  /** The first column with most bytes. */
  readonly peak: number;
  readonly tracks: readonly Track[];
}

/** One buffer over time. */
export interface Track {
  readonly buffer: BufferId;
  readonly name: string;
  readonly role: BufferRole;
  /** Byte offset in the arena. */
  readonly address: number;
  readonly bytes: number;
  /** Rows that pass through the buffer; 0 where it has none (scratch). */
  readonly rows: number;
  /** Bytes that count for the peak. */
  readonly atPeak: number;
  readonly blocks: readonly Block[];
}

/** Bytes [start, end) of a buffer, live from column `birth` to column `death`, both included. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly birth: number;
  readonly death: number;
  /** Rows firstRow to lastRow lie there; -1: no row. */
  readonly firstRow: number;
  readonly lastRow: number;
}

/** What a page can hold and a browser draws at once: about 350 kB and 20 ms. */
export interface TimelineLimits {
  readonly columns: number;
  readonly blocks: number;
}

const LIMITS: TimelineLimits = { columns: 12_000, blocks: 24_000 };

export function timeline(program: Program, plan: Plan, limits: TimelineLimits = LIMITS): Timeline {
  const steps = stepsOf(plan);
  const cells = program.buffers.map(({ id }) => cellsOf(program, plan.schedule, id));
  const live = liveBySlot(cells.flat(), steps.calls.length);
  const peak = indexOfMost(live);

  let stepsPerColumn = Math.ceil(live.length / limits.columns);
  const located = cells.map((list, buffer) => list.map((cell) => locate(program, steps, buffer, cell)));
  let blocks = located.map((list) => merge(list, stepsPerColumn));
  while (blocks.reduce((sum, list) => sum + list.length, 0) > limits.blocks && stepsPerColumn < live.length) {
    stepsPerColumn *= 2;
    blocks = located.map((list) => merge(list, stepsPerColumn));
  }

  const most = Array.from({ length: Math.ceil(live.length / stepsPerColumn) }, (_, column) => {
    const first = column * stepsPerColumn;
    return first + indexOfMost(live.slice(first, first + stepsPerColumn));
  });
  return {
    stepsPerColumn,
    live: most.map((slot) => live[slot]!),
    calls: most.map((slot) => steps.calls[slot]!),
    peak: Math.floor(peak / stepsPerColumn),
    tracks: program.buffers.map(({ id, name, role, bytes }) => ({
      buffer: id,
      name,
      role,
      address: plan.addresses[id]!,
      bytes,
      rows: blocks[id]!.reduce((rows, block) => Math.max(rows, block.lastRow + 1), 0),
      atPeak: bytesAt(cells[id]!, peak),
      blocks: blocks[id]!,
    })),
  };
}

/** Call and firing by slot; slot = time + 1, so that slot 0 is before the first firing and the last after all. */
interface Steps {
  readonly calls: readonly number[];
  readonly firings: readonly number[];
}

function stepsOf({ schedule }: Plan): Steps {
  const calls = [-1];
  const firings = [-1];
  for (const { call, first, count, step } of schedule) {
    for (let i = 0; i < count; ++i) {
      calls.push(call);
      firings.push(first + i * step);
    }
  }
  calls.push(-1);
  firings.push(-1);
  return { calls, firings };
}

/** The last slot in which a cell counts: a row that is overwritten in place makes room in the firing that reads it. */
function lastCounted({ birth, death, diesInPlace }: Cell): number {
  return diesInPlace !== 'no' && death > birth ? death : death + 1;
}

function liveBySlot(cells: readonly Cell[], slots: number): number[] {
  const change = new Array<number>(slots + 2).fill(0);
  for (const cell of cells) {
    change[cell.birth + 1]! += cell.end - cell.start;
    change[lastCounted(cell) + 1]! -= cell.end - cell.start;
  }
  let live = 0;
  return change.slice(0, slots).map((bytes) => {
    live += bytes;
    return live;
  });
}

function bytesAt(cells: readonly Cell[], slot: number): number {
  return cells
    .filter((cell) => cell.birth + 1 <= slot && slot <= lastCounted(cell))
    .reduce((sum, cell) => sum + cell.end - cell.start, 0);
}

/** The cell with its row: the one that its birth writes, or else the one that its death reads. Times become slots. */
function locate(program: Program, { calls, firings }: Steps, buffer: BufferId, cell: Cell): Block {
  const { start, end } = cell;
  const slots = { birth: cell.birth + 1, death: cell.death + 1 };
  for (const slot of [slots.birth, slots.death]) {
    const call = program.calls[calls[slot]!];
    if (call === undefined) continue;
    const reads = call.slots.filter(({ source }) => source.kind === 'buffer' && source.buffer === buffer);
    for (const view of [...(call.output.buffer === buffer ? [call.output] : []), ...reads]) {
      const range = touched(view, firings[slot]!);
      if (range === null || start < range.start || end > range.end) continue;
      const row = view.rows[firings[slot]!]!;
      return { start, end, ...slots, firstRow: row, lastRow: row };
    }
  }
  return { start, end, ...slots, firstRow: -1, lastRow: -1 };
}

/** Blocks in columns; neighbours in memory with the same life become one, and in wide columns also those in time. */
function merge(blocks: readonly Block[], stepsPerColumn: number): Block[] {
  const merged: Block[] = [];
  for (const block of blocks) {
    const birth = Math.floor(block.birth / stepsPerColumn);
    const death = Math.floor(block.death / stepsPerColumn);
    const last = merged.at(-1);
    const beside = last && last.end === block.start && last.birth === birth && last.death === death;
    const after =
      last &&
      last.start === block.start &&
      last.end === block.end &&
      birth <= last.death + 1 &&
      stepsPerColumn > 1;
    if (!beside && !after) merged.push({ ...block, birth, death });
    else
      merged[merged.length - 1] = {
        start: last.start,
        end: block.end,
        birth: last.birth,
        death,
        firstRow: Math.min(last.firstRow, block.firstRow),
        lastRow: Math.max(last.lastRow, block.lastRow),
      };
  }
  return merged;
}

function indexOfMost(numbers: readonly number[]): number {
  return numbers.reduce((best, number, i) => (number > numbers[best]! ? i : best), 0);
}
