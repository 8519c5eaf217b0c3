/**
 * A model over time: its input is a window of frames that slides along a stream, and of every window only what the one
 * before has not computed is computed. The result is an ordinary Program for one hop: tensors of which something is kept
 * are buffers of role `history`, a call moves what they keep up by what the window has moved on, and the other calls fire
 * for the remaining rows. Planner, checker, emitter and executors see nothing new, and every address is static.
 */
import { greatestCommonDivisor } from '../core/integers.ts';
import {
  type Buffer,
  type BufferId,
  type Call,
  type OutputSlot,
  type Port,
  type Program,
  PUSH,
  type RowView,
  type Slot,
  touched,
} from '../program/types.ts';
import { type Reuse, reuseOf } from './reuse.ts';
import { type Steady, steadyOf } from './steady.ts';

/**
 * The programs of one hop, by ascending multiply-accumulates: less and less is kept of layers only because padding makes
 * the top rows of the next layer be computed again. Run again and again, with the arena left as it is, run k takes the
 * frames from k * hop on and ends with the outputs of the window that ends with the last of them, as soon as the stream
 * is as long as a window. What the arena holds before the first run does not matter.
 * @param program in whole-tensor form, with one input
 * @param frameBytes bytes of a row of the input
 * @param hopFrames frames from one window to the next, fewer than a window has
 */
export function* slide(program: Program, frameBytes: number, hopFrames: number): Generator<Program> {
  const reuse = reuseOf(program, hopFrames * frameBytes);
  for (let longest = Number.POSITIVE_INFINITY; longest >= 0; ) {
    const steady = steadyOf(program, reuse, longest);
    yield new Sliding(program, reuse, steady, frameBytes).run();
    longest = steady.carried - 1;
  }
}

/** Where the bytes of a tensor that have a place lie: those without one are left out, in units. */
interface Layout {
  readonly bytes: number;
  /** The new position of the byte at `start`, which begins a unit. */
  at(start: number): number;
}

class Sliding {
  private readonly program: Program;
  private readonly reuse: Reuse;
  private readonly steady: Steady;
  private readonly frameBytes: number;
  private readonly layouts: readonly Layout[];

  constructor(program: Program, reuse: Reuse, steady: Steady, frameBytes: number) {
    this.program = program;
    this.reuse = reuse;
    this.steady = steady;
    this.frameBytes = frameBytes;
    this.layouts = program.buffers.map(({ id }) => this.layoutOf(id));
  }

  run(): Program {
    const { program } = this;
    const input = program.inputs[0]!;
    const hopFrames = this.reuse.shifts[input.buffer]! / this.frameBytes;
    const computed = program.calls.flatMap((call) => this.reduced(call) ?? []);
    const moved = program.buffers.flatMap(({ id }) => (id === input.buffer ? [] : this.moves(id)));
    const unnumbered: Counted[] = [
      ...this.moves(input.buffer),
      { call: this.push(input, hopFrames), of: 0 },
      ...moved,
      ...computed,
    ];
    const calls = unnumbered.map(({ call }, index) => ({ ...call, index }));
    return {
      ...program,
      buffers: program.buffers.map((buffer) => this.buffer(buffer)),
      calls,
      schedule: calls.map((call) => ({ call: call.index, first: 0, count: call.firings, step: 1 })),
      inputs: [framesOf(input, hopFrames, this.frameBytes)],
      sliding: {
        windowFrames: input.bytes / this.frameBytes,
        hopFrames,
        windowMacs: program.calls.reduce((sum, { macs }) => sum + macs, 0),
        windowFirings: unnumbered.map(({ of }) => of),
      },
    };
  }

  private buffer(buffer: Buffer): Buffer {
    const { id, role } = buffer;
    if (role === 'scratch') return buffer;
    const keeps = this.steady.taken[id]!.includes(1);
    return {
      ...buffer,
      bytes: this.layouts[id]!.bytes,
      role: keeps ? 'history' : role === 'input' ? 'activation' : role,
    };
  }

  /** The call with the firings that are left; null if none is. */
  private reduced(call: Call): Counted | null {
    const fires = this.steady.fires[call.index]!;
    const left = [...fires.keys()].filter((y) => fires[y] === 1);
    if (left.length === 0) return null;
    const reduced: Call = {
      ...call,
      macs: Math.round((call.macs * left.length) / call.firings),
      firings: left.length,
      slots: call.slots.map((slot): Slot => {
        if (slot.source.kind === 'buffer') return { ...slot, ...this.view(slot, slot.source.buffer, left) };
        return { ...slot, rows: Int32Array.from(left, (y) => slot.rows[y]!) };
      }),
      output: { ...call.output, ...this.view(call.output, call.output.buffer, left) },
      // A value is never complete at one moment of a stream.
      result: null,
    };
    return { call: reduced, of: call.firings };
  }

