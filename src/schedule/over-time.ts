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
} from '../program/types.ts';
import { Layout, type Place, partAt, placesOf } from './layout.ts';
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
    // Top rows that are computed again come and go; the newest stay.
    const split = longest < Number.POSITIVE_INFINITY;
    yield new Sliding(program, reuse, steady, new Layout(program, reuse, steady, split), frameBytes).run();
    longest = steady.carried - 1;
  }
}

/** A call, and how many firings it has in a window from scratch. */
interface Counted {
  readonly call: Call;
  readonly of: number;
}

class Sliding {
  private readonly program: Program;
  private readonly reuse: Reuse;
  private readonly steady: Steady;
  private readonly layout: Layout;
  private readonly frameBytes: number;

  constructor(program: Program, reuse: Reuse, steady: Steady, layout: Layout, frameBytes: number) {
    this.program = program;
    this.reuse = reuse;
    this.steady = steady;
    this.layout = layout;
    this.frameBytes = frameBytes;
  }

  run(): Program {
    const { program } = this;
    const input = program.inputs[0]!;
    const hopFrames = this.reuse.shifts[input.buffer]! / this.frameBytes;
    const [opening, moves] = [
      this.moves(input.buffer),
      program.buffers.flatMap(({ id }) => (id === input.buffer ? [] : this.moves(id))),
    ];
    const computed = topFirst(
      program.calls.flatMap((call) => this.reduced(call)),
      (id) => this.layout.parts[id]!.buffer === input.buffer || this.layout.isTop(id),
    );
    const unnumbered = [...opening, { call: this.push(input, hopFrames), of: 0 }, ...moves, ...computed];
    const calls = unnumbered.map(({ call }, index) => ({ ...call, index }));
    return {
      ...program,
      buffers: this.buffers([...opening, ...moves]),
      calls,
      schedule: calls.map((call) => ({ call: call.index, first: 0, count: call.firings, step: 1 })),
      inputs: [this.moved(framesOf(input, hopFrames, this.frameBytes))],
      outputs: program.outputs.map((port) => this.moved(port)),
      sliding: {
        windowFrames: input.bytes / this.frameBytes,
        hopFrames,
        windowMacs: program.calls.reduce((sum, { macs }) => sum + macs, 0),
        windowFirings: unnumbered.map(({ of }) => of),
      },
    };
  }

  private buffers(moves: readonly Counted[]): Buffer[] {
    const kept = new Set(moves.flatMap(({ call }) => [call.output.buffer, sourceOf(call.slots[0]!)]));
    return this.layout.parts.map(({ buffer, first, bytes }, id): Buffer => {
      const { name, role } = this.program.buffers[buffer]!;
      return {
        id,
        name: first === 0 ? name : `${name}/newest`,
        bytes,
        role: kept.has(id) ? 'history' : role === 'input' ? 'activation' : role,
      };
    });
  }

  /** A port of the model, whose tensor is in one part. */
  private moved(port: Port): Port {
    return { ...port, buffer: this.layout.partOf(port.buffer) };
  }

  /** The call with the firings that are left: a call for each combination of parts that its rows lie in. */
  private reduced(call: Call): Counted[] {
    const groups: { parts: (BufferId | null)[]; firings: number[] }[] = [];
    this.steady.fires[call.index]!.forEach((fires, y) => {
      if (fires === 0) return;
      const parts = [...call.slots, call.output].map((view) => {
        const buffer = 'source' in view ? sourceOf(view) : view.buffer;
        return buffer === null ? null : partAt(this.layout, view, buffer, y);
      });
      const group = groups.find((other) => parts.every((part, i) => agree(part, other.parts[i]!)));
      if (group === undefined) groups.push({ parts, firings: [y] });
      else {
        group.firings.push(y);
        group.parts = group.parts.map((part, i) => part ?? parts[i]!);
      }
    });
    return groups.map(({ parts, firings }) => ({ call: this.part(call, parts, firings), of: call.firings }));
  }

  private part(call: Call, parts: readonly (BufferId | null)[], firings: readonly number[]): Call {
    return {
      ...call,
      macs: Math.round((call.macs * firings.length) / call.firings),
      firings: firings.length,
      slots: call.slots.map((slot, i): Slot => {
        const { source } = slot;
        if (source.kind === 'constant')
          return { ...slot, rows: Int32Array.from(firings, (y) => slot.rows[y]!) };
        const buffer = parts[i] ?? this.layout.partOf(source.buffer);
        return {
          ...placesOf(this.layout, slot, source.buffer, firings),
          source: { kind: 'buffer', buffer },
        };
      }),
      output: {
        ...placesOf(this.layout, call.output, call.output.buffer, firings),
        buffer: parts.at(-1) ?? this.layout.partOf(call.output.buffer),
      },
      scratch: call.scratch === null ? null : this.layout.partOf(call.scratch),
      // A value is never complete at one moment of a stream.
      result: null,
    };
  }

