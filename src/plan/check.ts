/**
 * The independent checker: replays the schedule on an arena of stamps and proves that every firing reads exactly the
 * bytes that were written for it. It shares no code with the planner and knows nothing of lifetimes or distances: every
 * write stamps its bytes in the arena and, separately, in an unlimited memory where nothing ever overlaps; a read
 * must find the same stamps in both. Runs in every compile.
 */
import { fail } from '../core/diagnostics.ts';
import type { BufferId, Call, Program, RowView } from '../program/types.ts';
import type { Plan } from './plan.ts';

/** @throws RV9002 with the call, firing and byte of the first violation. */
export function checkPlan(program: Program, plan: Pick<Plan, 'schedule' | 'addresses' | 'arenaBytes'>): void {
  new Checker(program, plan).run();
}

class Checker {
  private readonly program: Program;
  private readonly plan: Pick<Plan, 'schedule' | 'addresses' | 'arenaBytes'>;
  private readonly arena: Int32Array;
  /** Stamps as if every row of every buffer had memory of its own. */
  private readonly ideal: readonly Int32Array[];
  private stamp = 0;

  constructor(program: Program, plan: Pick<Plan, 'schedule' | 'addresses' | 'arenaBytes'>) {
    this.program = program;
    this.plan = plan;
    this.arena = new Int32Array(plan.arenaBytes);
    const extents = program.buffers.map((buffer) => buffer.bytes);
    for (const call of program.calls) {
      for (const view of [call.output, ...call.slots]) {
        const buffer = bufferOf(view);
        if (buffer === null) continue;
        const last = view.rows.reduce((most, row) => Math.max(most, row), 0);
        extents[buffer] = Math.max(extents[buffer]!, view.offset + last * view.pitch + view.rowBytes);
      }
    }
    this.ideal = extents.map((bytes) => new Int32Array(bytes));
  }

  run(): void {
    const { program, plan } = this;
    for (const { id, bytes, name } of program.buffers) {
      const base = plan.addresses[id]!;
      if (base < 0 || base + bytes > plan.arenaBytes)
        this.violation(`buffer "${name}" lies outside the arena`);
    }
    // What persists is there before the caller writes the inputs.
    for (const role of ['state', 'input']) {
      for (const buffer of program.buffers)
        if (buffer.role === role) this.write(buffer.id, 0, 0, buffer.bytes);
    }
    const kept = this.readFirst();
    for (const [id, byte] of kept) this.write(id, byte, byte, 1);
    const fired = program.calls.map((call) => new Uint8Array(call.firings));
    for (const run of plan.schedule) {
      for (let i = 0; i < run.count; ++i) {
        const firing = run.first + i * run.step;
        const flags = fired[run.call]!;
        if (flags[firing] !== 0) this.violation(`call ${run.call} fires ${firing} twice or not at all`);
        flags[firing] = 1;
        this.fire(program.calls[run.call]!, firing);
      }
    }
    const idle = fired.findIndex((flags) => flags.includes(0));
    if (idle >= 0) this.violation(`call ${idle} does not fire completely`);
    for (const { name, buffer, bytes } of program.outputs) this.read(buffer, 0, 0, bytes, `output "${name}"`);
    for (const { id, role, bytes, name } of program.buffers) {
      if (role === 'state') this.read(id, 0, 0, bytes, `state "${name}"`);
    }
    for (const [id, byte] of kept)
      this.read(id, byte, byte, 1, `the next run of "${program.buffers[id]!.name}"`);
  }

  /** The bytes of histories that a run reads before it writes them, as [buffer, byte]. */
  private readFirst(): [BufferId, number][] {
    const found: [BufferId, number][] = [];
    const seen = this.program.buffers.map(
      ({ role, bytes }) => new Uint8Array(role === 'history' ? bytes : 0),
    );
    const touch = (view: RowView, firing: number, isRead: boolean): void => {
      const range = this.rangeOf(view, firing);
      if (range === null) return;
      const bytes = seen[range.buffer]!;
      const end = Math.min(range.physical + view.rowBytes, bytes.length);
      for (let byte = range.physical; byte < end; ++byte) {
        if (isRead && bytes[byte] === 0) found.push([range.buffer, byte]);
        bytes[byte] = 1;
      }
    };
    for (const { call, first, count, step } of this.plan.schedule) {
      const { slots, output } = this.program.calls[call]!;
      for (let i = 0; i < count; ++i) {
        for (const slot of slots) touch(slot, first + i * step, true);
        touch(output, first + i * step, false);
      }
    }
    return found;
  }

