/**
 * When every byte of every buffer is live. A buffer is cut into cells, the smallest byte ranges that firings tell
 * apart (usually its rows); a cell is live from the firing that writes it to the last firing that reads it.
 * Time is the position of a firing in the schedule; inputs are born at -1, outputs are read at the end, and what persists
 * is both.
 */
import { type BufferId, type Call, type Program, type RowView, type Run, touched } from '../program/types.ts';

/** Whether the output row of the firing that reads a cell last may overwrite it. */
export type Overwriting = 'no' | 'exactly' | 'at or below';

export interface Cell {
  /** Byte range [start, end) inside the buffer. */
  readonly start: number;
  readonly end: number;
  /** First and last firing, both included. */
  readonly birth: number;
  readonly death: number;
  /** Every read in the firing `death` is of exactly this cell, through slots that the output row may overwrite so. */
  readonly diesInPlace: Overwriting;
  /** The firing `birth` writes exactly this cell as its output row. */
  readonly bornAsRow: boolean;
}

interface Access {
  readonly time: number;
  readonly start: number;
  readonly end: number;
  readonly write: boolean;
  /** Of a write: whether of an output row; of a read: whether through a slot that the output row may overwrite. */
  readonly row: Overwriting;
}

/** All cells of `buffer` under `schedule`, by ascending start. */
export function cellsOf(program: Program, schedule: readonly Run[], buffer: BufferId): Cell[] {
  return cellsOfAll(program, schedule, [buffer]).get(buffer)!;
}

/** The cells of several buffers, in one walk along the schedule. */
export function cellsOfAll(
  program: Program,
  schedule: readonly Run[],
  buffers: readonly BufferId[],
): Map<BufferId, Cell[]> {
  const accesses = accessesTo(program, schedule, buffers);
  const end = schedule.reduce((time, run) => time + run.count, 0);
  const cells = new Map<BufferId, Cell[]>();
  for (const [buffer, list] of accesses) {
    const { role, bytes } = program.buffers[buffer]!;
    if (role === 'input' || role === 'state') list.unshift(whole(bytes, -1, true));
    if (role === 'output' || role === 'state' || program.outputs.some((port) => port.buffer === buffer)) {
      list.push(whole(bytes, end, false));
    }
    cells.set(buffer, split(list, role === 'history' ? end : null));
  }
  return cells;
}

/**
 * Cuts a buffer where accesses begin and end, and follows each cell through its lifetimes. In a history, a cell that is
 * read first lives from before the first firing, and to the end of the schedule, which is `persistsTo`.
 */
function split(accesses: readonly Access[], persistsTo: number | null): Cell[] {
  const bounds = new Set<number>();
  for (const { start, end } of accesses) {
    bounds.add(start);
    bounds.add(end);
  }
  const cuts = [...bounds].sort((a, b) => a - b);
  const indexOf = new Map(cuts.map((cut, i) => [cut, i]));
  const perCell: Access[][] = Array.from({ length: Math.max(0, cuts.length - 1) }, () => []);
  for (const access of accesses) {
    const last = indexOf.get(access.end)!;
    for (let i = indexOf.get(access.start)!; i < last; ++i) perCell[i]!.push(access);
  }
  return perCell.flatMap((list, i) => {
    const [start, end] = [cuts[i]!, cuts[i + 1]!];
    if (persistsTo === null || list[0]?.write !== false) return lifetimes(list, start, end);
    const whole = { start, end, row: 'no' as const };
    const [before, after] = [
      { ...whole, time: -1, write: true },
      { ...whole, time: persistsTo, write: false },
    ];
    return lifetimes([before, ...list, after], start, end);
  });
}

/** Splits the accesses of one cell into lifetimes: a write that follows a read begins a new one. */
function lifetimes(accesses: readonly Access[], start: number, end: number): Cell[] {
  const cells: Cell[] = [];
  let birth: number | null = null;
  let death = 0;
  let read = false;
  let diesInPlace: Overwriting = 'no';
  let bornAsRow = false;
  const close = (): void => {
    if (birth === null) return;
    cells.push({ start, end, birth, death, diesInPlace: read ? diesInPlace : 'no', bornAsRow });
  };
  for (const { time, write, row, start: from, end: to } of accesses) {
    const own = from === start && to === end ? row : 'no';
    if (write && (birth === null || read)) {
      close();
      birth = time;
      death = time;
      read = false;
      bornAsRow = own !== 'no';
    } else if (write) {
      death = time;
    } else {
      diesInPlace = read && death === time ? stricter(diesInPlace, own) : own;
      death = time;
      read = true;
    }
  }
  close();
  return cells;
}

function stricter(a: Overwriting, b: Overwriting): Overwriting {
  if (a === b) return a;
  return a === 'no' || b === 'no' ? 'no' : 'exactly';
}

/** Every access to the buffers, in order of time. */
function accessesTo(
  program: Program,
  schedule: readonly Run[],
  buffers: readonly BufferId[],
): Map<BufferId, Access[]> {
  const accesses = new Map<BufferId, Access[]>(buffers.map((buffer) => [buffer, []]));
  let time = 0;
  for (const run of schedule) {
    const call = program.calls[run.call]!;
    for (let i = 0; i < run.count; ++i) collect(call, run.first + i * run.step, time + i, program, accesses);
    time += run.count;
  }
  return accesses;
}

/** The accesses of one firing. Reads come before writes, as they do in a kernel. */
function collect(
  call: Call,
  firing: number,
  time: number,
  program: Program,
  accesses: ReadonlyMap<BufferId, Access[]>,
): void {
  call.slots.forEach((slot, index) => {
    if (slot.source.kind === 'buffer') push(slot.source.buffer, slot, false, overwriting(call, index));
  });
  push(call.output.buffer, call.output, true, 'at or below');
  const scratch = call.scratch === null ? undefined : accesses.get(call.scratch);
  if (scratch !== undefined) {
    const { bytes } = program.buffers[call.scratch!]!;
    scratch.push(whole(bytes, time, true));
    // Read at once: the next firing's write begins a new life.
    if (!call.scratchKeeps) scratch.push(whole(bytes, time, false));
  }

  function push(buffer: BufferId, view: RowView, write: boolean, row: Overwriting): void {
    const list = accesses.get(buffer);
    const range = list && touched(view, firing);
    if (range) list.push({ time, start: range.start, end: range.end, write, row });
  }
}

function whole(bytes: number, time: number, write: boolean): Access {
  return { time, start: 0, end: bytes, write, row: 'no' };
}

function overwriting({ inPlace, inPlaceExactly }: Call, slot: number): Overwriting {
  if (inPlace.includes(slot)) return 'at or below';
  return inPlaceExactly.includes(slot) ? 'exactly' : 'no';
}

export function usesBuffer(call: Call, buffer: BufferId): boolean {
  return (
    call.output.buffer === buffer ||
    call.scratch === buffer ||
    call.slots.some((slot) => slot.source.kind === 'buffer' && slot.source.buffer === buffer)
  );
}
