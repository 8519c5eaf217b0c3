/**
 * What is left to do for a window when the one before is known: the firings that must run, the bytes that are taken over,
 * and the bytes that need a place for either. Demand-driven, from the outputs back to the input.
 */
import { type BufferId, type Program, type RowView, touched } from '../program/types.ts';
import { firesTogether, type Reuse } from './reuse.ts';

export interface Steady {
  /** By call and firing: 1 where it runs for every window. */
  readonly fires: readonly Uint8Array[];
  /** By buffer and byte: 1 where the byte is the one `shift` further down of the window before. */
  readonly taken: readonly Uint8Array[];
  /** By buffer and byte: 1 where anything reads or writes it. */
  readonly placed: readonly Uint8Array[];
  /** The most bytes that a tensor keeps only to carry rows to the top of the window. */
  readonly carried: number;
}

/**
 * @param longest bytes that a tensor may keep only to carry its newest rows to the top of the window, where padding makes
 * a few rows of the next layer be computed again; where it would be more, the top rows are computed again instead
 */
export function steadyOf(program: Program, reuse: Reuse, longest: number): Steady {
  return new SteadySearch(program, reuse, longest).run();
}

class SteadySearch {
  private readonly program: Program;
  private readonly reuse: Reuse;
  private readonly longest: number;
  private readonly fires: readonly Uint8Array[];
  private readonly needed: readonly Uint8Array[];
  private readonly taken: readonly Uint8Array[];
  private readonly settled = new Set<BufferId>();
  private carried = 0;

  constructor(program: Program, reuse: Reuse, longest: number) {
    this.program = program;
    this.reuse = reuse;
    this.longest = longest;
    this.fires = program.calls.map(({ firings }) => new Uint8Array(firings));
    this.needed = program.buffers.map(({ bytes }) => new Uint8Array(bytes));
    this.taken = program.buffers.map(({ bytes }) => new Uint8Array(bytes));
  }

  run(): Steady {
    const { calls, outputs, inputs } = this.program;
    for (const { buffer } of outputs) this.needed[buffer]!.fill(1);
    // Calls are in execution order, so whoever reads a tensor comes after all that write it.
    for (let c = calls.length - 1; c >= 0; --c) this.visit(c);
    for (const { buffer, bytes } of inputs) {
      this.needed[buffer]!.fill(1, bytes - this.reuse.shifts[buffer]!);
      this.settle(buffer, 0);
    }
    return { fires: this.fires, taken: this.taken, placed: this.placed(), carried: this.carried };
  }

  private visit(index: number): void {
    const call = this.program.calls[index]!;
    const { buffer } = call.output;
    if (!this.settled.has(buffer)) this.settle(buffer, this.recomputedTop(buffer));
    const [needed, taken, fires] = [this.needed[buffer]!, this.taken[buffer]!, this.fires[index]!];
    for (let y = 0; y < call.firings; ++y) {
      const range = touched(call.output, y);
      for (let b = range?.start ?? 0; range !== null && b < range.end; ++b) {
        if (needed[b] === 1 && taken[b] === 0) fires[y] = 1;
      }
    }
    if (firesTogether(call) && fires.includes(1)) fires.fill(1);
    for (const slot of call.slots) {
      if (slot.source.kind === 'buffer') markTouched(this.needed[slot.source.buffer]!, slot, fires);
    }
  }

  /** Decides which of the needed bytes are taken over; those they are taken from are needed too. */
  private settle(buffer: BufferId, top: number): void {
    this.settled.add(buffer);
    const shift = this.reuse.shifts[buffer]!;
    const [same, needed, taken] = [this.reuse.same[buffer]!, this.needed[buffer]!, this.taken[buffer]!];
    for (let b = top; b < needed.length; ++b) {
      if (needed[b] === 0 || same[b] === 0) continue;
      taken[b] = 1;
      needed[b + shift] = 1;
    }
  }

  /** The bytes at the beginning of a tensor that are computed again rather than kept: up to the longest gap, or none. */
  private recomputedTop(buffer: BufferId): number {
    const [same, needed] = [this.reuse.same[buffer]!, this.needed[buffer]!];
    let top = 0;
    let longest = 0;
    let gap = 0;
    for (let b = needed.indexOf(1); b >= 0 && b < needed.length; ++b) {
      if (needed[b] === 0) gap += same[b]!;
      else {
        if (gap > longest) [top, longest] = [b, gap];
        gap = 0;
      }
    }
    if (longest > this.longest) return top;
    this.carried = Math.max(this.carried, longest);
    return 0;
  }

  private placed(): Uint8Array[] {
    const placed = this.needed.map((bytes) => bytes.slice());
    for (const [index, { output }] of this.program.calls.entries()) {
      markTouched(placed[output.buffer]!, output, this.fires[index]!);
    }
    return placed;
  }
}

function markTouched(bytes: Uint8Array, view: RowView, fires: Uint8Array): void {
  for (let y = 0; y < fires.length; ++y) {
    const range = fires[y] === 1 ? touched(view, y) : null;
    if (range !== null) bytes.fill(1, range.start, range.end);
  }
}
