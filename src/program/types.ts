/**
 * The Program: what the firmware does, as rows moving between buffers. The planner, the checker, the emitter and the
 * executors see only this; none of them knows an operator.
 *
 * A `Call` binds one kernel to geometry, constants and row slots. Firing i of a call hands the kernel one pointer per
 * input slot (or NULL) and one output row. The schedule is a list of runs of firings: whole-tensor execution is one run
 * per call; a streaming group is many short runs of its calls taking turns.
 */
import type { DType, TypedArray } from '../core/dtype.ts';
import type { Origin, Quantization, Shape } from '../ir/types.ts';

export type BufferId = number;
export type ConstantId = number;

/**
 * input: written before the first firing; output: read after the last; state: lives across runs of the schedule, every
 * byte; history: the same for the bytes that a run reads before it writes them, the others live inside one run.
 */
export type BufferRole = 'input' | 'output' | 'activation' | 'scratch' | 'state' | 'history';

export interface Buffer {
  readonly id: BufferId;
  readonly name: string;
  readonly bytes: number;
  readonly role: BufferRole;
}

/** A part of a buffer that persists from one run to the next. A kernel may write to the slots that read it. */
export interface State {
  readonly name: string;
  readonly buffer: BufferId;
  readonly offset: number;
  readonly bytes: number;
  /** What it begins with; null: zeros. */
  readonly initial: ConstantId | null;
}

export interface Constant {
  readonly id: ConstantId;
  readonly data: TypedArray;
  /** weights: parameters of the model; table: made by the compiler (lookup tables, row tables). */
  readonly role: 'weights' | 'table';
}

export type SlotSource =
  | { readonly kind: 'buffer'; readonly buffer: BufferId }
  | { readonly kind: 'constant'; readonly constant: ConstantId };

/**
 * Rows of a buffer or constant: row r lies at `offset + ((r + turn) % ring) * pitch` and a firing touches `rowBytes` of
 * it.
 */
export interface RowView {
  readonly offset: number;
  readonly pitch: number;
  readonly rowBytes: number;
  /** Number of row places; equal to the number of rows when every row has a place of its own. */
  readonly ring: number;
  /** The place of row 0: by how many rows the ring is turned. */
  readonly turn: number;
  /** The row of each firing; -1: none (the kernel gets NULL, or the firing writes no output). */
  readonly rows: Int32Array;
}

export interface Slot extends RowView {
  readonly source: SlotSource;
}

export interface OutputSlot extends RowView {
  readonly buffer: BufferId;
}

/** A kernel with everything bound to it but rows. */
export interface BoundKernel {
  readonly kernel: string;
  /** Why this kernel was chosen. */
  readonly why: string;
  /** Values of the kernel's geometry struct, bound as literals or as a struct in flash. */
  readonly geometry: Readonly<Record<string, number>>;
  /** Constants of the kernel's data struct. */
  readonly data: Readonly<Record<string, ConstantId>>;
  /** One function for all calls, with the geometry as a struct, even where literals would be faster. */
  readonly shared: boolean;
}

/** A faster kernel for a call's rows, taken where the planned arena has room for its scratch. */
export interface RoomyKernel extends BoundKernel {
  readonly scratchBytes: number;
}

export interface Call extends BoundKernel {
  /** Position in program order, 0-based; names the layer in C, reports and profiles. */
  readonly index: number;
  readonly origin: Origin;
  /** The IR operator. */
  readonly op: string;
  readonly macs: number;
  readonly firings: number;
  readonly slots: readonly Slot[];
  readonly output: OutputSlot;
  readonly scratch: BufferId | null;
  /** The scratch carries something from one firing to the next; otherwise each firing may find anything in it. */
  readonly scratchKeeps: boolean;
  /**
   * Slots that the output row may overwrite in the firing that reads them, when it starts at the same or a lower
   * address: the kernel writes byte j only after its last read of the slot's bytes 0 to j.
   */
  readonly inPlace: readonly number[];
  /**
   * Slots that the output row may overwrite in the firing that reads them, but only when it starts at the very same
   * address: the kernel writes byte j only after its last read of the slot's byte j.
   */
  readonly inPlaceExactly: readonly number[];
  /** False when firings must run in ascending order (accumulators). */
  readonly reversible: boolean;
  /** Kernels to take instead if there is room, the best first. Only with scratch that keeps nothing. */
  readonly roomy: readonly RoomyKernel[];
  /** The value this call finishes, for comparing executors layer by layer; null while it is only partly written. */
  readonly result: Port | null;
}

