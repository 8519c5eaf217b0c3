/** Programs made by hand or at random for the planner's tests: no operators, only rows that move between buffers. */
import { createRandom } from '../../src/core/random.ts';
import type { Buffer, BufferId, BufferRole, Call, Program, RowView, Run } from '../../src/program/types.ts';

/** Rows of a buffer; by default each row lies behind the one before and has a place of its own. */
export interface Rows {
  readonly buffer: BufferId;
  readonly rowBytes: number;
  /** The row of each firing, -1 for none. */
  readonly rows: readonly number[];
  readonly offset?: number;
  readonly pitch?: number;
  readonly ring?: number;
  readonly turn?: number;
}

export interface CallOptions {
  readonly scratchBytes?: number;
  readonly scratchKeeps?: boolean;
  readonly inPlace?: readonly number[];
  readonly inPlaceExactly?: readonly number[];
  readonly reversible?: boolean;
}

export class ProgramSketch {
  private readonly buffers: Buffer[] = [];
  private readonly calls: Call[] = [];

  buffer(bytes: number, role: BufferRole = 'activation'): BufferId {
    const id = this.buffers.length;
    this.buffers.push({ id, name: `${role}${id}`, bytes, role });
    return id;
  }

  bytesOf(buffer: BufferId): number {
    return this.buffers[buffer]!.bytes;
  }

  isInput(buffer: BufferId): boolean {
    return this.buffers[buffer]!.role === 'input';
  }

  call(slots: readonly Rows[], output: Rows, options: CallOptions = {}): number {
    const index = this.calls.length;
    const { scratchBytes = 0, scratchKeeps = false, reversible = true } = options;
    const { inPlace = [], inPlaceExactly = [] } = options;
    this.calls.push({
      index,
      origin: { index, op: 'CALL', name: `call${index}` },
      op: 'call',
      kernel: 'none',
      why: '',
      macs: 0,
      geometry: {},
      data: {},
      firings: output.rows.length,
      slots: slots.map((slot) => ({ ...this.view(slot), source: { kind: 'buffer', buffer: slot.buffer } })),
      output: { ...this.view(output), buffer: output.buffer },
      scratch: scratchBytes === 0 ? null : this.buffer(scratchBytes, 'scratch'),
      scratchKeeps,
      shared: false,
      roomy: [],
      inPlace,
      inPlaceExactly,
      reversible,
      result: null,
    });
    return index;
  }

  /** `outputs` are read after the last firing; without a schedule each call runs completely before the next. */
  finish(outputs: readonly BufferId[], schedule?: readonly Run[]): Program {
    const buffers = this.buffers.map(
      (buffer): Buffer =>
        buffer.role === 'activation' && outputs.includes(buffer.id) ? { ...buffer, role: 'output' } : buffer,
    );
    const ports = (ids: readonly BufferId[]) =>
      ids.map((id) => {
        const { name, bytes } = buffers[id]!;
        return { name, buffer: id, shape: [bytes], dtype: 'int8', bytes } as const;
      });
    return {
      name: 'sketch',
      buffers,
      constants: [],
      calls: this.calls,
      schedule:
        schedule ??
        this.calls.map(({ index, firings }) => ({ call: index, first: 0, count: firings, step: 1 })),
      inputs: ports(buffers.filter(({ role }) => role === 'input').map(({ id }) => id)),
      outputs: ports(outputs),
      states: [],
    };
  }

  private view({ buffer, rowBytes, rows, offset = 0, pitch = rowBytes, ring, turn = 0 }: Rows): RowView {
    const places = Math.floor((this.bytesOf(buffer) - offset - rowBytes) / pitch) + 1;
    return { offset, pitch, rowBytes, ring: ring ?? places, turn, rows: Int32Array.from(rows) };
  }
}

/** 0, 1, ... count - 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A tensor of a random program. */
interface Tensor {
  readonly buffer: BufferId;
  readonly count: number;
  readonly rowBytes: number;
}

export interface RandomProgramOptions {
  readonly calls: number;
  readonly maxRows: number;
  readonly maxRowBytes: number;
  /** Also what the planner may treat more cautiously than need be: rows nobody reads, cells finer than rows. */
  readonly irregular: boolean;
}