  /** The rows of `firings`, in the new layout of the buffer. */
  private view(view: RowView, buffer: BufferId, firings: readonly number[]): RowView {
    const starts = firings.map((y) => {
      const range = touched(view, y);
      return range === null ? -1 : this.layouts[buffer]!.at(range.start);
    });
    const present = starts.filter((start) => start >= 0);
    const offset = present.length === 0 ? 0 : Math.min(...present);
    const pitch =
      present.reduce((step, start) => greatestCommonDivisor(step, start - offset), 0) || view.rowBytes;
    const rows = Int32Array.from(starts, (start) => (start < 0 ? -1 : (start - offset) / pitch));
    const ring = rows.reduce((most, row) => Math.max(most, row), 0) + 1;
    return { offset, pitch, rowBytes: view.rowBytes, ring, rows };
  }

  /** Calls that move what a tensor keeps to where the next window looks for it. */
  private moves(buffer: BufferId): Counted[] {
    const taken = this.steady.taken[buffer]!;
    const { at } = this.layouts[buffer]!;
    const unit = this.unitOf(buffer);
    const moves: { to: number; from: number; bytes: number }[] = [];
    for (let b = taken.indexOf(1); b >= 0 && b < taken.length; b += unit) {
      if (taken[b] === 0) continue;
      const [to, from] = [at(b), at(b + this.reuse.shifts[buffer]!)];
      const last = moves.at(-1);
      if (last !== undefined && last.to + last.bytes === to && last.from + last.bytes === from)
        last.bytes += unit;
      else moves.push({ to, from, bytes: unit });
    }
    return moves.map(({ to, from, bytes }) => ({ call: this.move(buffer, to, from, bytes), of: 0 }));
  }

  /** One firing that copies upwards, in pieces that do not overlap their own copy. */
  private move(buffer: BufferId, to: number, from: number, bytes: number): Call {
    const piece = greatestCommonDivisor(from - to, bytes);
    const rows = (offset: number): RowView => ({
      offset,
      pitch: bytes,
      rowBytes: bytes,
      ring: 1,
      rows: new Int32Array(1),
    });
    return {
      ...PLAIN,
      origin: { index: -1, op: 'KEEP', name: this.program.buffers[buffer]!.name },
      op: 'keep',
      kernel: 'copy_s8',
      why: 'what the window before has computed',
      geometry: {
        width: bytes / piece,
        channels: piece,
        in_start: 0,
        in_pixel_stride: piece,
        in_channel_stride: 1,
        out_pixel_stride: piece,
      },
      firings: 1,
      slots: [{ ...rows(from), source: { kind: 'buffer', buffer } }],
      output: { ...rows(to), buffer },
      inPlace: [0],
    };
  }

  /** The call that stands for the application handing over the frames of a hop. */
  private push({ buffer, bytes, name }: Port, hopFrames: number): Call {
    const pitch = this.frameBytes;
    const view: OutputSlot = {
      offset: this.layouts[buffer]!.at(bytes - hopFrames * pitch),
      pitch,
      rowBytes: pitch,
      ring: hopFrames,
      rows: Int32Array.from({ length: hopFrames }, (_, row) => row),
      buffer,
    };
    return {
      ...PLAIN,
      origin: { index: -1, op: 'INPUT', name },
      op: 'input',
      kernel: PUSH,
      why: 'the application pushes the frames',
      geometry: {},
      firings: hopFrames,
      slots: [],
      output: view,
      inPlace: [],
    };
  }

  private layoutOf(buffer: BufferId): Layout {
    const placed = this.steady.placed[buffer]!;
    const unit = this.unitOf(buffer);
    const places = new Map<number, number>();
    for (let b = 0; b < placed.length; b += unit) if (placed[b] === 1) places.set(b, places.size * unit);
    return { bytes: places.size * unit, at: (start) => places.get(start)! };
  }

  /** Bytes such that everything in `buffer` begins and ends at a multiple. */
  private unitOf(buffer: BufferId): number {
    let unit = greatestCommonDivisor(this.program.buffers[buffer]!.bytes, this.reuse.shifts[buffer]!);
    for (const call of this.program.calls) {
      for (const view of viewsOf(call, buffer)) {
        unit = greatestCommonDivisor(greatestCommonDivisor(unit, view.rowBytes), view.offset);
        if (view.rows.some((row) => row > 0)) unit = greatestCommonDivisor(unit, view.pitch);
      }
    }
    return unit;
  }
}

/** A call, and how many firings it has in a window from scratch. */
interface Counted {
  readonly call: Call;
  readonly of: number;
}

const PLAIN = {
  index: 0,
  macs: 0,
  data: {},
  scratch: null,
  scratchKeeps: false,
  reversible: false,
  result: null,
} as const;

function viewsOf({ slots, output }: Call, buffer: BufferId): RowView[] {
  const reads = slots.filter(({ source }) => source.kind === 'buffer' && source.buffer === buffer);
  return output.buffer === buffer ? [...reads, output] : reads;
}

/** The part of the input that one hop takes: the shape of the window, with as many frames as the hop has. */
function framesOf(input: Port, frames: number, frameBytes: number): Port {
  const windowFrames = input.bytes / frameBytes;
  const axis = input.shape.findIndex((size) => size > 1);
  const elements = input.shape.reduce((product, size) => product * size, 1) / windowFrames;
  const shape = input.shape[axis] === windowFrames ? input.shape.with(axis, frames) : [frames, elements];
  return { ...input, shape, bytes: frames * frameBytes };
}