  /** Calls that move what a tensor keeps to where the next window looks for it. */
  private moves(buffer: BufferId): Counted[] {
    const taken = this.steady.taken[buffer]!;
    const unit = this.layout.unit(buffer);
    const moves: { to: Place; from: Place; bytes: number }[] = [];
    for (let b = taken.indexOf(1); b >= 0 && b < taken.length; b += unit) {
      if (taken[b] === 0) continue;
      const to = this.layout.at(buffer, b);
      const from = this.layout.at(buffer, b + this.reuse.shifts[buffer]!);
      const last = moves.at(-1);
      if (last && follows(last.to, to, last.bytes) && follows(last.from, from, last.bytes))
        last.bytes += unit;
      else moves.push({ to, from, bytes: unit });
    }
    const { name } = this.program.buffers[buffer]!;
    return moves.map(({ to, from, bytes }) => ({ call: move(name, to, from, bytes), of: 0 }));
  }

  /** The call that stands for the application handing over the frames of a hop. */
  private push({ buffer, bytes, name }: Port, hopFrames: number): Call {
    const pitch = this.frameBytes;
    const place = this.layout.at(buffer, bytes - hopFrames * pitch);
    const view: OutputSlot = {
      offset: place.start,
      pitch,
      rowBytes: pitch,
      ring: hopFrames,
      turn: 0,
      rows: Int32Array.from({ length: hopFrames }, (_, row) => row),
      buffer: place.buffer,
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
      inPlaceExactly: [],
    };
  }
}

const PLAIN = {
  index: 0,
  macs: 0,
  data: {},
  shared: false,
  roomy: [],
  scratch: null,
  scratchKeeps: false,
  reversible: false,
  result: null,
} as const;

/** One firing that copies upwards, in pieces that do not overlap their own copy. */
function move(name: string, to: Place, from: Place, bytes: number): Call {
  const inside = to.buffer === from.buffer;
  const piece = inside ? greatestCommonDivisor(from.start - to.start, bytes) : bytes;
  const rows = (offset: number): RowView => ({
    offset,
    pitch: bytes,
    rowBytes: bytes,
    ring: 1,
    turn: 0,
    rows: new Int32Array(1),
  });
  return {
    ...PLAIN,
    origin: { index: -1, op: 'KEEP', name },
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
    slots: [{ ...rows(from.start), source: { kind: 'buffer', buffer: from.buffer } }],
    output: { ...rows(to.start), buffer: to.buffer },
    inPlace: inside ? [0] : [],
    inPlaceExactly: [],
  };
}

/**
 * Calls that make top parts from the input and other top parts come first: of these parts little is needed at a time. A
 * buffer that several calls write keeps its order.
 * @param isTop whether a buffer holds the top of a tensor in two parts, or the input
 */
function topFirst(calls: readonly Counted[], isTop: (buffer: BufferId) => boolean): Counted[] {
  const writers = new Map<BufferId, number>();
  for (const { call } of calls) writers.set(call.output.buffer, (writers.get(call.output.buffer) ?? 0) + 1);
  const late = new Set<BufferId>();
  const isLate = ({ slots, output }: Call): boolean =>
    [output.buffer, ...slots.flatMap((slot) => sourceOf(slot) ?? [])].some(
      (buffer) => !isTop(buffer) || late.has(buffer),
    ) || writers.get(output.buffer)! > 1;
  const [first, rest]: [Counted[], Counted[]] = [[], []];
  for (const counted of calls) {
    if (isLate(counted.call)) {
      late.add(counted.call.output.buffer);
      rest.push(counted);
    } else first.push(counted);
  }
  return [...first, ...rest];
}

function sourceOf({ source }: Slot): BufferId | null {
  return source.kind === 'buffer' ? source.buffer : null;
}

/** Whether two views can be of one call: in one part, or one of them without a row. */
function agree(a: BufferId | null, b: BufferId | null): boolean {
  return a === null || b === null || a === b;
}

function follows(a: Place, b: Place, bytes: number): boolean {
  return a.buffer === b.buffer && a.start + bytes === b.start;
}

/** The part of the input that one hop takes: the shape of the window, with as many frames as the hop has. */
function framesOf(input: Port, frames: number, frameBytes: number): Port {
  const windowFrames = input.bytes / frameBytes;
  const axis = input.shape.findIndex((size) => size > 1);
  const elements = input.shape.reduce((product, size) => product * size, 1) / windowFrames;
  const shape = input.shape[axis] === windowFrames ? input.shape.with(axis, frames) : [frames, elements];
  return { ...input, shape, bytes: frames * frameBytes };
}