  private fire(call: Call, firing: number): void {
    const where = `call ${call.index} (${call.origin.op} "${call.origin.name}"), firing ${firing}`;
    const busy: { start: number; end: number; mayStartAt: (start: number) => boolean }[] = [];
    call.slots.forEach((slot, index) => {
      const range = this.rangeOf(slot, firing);
      if (range === null) return;
      this.read(range.buffer, range.logical, range.physical, slot.rowBytes, `${where}, slot ${index}`);
      const start = this.plan.addresses[range.buffer]! + range.physical;
      // In place: the kernel has read bytes 0 to i before it writes byte i, so a row at the same or a lower address is safe;
      // or it has read byte i, and the address must be the same.
      const mayStartAt = (output: number): boolean =>
        (call.inPlace.includes(index) && output <= start) ||
        (call.inPlaceExactly.includes(index) && output === start);
      busy.push({ start, end: start + slot.rowBytes, mayStartAt });
    });
    if (call.scratch !== null) {
      const start = this.plan.addresses[call.scratch]!;
      const { bytes } = this.program.buffers[call.scratch]!;
      // An accumulator must still hold what the firing before left there.
      if (call.scratchKeeps && this.ideal[call.scratch]![0] !== 0)
        this.read(call.scratch, 0, 0, bytes, `${where}, scratch`);
      this.requireDisjoint(start, start + bytes, busy, `${where}: the scratch overlaps an input row`);
      this.write(call.scratch, 0, 0, bytes);
      busy.push({ start, end: start + bytes, mayStartAt: () => false });
    }
    const output = this.rangeOf(call.output, firing);
    if (output === null) return;
    const start = this.plan.addresses[output.buffer]! + output.physical;
    const end = start + call.output.rowBytes;
    const conflicting = busy.filter(
      (range) => !(range.mayStartAt(start) && end - start === range.end - range.start),
    );
    this.requireDisjoint(
      start,
      end,
      conflicting,
      `${where}: the output row overlaps a row that is being read`,
    );
    this.write(output.buffer, output.logical, output.physical, call.output.rowBytes);
  }

  /** Where the view's row of this firing lies in unlimited memory and inside its buffer. */
  private rangeOf(
    view: RowView,
    firing: number,
  ): { buffer: BufferId; logical: number; physical: number } | null {
    const buffer = bufferOf(view);
    const row = view.rows[firing]!;
    if (buffer === null || row < 0) return null;
    return {
      buffer,
      logical: view.offset + row * view.pitch,
      physical: view.offset + ((row + view.turn) % view.ring) * view.pitch,
    };
  }

  private read(buffer: BufferId, logical: number, physical: number, bytes: number, where: string): void {
    const from = this.plan.addresses[buffer]! + physical;
    const ideal = this.ideal[buffer]!;
    for (let i = 0; i < bytes; ++i) {
      const stamp = ideal[logical + i]!;
      if (stamp === 0) this.violation(`${where} reads byte ${logical + i} before it is written`);
      if (this.arena[from + i] !== stamp)
        this.violation(`${where} reads byte ${logical + i} after it is overwritten`);
    }
  }

  private write(buffer: BufferId, logical: number, physical: number, bytes: number): void {
    const from = this.plan.addresses[buffer]! + physical;
    const { name, bytes: size } = this.program.buffers[buffer]!;
    if (physical + bytes > size) this.violation(`a write reaches beyond buffer "${name}"`);
    this.stamp += 1;
    this.arena.fill(this.stamp, from, from + bytes);
    this.ideal[buffer]!.fill(this.stamp, logical, logical + bytes);
  }

  private requireDisjoint(
    start: number,
    end: number,
    ranges: readonly { start: number; end: number }[],
    message: string,
  ): void {
    if (ranges.some((range) => start < range.end && range.start < end)) this.violation(message);
  }

  private violation(message: string): never {
    return fail('RV9002', message, {
      origin: this.program.name,
      hint: 'this is a fault of Rivulet, please report it with the model',
    });
  }
}

function bufferOf(view: RowView): BufferId | null {
  if ('buffer' in view) return view.buffer as BufferId;
  const { source } = view as RowView & { source: { kind: string; buffer?: BufferId } };
  return source.kind === 'buffer' ? source.buffer! : null;
}