/** The kernel name of the call that stands for the application handing over a row of the input. */
export const PUSH = 'push';

/** The call whose rows the application pushes, if the program has one. */
export function pushCall(program: Program): Call | undefined {
  return program.calls.find((call) => call.kernel === PUSH);
}

/** One frame of the input of a sliding program. */
export function framePort({ inputs, sliding }: Pick<Program, 'inputs' | 'sliding'>): Port {
  const port = inputs[0]!;
  const { hopFrames } = sliding!;
  // Only dimensions of size 1 come before the frames.
  const axis = port.shape.findIndex((size) => size > 1);
  const shape = hopFrames === 1 ? port.shape : port.shape.with(axis, 1);
  return { ...port, shape, bytes: port.bytes / hopFrames };
}

/** `count` firings of a call: first, first + step, ... */
export interface Run {
  readonly call: number;
  readonly first: number;
  readonly count: number;
  readonly step: 1 | -1;
}

/** A tensor at the border of the program, or one watched inside it. */
export interface Port {
  readonly name: string;
  readonly buffer: BufferId;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly bytes: number;
  readonly quantization?: Quantization;
}

/** The program runs once a hop, and what it computed before persists: its outputs are those of a sliding window. */
export interface Sliding {
  /** Frames of a window. A frame is a row of the model's input. */
  readonly windowFrames: number;
  /** Frames from one window to the next; `Program.inputs` takes so many. */
  readonly hopFrames: number;
  /** Multiply-accumulates of one window from scratch. */
  readonly windowMacs: number;
  /** By call: firings of a window from scratch, of which `Call.firings` are left; 0 for what only sliding needs. */
  readonly windowFirings: readonly number[];
}

/**
 * The program is a training step: an inference, whose calls come first, then gradients and updates. Its inputs are the
 * image, label, rate and perhaps apply; its outputs are logits and loss.
 */
export interface Training {
  readonly classes: number;
  /** Images whose gradients are added up before the parameters change. */
  readonly batch: number;
  /** Of the model and the scheme: saved states of others are refused. */
  readonly fingerprint: readonly [number, number];
}

export interface Program {
  readonly name: string;
  readonly buffers: readonly Buffer[];
  readonly constants: readonly Constant[];
  readonly calls: readonly Call[];
  readonly schedule: readonly Run[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** In a buffer of their own. */
  readonly states: readonly State[];
  /** Absent where every run is an inference of its own. */
  readonly sliding?: Sliding;
  readonly training?: Training;
}

/** The operator with which the way back begins. */
export const LOSS = 'softmax_cross_entropy_loss';

/** How many calls are the inference: all, but in a training step those before the loss. */
export function inferenceCalls({ calls, training }: Program): number {
  return training === undefined ? calls.length : calls.findIndex(({ op }) => op === LOSS);
}

/** The first byte of row `row` in the buffer of `view`. */
export function rowStart({ offset, pitch, ring, turn }: RowView, row: number): number {
  return offset + ((row + turn) % ring) * pitch;
}

/** The byte range [start, end) of `view` that firing `firing` touches, or null. */
export function touched(view: RowView, firing: number): { start: number; end: number } | null {
  const row = view.rows[firing]!;
  if (row < 0) return null;
  const start = rowStart(view, row);
  return { start, end: start + view.rowBytes };
}
