/**
 * The judge of a memory plan: runs a Program on real memory, once where the plan puts everything and once where nothing
 * overlaps, and compares every firing. It shares nothing with the planner or the checker. A "byte" holds a 32-bit hash,
 * so equal bytes by accident do not happen.
 */
import type { Plan } from '../../src/plan/plan.ts';
import type { BufferId, Call, Program, RowView, Run } from '../../src/program/types.ts';

type Placed = Pick<Plan, 'schedule' | 'addresses' | 'arenaBytes'>;

/**
 * Whether `program` computes the same in the planned arena as in memory where nothing overlaps, whether kernels that are
 * free to do so work from the first byte of a row on or from the last.
 */
export function survives(program: Program, plan: Placed): boolean {
  const memory: Memory = {
    words: plan.arenaBytes,
    address: (buffer, { offset, pitch, ring, turn }, row) =>
      plan.addresses[buffer]! + offset + ((row + turn) % ring) * pitch,
  };
  return [1, -1].every((direction) => {
    const planned = new Replay(program, memory, direction).run(plan.schedule);
    const separate = new Replay(program, separateMemory(program), direction).run(plan.schedule);
    return planned.length === separate.length && planned.every((hash, i) => hash === separate[i]);
  });
}

interface Memory {
  readonly words: number;
  /** Where row `row` of a view of `buffer` begins. */
  address(buffer: BufferId, view: RowView, row: number): number;
}

/** Every row of every buffer has a place of its own, those of rings too. */
function separateMemory(program: Program): Memory {
  const sizes = program.buffers.map((buffer) => buffer.bytes);
  for (const call of program.calls) {
    for (const [buffer, view] of viewsOf(call)) {
      const lastRow = Math.max(0, ...view.rows);
      sizes[buffer] = Math.max(sizes[buffer]!, view.offset + lastRow * view.pitch + view.rowBytes);
    }
  }
  const bases = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  return {
    words: sizes.reduce((sum, size) => sum + size, 0),
    address: (buffer, view, row) => bases[buffer]! + view.offset + row * view.pitch,
  };
}

function viewsOf(call: Call): [BufferId, RowView][] {
  const slots = call.slots.flatMap((slot): [BufferId, RowView][] =>
    slot.source.kind === 'buffer' ? [[slot.source.buffer, slot]] : [],
  );
  return [...slots, [call.output.buffer, call.output]];
}

class Replay {
  private readonly program: Program;
  private readonly memory: Memory;
  private readonly words: Uint32Array;
  private readonly direction: number;

  constructor(program: Program, memory: Memory, direction: number) {
    this.program = program;
    this.direction = direction;
    this.memory = memory;
    this.words = new Uint32Array(memory.words);
  }

  /** Two inferences, so that state must outlive the first; a hash for every firing, output and state. */
  run(schedule: readonly Run[]): number[] {
    const trace: number[] = [];
    // First, because what a history does not keep may lie under anything.
    for (const { id, role, bytes } of this.program.buffers) {
      if (role === 'history') this.fill(this.whole(id), bytes, mix(0, id));
    }
    for (let round = 0; round < 2; ++round) {
      for (const { id, role, bytes } of this.program.buffers) {
        if (role === 'input' || (role === 'state' && round === 0))
          this.fill(this.whole(id), bytes, mix(round, id));
      }
      const started = new Set<Call>();
      for (const run of schedule) {
        const call = this.program.calls[run.call]!;
        for (let i = 0; i < run.count; ++i) {
          trace.push(this.fire(call, run.first + i * run.step, !started.has(call)));
          started.add(call);
        }
      }
      for (const { buffer, bytes } of this.program.outputs)
        trace.push(this.hash(this.whole(buffer), bytes, 0));
      for (const { id, role, bytes } of this.program.buffers) {
        if (role === 'state') trace.push(this.hash(this.whole(id), bytes, 0));
      }
    }
    return trace;
  }

  /**
   * A kernel as hostile as its contract allows: it fills its scratch first, overwrites the output row before it reads
   * anything but the in-place rows, and reads those only just before it writes the same position, in any order if they
   * may be overwritten exactly only.
   */
  private fire(call: Call, firing: number, first: boolean): number {
    let hash = mix(call.index, firing);
    const scratch = call.scratch === null ? null : this.whole(call.scratch);
    const scratchBytes = call.scratch === null ? 0 : this.program.buffers[call.scratch]!.bytes;
    if (scratch !== null) {
      if (call.scratchKeeps && !first) hash = this.hash(scratch, scratchBytes, hash);
      this.fill(scratch, scratchBytes, hash);
    }
    const streamed: number[] = [];
    const others: { start: number; bytes: number }[] = [];
    call.slots.forEach((slot, index) => {
      const row = slot.rows[firing]!;
      if (slot.source.kind !== 'buffer' || row < 0) return;
      const start = this.memory.address(slot.source.buffer, slot, row);
      const isInPlace = call.inPlace.includes(index) || call.inPlaceExactly.includes(index);
      if (isInPlace && slot.rowBytes === call.output.rowBytes) streamed.push(start);
      else others.push({ start, bytes: slot.rowBytes });
    });
    const { output } = call;
    const row = output.rows[firing]!;
    const target = row < 0 ? null : this.memory.address(output.buffer, output, row);
    const isBackward = this.direction < 0 && call.inPlaceExactly.length > 0;
    for (let step = 0; step < output.rowBytes; ++step) {
      const i = isBackward ? output.rowBytes - 1 - step : step;
      for (const start of streamed) hash = mix(hash, this.words[start + i]!);
      if (target !== null) this.words[target + i] = hash;
    }
    for (const { start, bytes } of others) hash = this.hash(start, bytes, hash);
    if (scratch !== null) hash = this.hash(scratch, scratchBytes, hash);
    if (target !== null) this.fill(target, output.rowBytes, hash);
    return hash;
  }

  private whole(buffer: BufferId): number {
    const view = { offset: 0, pitch: 0, rowBytes: 0, ring: 1, turn: 0, rows: new Int32Array(1) };
    return this.memory.address(buffer, view, 0);
  }

  private fill(start: number, bytes: number, hash: number): void {
    for (let i = 0; i < bytes; ++i) this.words[start + i] = mix(hash, i);
  }

  private hash(start: number, bytes: number, seed: number): number {
    let hash = seed;
    for (let i = 0; i < bytes; ++i) hash = mix(hash, this.words[start + i]!);
    return hash;
  }
}

/** The finaliser of MurmurHash3 over both numbers. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) + 0x165667b1;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
