/**
 * Live bytes of a group of calls, by rows: the cost of cutting the program there. Tensors that enter or leave the group
 * are whole, those inside are counted row by row from the firing that writes them to the last that reads them. A lower
 * bound of what any placement of this order needs.
 */
import type { BufferId, BufferRole, Program, RowView } from '../program/types.ts';
import type { Group } from './pull.ts';

interface BufferUse {
  /** Bytes of the rows this buffer is counted in. */
  readonly unit: number;
  readonly units: number;
  /** First call that writes it (-1: an input) and last call that reads it (calls.length: an output). */
  readonly born: number;
  readonly dies: number;
}

/** Bytes by time. */
interface Changes {
  readonly born: Float64Array;
  readonly dead: Float64Array;
}

/** A view of a buffer in units of its rows: firing y touches units [from[y], to[y]); from is -1 for none. */
interface UnitRange {
  readonly buffer: BufferId;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

export class LiveRows {
  private readonly program: Program;
  private readonly uses: readonly BufferUse[];
  private readonly reads: readonly (readonly UnitRange[])[];
  private readonly writes: readonly UnitRange[];
  /** Time of the first write and last read of each unit, reused between groups. */
  private readonly birth: readonly Int32Array[];
  private readonly death: readonly Int32Array[];

  constructor(program: Program) {
    this.program = program;
    const views = viewsByBuffer(program);
    this.uses = program.buffers.map(({ id, bytes, role }) => useOf(program, views[id]!, id, bytes, role));
    this.reads = program.calls.map((call) =>
      call.slots.flatMap((slot) =>
        slot.source.kind === 'buffer' ? [this.range(slot.source.buffer, slot)] : [],
      ),
    );
    this.writes = program.calls.map((call) => this.range(call.output.buffer, call.output));
    this.birth = this.uses.map((use) => new Int32Array(use.units));
    this.death = this.uses.map((use) => new Int32Array(use.units));
  }

  /** Bytes live between calls `call` - 1 and `call`, when everything before is done. */
  atCut(call: number): number {
    return this.uses.reduce(
      (sum, use, id) => sum + (use.born < call && use.dies >= call ? this.program.buffers[id]!.bytes : 0),
      0,
    );
  }

  /** The most bytes live during `group`, fired in `order`. */
  peak(group: Group, order: readonly number[]): number {
    const { born, dead, through } = this.changes(group, order);
    let live = 0;
    let most = 0;
    for (const [time, bytes] of born.entries()) {
      live += bytes;
      if (live > most) most = live;
      live -= dead[time]!;
    }
    return most + through;
  }

  /**
   * Bytes by time: what becomes live with a firing, and what is not live any more after it. Firing i of `order` has time
   * i + 1; time 0 is before all of them, and what is read after the group does not die. `through`: what is live all along
   * and of no concern to the group.
   */
  changes(
    group: Group,
    order: readonly number[],
  ): { readonly born: Float64Array; readonly dead: Float64Array; readonly through: number } {
    const end = order.length + 1;
    const touched = this.start(group, end);
    this.replay(group, order);
    const changes = { born: new Float64Array(end), dead: new Float64Array(end) };
    let through = 0;
    for (const [id, use] of this.uses.entries()) {
      if (touched.has(id)) this.addRows(id, changes);
      else if (use.born < group.first && use.dies > group.last) through += this.program.buffers[id]!.bytes;
    }
    this.addScratch(group, order, changes);
    return { ...changes, through };
  }

  /** Resets the rows of every buffer the group touches: born before it (0), read after it (end), or inside (-1). */
  private start({ first, last }: Group, end: number): Set<BufferId> {
    const touched = new Set<BufferId>();
    for (let c = first; c <= last; ++c) {
      touched.add(this.writes[c]!.buffer);
      for (const read of this.reads[c]!) touched.add(read.buffer);
    }
    for (const id of touched) {
      const { born, dies } = this.uses[id]!;
      this.birth[id]!.fill(born < first ? 0 : -1);
      this.death[id]!.fill(dies > last ? end : born < first ? 0 : -1);
    }
    return touched;
  }

