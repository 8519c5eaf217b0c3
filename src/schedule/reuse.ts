/**
 * What two windows have in common, when a window slides along the rows of the input: which bytes of every tensor were
 * computed for the window before and lie there further down. Found from rows alone: a firing repeats an earlier one if it
 * hands the kernel the same bytes in the same slots, and no row where there was none. Padding along time is therefore
 * nothing special: a firing that reads a padding row repeats none that reads a frame in its place.
 */
import { kernelSource } from '../program/kernel-source.ts';
import { type BufferId, type Call, type Program, type Slot, touched } from '../program/types.ts';

export interface Reuse {
  /** By buffer: byte b of a window is byte b + shift of the window before. 0: no two windows have a byte in common. */
  readonly shifts: readonly number[];
  /** By buffer and byte b: 1 where that holds. */
  readonly same: readonly Uint8Array[];
}

interface MutableReuse extends Reuse {
  readonly shifts: number[];
}

/**
 * @param program in whole-tensor form, with one input
 * @param hopBytes bytes of the input from the beginning of one window to that of the next
 */
export function reuseOf(program: Program, hopBytes: number): Reuse {
  const shifts = program.buffers.map(() => 0);
  const same = program.buffers.map(({ bytes }) => new Uint8Array(bytes));
  const [input] = program.inputs;
  shifts[input!.buffer] = hopBytes;
  same[input!.buffer]!.fill(1, 0, Math.max(0, input!.bytes - hopBytes));
  const reuse = { shifts, same };
  const overwritten = writtenTwice(program);
  for (const call of program.calls) addCall(reuse, call, overwritten);
  return reuse;
}

/** Whether the order and number of a call's firings matter to what they compute, so that it fires all or none. */
export function firesTogether(call: Call): boolean {
  return call.scratchKeeps || /\brow->y\b/.test(kernelSource(call.kernel).body);
}

function addCall(reuse: MutableReuse, call: Call, overwritten: ReadonlySet<BufferId>): void {
  const { output } = call;
  if (firesTogether(call) || overwritten.has(output.buffer)) return;
  const advance = advanceOf(reuse, call);
  if (advance === null) return;
  for (let i = 0; i + advance < call.firings; ++i) {
    const [now, before] = [touched(output, i), touched(output, i + advance)];
    if (now === null || before === null || !repeats(reuse, call, i, i + advance)) continue;
    // All rows, of all calls that write parts of the tensor, must move alike.
    const shift = before.start - now.start;
    if (reuse.shifts[output.buffer] === 0 && shift > 0) reuse.shifts[output.buffer] = shift;
    if (reuse.shifts[output.buffer] === shift) reuse.same[output.buffer]!.fill(1, now.start, now.end);
  }
}

/** How many firings further on the window before has the same rows; null if it has them nowhere. */
function advanceOf(reuse: Reuse, call: Call): number | null {
  let best: number | null = null;
  let most = 0;
  for (const advance of candidates(reuse, call)) {
    let count = 0;
    for (let i = 0; i + advance < call.firings; ++i) if (repeats(reuse, call, i, i + advance)) ++count;
    if (count > most) [best, most] = [advance, count];
  }
  return best;
}

/** The advances at which the middle row of some slot finds its bytes again. */
function candidates({ shifts }: Reuse, call: Call): Set<number> {
  const found = new Set<number>();
  for (const slot of call.slots) {
    const shift = slot.source.kind === 'buffer' ? shifts[slot.source.buffer]! : 0;
    if (shift === 0 || slot.pitch === 0 || shift % slot.pitch !== 0) continue;
    const present = [...slot.rows.keys()].filter((y) => slot.rows[y]! >= 0);
    const middle = present[present.length >> 1];
    if (middle === undefined) continue;
    const wanted = slot.rows[middle]! + shift / slot.pitch;
    for (const y of present) if (y > middle && slot.rows[y] === wanted) found.add(y - middle);
    // The middle may lie too close to the end; rows before it say the same.
    for (const y of present)
      if (y < middle && slot.rows[middle]! - slot.rows[y]! === shift / slot.pitch) found.add(middle - y);
  }
  return found;
}

/**
 * Whether firing `i` of a window computes what firing `j` of the window before did, from frames that both windows have. What
 * does not depend on frames, as rows of padding, could be older than the stream is long.
 */
function repeats(reuse: Reuse, call: Call, i: number, j: number): boolean {
  const reads = call.slots.some(({ source, rows }) => source.kind === 'buffer' && rows[i]! >= 0);
  return reads && call.slots.every((slot) => repeatsSlot(reuse, slot, i, j));
}

function repeatsSlot({ shifts, same }: Reuse, slot: Slot, i: number, j: number): boolean {
  const [now, before] = [touched(slot, i), touched(slot, j)];
  if (now === null || before === null) return now === before;
  if (slot.source.kind === 'constant') return now.start === before.start;
  const { buffer } = slot.source;
  if (shifts[buffer] === 0 || before.start - now.start !== shifts[buffer]) return false;
  return !same[buffer]!.subarray(now.start, now.end).includes(0);
}

/** Buffers with a byte that more than one firing writes: what it holds depends on when it is read. */
function writtenTwice({ buffers, calls }: Program): Set<BufferId> {
  const written = buffers.map(({ bytes }) => new Uint8Array(bytes));
  const twice = new Set<BufferId>();
  for (const { output, firings } of calls) {
    for (let y = 0; y < firings; ++y) {
      const range = touched(output, y);
      if (range === null) continue;
      if (written[output.buffer]!.subarray(range.start, range.end).includes(1)) twice.add(output.buffer);
      written[output.buffer]!.fill(1, range.start, range.end);
    }
  }
  return twice;
}