/** Layers one after another: windows, in-place, broadcasting, whole reads, accumulators, parts, state. */
export function randomProgram(seed: number, options: RandomProgramOptions): Program {
  const random = createRandom(seed);
  const integer = (lowest: number, highest: number) => lowest + Math.floor(random() * (highest - lowest + 1));
  const chance = (probability: number) => random() < probability;
  const sketch = new ProgramSketch();
  const tensor = (count: number, rowBytes: number, role?: BufferRole): Tensor => ({
    buffer: sketch.buffer(count * rowBytes, role),
    count,
    rowBytes,
  });
  const rowBytes = () => integer(1, options.maxRowBytes);
  const scratch = () =>
    chance(0.25) ? { scratchBytes: integer(1, 2 * options.maxRowBytes), scratchKeeps: chance(0.5) } : {};
  const pool = [tensor(integer(1, options.maxRows), rowBytes(), 'input')];
  const unread = new Set(pool);
  if (options.irregular && chance(0.3)) pool.push(tensor(integer(1, options.maxRows), rowBytes(), 'input'));
  const state = chance(0.2) ? tensor(integer(1, options.maxRows), rowBytes(), 'state') : null;
  const read = (): Tensor => {
    // Mostly what nobody has read yet, so that chains come about.
    const fresh = [...unread];
    const list = fresh.length > 0 && chance(0.7) ? fresh : pool;
    const found = list[integer(0, list.length - 1)]!;
    unread.delete(found);
    return found;
  };
  const made = (result: Tensor): void => {
    pool.push(result);
    unread.add(result);
  };
  const each = (t: Tensor): Rows => ({ ...t, rows: upTo(t.count) });

  const kinds: readonly (() => void)[] = [
    function elementwise() {
      const a = read();
      const y = tensor(a.count, a.rowBytes);
      const b = pool.find((t) => t !== a && t.count === a.count && t.rowBytes === a.rowBytes);
      const slots = b === undefined ? [each(a)] : [each(a), each(b)];
      if (b !== undefined) unread.delete(b);
      const overwritten = upTo(slots.length).filter(() => chance(0.8));
      const how = chance(0.6) ? { inPlace: overwritten } : { inPlaceExactly: overwritten };
      sketch.call(slots, each(y), { ...how, ...scratch() });
      made(y);
    },
    function window() {
      const x = read();
      const kernel = integer(1, Math.min(4, x.count + 1));
      const stride = options.irregular ? integer(1, 3) : integer(1, Math.min(2, kernel));
      const top = integer(0, kernel - 1);
      const count = Math.max(1, Math.ceil((x.count + top) / stride));
      const y = tensor(count, rowBytes());
      const slots = upTo(kernel).map((k): Rows => {
        const rows = upTo(count).map((r) => r * stride - top + k);
        return { ...x, rows: rows.map((r) => (r >= 0 && r < x.count ? r : -1)) };
      });
      sketch.call(slots, each(y), scratch());
      made(y);
    },
    function anyRows() {
      const x = read();
      const y = tensor(integer(x.count, x.count + 2), rowBytes());
      const order = upTo(y.count).sort(() => random() - 0.5);
      const rows = order
        .map((_, i) => (i < x.count ? i : integer(-1, x.count - 1)))
        .sort(() => random() - 0.5);
      sketch.call([{ ...x, rows }], { ...y, rows: order }, { reversible: chance(0.7) });
      made(y);
    },
    function whole() {
      const x = read();
      const y = tensor(integer(1, options.maxRows), rowBytes());
      const view = { buffer: x.buffer, rowBytes: x.count * x.rowBytes, rows: upTo(y.count).map(() => 0) };
      sketch.call([view], each(y), scratch());
      made(y);
    },
    function accumulate() {
      const x = read();
      const y = tensor(1, rowBytes());
      const rows = upTo(x.count).map((i) => (i === x.count - 1 ? 0 : -1));
      sketch.call(
        [each(x)],
        { ...y, rows },
        { scratchBytes: integer(1, 8), scratchKeeps: true, reversible: false },
      );
      made(y);
    },
    function parts() {
      const sources = upTo(integer(2, 3)).map(read);
      const inColumns = options.irregular && chance(0.6);
      const count = inColumns
        ? Math.max(...sources.map((t) => t.count))
        : sources.reduce((n, t) => n + t.count, 0);
      const width = inColumns
        ? sources.reduce((n, t) => n + t.rowBytes, 0)
        : Math.max(...sources.map((t) => t.rowBytes));
      const y = tensor(count, width);
      let start = 0;
      for (const x of sources) {
        const rows = upTo(inColumns ? count : x.count);
        const slot = { ...x, rows: rows.map((r) => r % x.count) };
        const part = inColumns
          ? { buffer: y.buffer, rowBytes: x.rowBytes, pitch: width, offset: start, rows }
          : { ...y, rows: rows.map((r) => start + r) };
        sketch.call([slot], part, { inPlace: x.rowBytes === part.rowBytes && chance(0.7) ? [0] : [] });
        start += inColumns ? x.rowBytes : x.count;
      }
      made(y);
    },
  ];
  const stateAt = integer(0, options.calls - 1);
  for (let i = 0; i < options.calls; ++i) {
    kinds[integer(0, kinds.length - 1)]!();
    if (state === null || i !== stateAt) continue;
    const x = pool[integer(0, pool.length - 1)]!;
    const rows = upTo(state.count);
    sketch.call(
      [
        { ...state, rows },
        { ...x, rows: rows.map((r) => r % x.count) },
      ],
      { ...state, rows },
      { inPlace: [0] },
    );
  }
  const computed = pool.filter((t) => !sketch.isInput(t.buffer));
  // Everything is read in the end, unless the program may be irregular.
  const kept = computed.filter((t) => (unread.has(t) && !(options.irregular && chance(0.1))) || chance(0.1));
  return sketch.finish((kept.length > 0 ? kept : computed.slice(-1)).map((t) => t.buffer));
}

/** A chain of windows and in-place calls, each reading only the one before: what most networks are made of. */
export function randomChain(seed: number, calls: number): Program {
  const random = createRandom(seed);
  const integer = (lowest: number, highest: number) => lowest + Math.floor(random() * (highest - lowest + 1));
  const sketch = new ProgramSketch();
  let [count, rowBytes] = [integer(2, 12), 4 * integer(1, 12)];
  let x = sketch.buffer(count * rowBytes, 'input');
  for (let i = 0; i < calls; ++i) {
    const inPlace = random() < 0.3;
    const kernel = inPlace ? 1 : integer(1, 3);
    const stride = inPlace ? 1 : integer(1, Math.min(2, kernel));
    const top = Math.floor((kernel - 1) / 2);
    const read = { buffer: x, rowBytes };
    const height = count;
    count = Math.ceil(count / stride);
    if (!inPlace) rowBytes = 4 * integer(1, 12);
    x = sketch.buffer(count * rowBytes);
    const slots = upTo(kernel).map((k): Rows => {
      const rows = upTo(count).map((r) => r * stride - top + k);
      return { ...read, rows: rows.map((r) => (r >= 0 && r < height ? r : -1)) };
    });
    sketch.call(slots, { buffer: x, rowBytes, rows: upTo(count) }, { inPlace: inPlace ? [0] : [] });
  }
  return sketch.finish([x]);
}