  private replay({ reverse }: Group, order: readonly number[]): void {
    const fired = new Map<number, number>();
    order.forEach((call, i) => {
      const time = i + 1;
      const k = fired.get(call) ?? 0;
      fired.set(call, k + 1);
      const y = reverse ? this.program.calls[call]!.firings - 1 - k : k;
      for (const { buffer, from, to } of this.reads[call]!) {
        const death = this.death[buffer]!;
        for (let unit = from[y]!; unit >= 0 && unit < to[y]!; ++unit)
          if (death[unit]! < time) death[unit] = time;
      }
      const { buffer, from, to } = this.writes[call]!;
      const [birth, death] = [this.birth[buffer]!, this.death[buffer]!];
      for (let unit = from[y]!; unit >= 0 && unit < to[y]!; ++unit) {
        if (birth[unit]! < 0) birth[unit] = time;
        if (death[unit]! < time) death[unit] = time;
      }
    });
  }

  private addRows(id: BufferId, { born, dead }: Changes): void {
    const { unit, units } = this.uses[id]!;
    const bytes = this.program.buffers[id]!.bytes;
    for (let i = 0; i < units; ++i) {
      if (this.birth[id]![i]! < 0) continue;
      const size = Math.min(unit, bytes - i * unit);
      born[this.birth[id]![i]!]! += size;
      const death = this.death[id]![i]!;
      if (death < dead.length) dead[death]! += size;
    }
  }

  private addScratch(group: Group, order: readonly number[], { born, dead }: Changes): void {
    for (let c = group.first; c <= group.last; ++c) {
      const { scratch, scratchKeeps } = this.program.calls[c]!;
      if (scratch === null) continue;
      const { bytes } = this.program.buffers[scratch]!;
      if (scratchKeeps) {
        born[order.indexOf(c) + 1]! += bytes;
        dead[order.lastIndexOf(c) + 1]! += bytes;
        continue;
      }
      order.forEach((call, i) => {
        if (call !== c) return;
        born[i + 1]! += bytes;
        dead[i + 1]! += bytes;
      });
    }
  }

  private range(buffer: BufferId, view: RowView): UnitRange {
    const { unit } = this.uses[buffer]!;
    const from = new Int32Array(view.rows.length).fill(-1);
    const to = new Int32Array(view.rows.length);
    view.rows.forEach((row, y) => {
      if (row < 0) return;
      const start = view.offset + row * view.pitch;
      from[y] = Math.floor(start / unit);
      to[y] = Math.ceil((start + view.rowBytes) / unit);
    });
    return { buffer, from, to };
  }
}

function useOf(
  program: Program,
  views: readonly BufferView[],
  id: BufferId,
  bytes: number,
  role: BufferRole,
): BufferUse {
  const unit = Math.max(
    1,
    Math.min(bytes, ...views.map(({ view }) => (view.pitch > 0 ? view.pitch : bytes))),
  );
  const writers = views.filter(({ writes }) => writes).map(({ call }) => call);
  const readers = views.filter(({ writes }) => !writes).map(({ call }) => call);
  const isOutput = program.outputs.some((port) => port.buffer === id);
  return {
    unit,
    units: Math.ceil(bytes / unit),
    born: role === 'input' || role === 'state' ? -1 : Math.min(program.calls.length, ...writers),
    dies: isOutput || role === 'state' ? program.calls.length : Math.max(-1, ...readers),
  };
}

/** A view of a buffer and the call that has it. */
export interface BufferView {
  readonly call: number;
  readonly view: RowView;
  readonly writes: boolean;
}

/** Every view of each buffer, by buffer id, in order of calls. */
export function viewsByBuffer(program: Program): BufferView[][] {
  const views: BufferView[][] = program.buffers.map(() => []);
  for (const call of program.calls) {
    for (const slot of call.slots) {
      if (slot.source.kind !== 'buffer') continue;
      views[slot.source.buffer]!.push({ call: call.index, view: slot, writes: false });
    }
    views[call.output.buffer]!.push({ call: call.index, view: call.output, writes: true });
  }
  return views;
}
