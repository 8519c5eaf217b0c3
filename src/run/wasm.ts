/**
 * The embedded executor: the row kernels, compiled to WebAssembly with their parameters in structs, driven firing by
 * firing through the same Program, addresses and schedule that the emitted C has. Needs no compiler and no Node.
 */
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import type { Plan } from '../plan/plan.ts';
import { kernelSource } from '../program/kernel-source.ts';
import { type Segment, segmentsOf } from '../program/segments.ts';
import {
  type Call,
  type ConstantId,
  type OutputSlot,
  type Program,
  PUSH,
  pushCall,
  rowStart,
  type Slot,
} from '../program/types.ts';
import { HEAP, kernelModule, PAGE } from './kernel-module.ts';

/** Called after every call that finishes a value, with its raw bytes (a copy). */
export type LayerObserver = (call: Call, bytes: Uint8Array) => void;

type KernelFunction = (...pointers: number[]) => void;

/** Bytes of rv_row: in, out, scratch, y. */
const ROW_BYTES = 16;
/** Bytes of a pointer. */
const POINTER = 4;

/** A program loaded into a WebAssembly memory, ready to run any number of times. */
export class WasmExecutor {
  private readonly program: Program;
  private readonly plan: Plan;
  private readonly memory: WebAssembly.Memory;
  private readonly kernels: Readonly<Record<string, KernelFunction>>;
  private readonly constants: number[] = [];
  /** By call; null: rows that are pushed. */
  private readonly bound: readonly (BoundCall | null)[];
  private readonly segments: readonly Segment[];
  private readonly arena: number;
  private readonly pointers: number;
  private readonly row: number;
  private top = HEAP;

  static async create(program: Program, plan: Plan): Promise<WasmExecutor> {
    const memory = new WebAssembly.Memory({
      initial: HEAP / PAGE + Math.ceil(bytesNeeded(program, plan) / PAGE),
    });
    const { exports } = await WebAssembly.instantiate(await kernelModule(), { env: { memory } });
    return new WasmExecutor(program, plan, memory, exports as Record<string, KernelFunction>);
  }

  private constructor(
    program: Program,
    plan: Plan,
    memory: WebAssembly.Memory,
    kernels: Readonly<Record<string, KernelFunction>>,
  ) {
    this.program = program;
    this.plan = plan;
    this.memory = memory;
    this.kernels = kernels;
    this.segments = segmentsOf(program.calls, plan.schedule);
    this.row = this.reserve(ROW_BYTES);
    this.pointers = this.reserve(POINTER * mostSlots(program));
    this.arena = this.reserve(plan.arenaBytes);
    for (const { data } of program.constants) {
      const address = this.reserve(data.byteLength);
      this.bytes(address, data.byteLength).set(asBytes(data));
      this.constants.push(address);
    }
    this.bound = program.calls.map((call) => this.bind(call));
    this.reset();
  }

  /** Every state begins anew. */
  reset(): void {
    for (const { name, initial } of this.program.states) {
      const place = this.state(name);
      if (initial === null) place.fill(0);
      else place.set(asBytes(this.program.constants[initial]!.data));
    }
  }

  /** The bytes of the state of that name, in place: what is written here is what the next run finds. RV9005 if there is none. */
  state(name: string): Uint8Array {
    const state = this.program.states.find((state) => state.name === name);
    if (state === undefined) return fail('RV9005', `there is no state "${name}"`);
    return this.bytes(this.address(state.buffer) + state.offset, state.bytes);
  }

  /**
   * One inference.
   * @param inputs raw bytes of each input
   * @returns raw bytes of each output
   */
  run(inputs: readonly Uint8Array[], observe?: LayerObserver): Uint8Array[] {
    const pushed = pushCall(this.program);
    this.program.inputs.forEach((port, i) => {
      const input = inputs[i];
      if (input?.length !== port.bytes) {
        fail('RV3002', `input ${i} has ${input?.length ?? 0} bytes, the model takes ${port.bytes}`);
      }
      if (pushed === undefined) this.bytes(this.address(port.buffer), port.bytes).set(input);
    });
    const words = new Int32Array(this.memory.buffer);
    for (const segment of this.segments) {
      for (const run of segment.runs) {
        const bound = this.bound[run.call];
        for (let i = 0; i < run.count; ++i) {
          if (bound) this.fire(words, bound, run.first + i * run.step);
          else this.push(this.program.calls[run.call]!.output, inputs[0]!, run.first + i);
        }
      }
      if (observe) this.observeSegment(segment, observe);
    }
    return this.program.outputs.map((port) => this.bytes(this.address(port.buffer), port.bytes).slice());
  }

  private observeSegment({ calls }: Segment, observe: LayerObserver): void {
    for (const index of calls) {
      const call = this.program.calls[index]!;
      if (call.result === null) continue;
      observe(call, this.bytes(this.address(call.result.buffer), call.result.bytes).slice());
    }
  }

  /** Fills the arena with a byte: nothing may depend on what was there before, but states, which stay. */
  dirty(byte: number): void {
    const { states } = this.program;
    const kept = states.map(({ name }) => this.state(name).slice());
    this.bytes(this.arena, this.plan.arenaBytes).fill(byte);
    states.forEach(({ name }, i) => {
      this.state(name).set(kept[i]!);
    });
  }

  private fire(
    words: Int32Array,
    { kernel, slots, output, scratch, parameters }: BoundCall,
    firing: number,
  ): void {
    for (let k = 0; k < slots.length; ++k) words[this.pointers / 4 + k] = rowAddress(slots[k]!, firing);
    words[this.row / 4] = this.pointers;
    words[this.row / 4 + 1] = rowAddress(output, firing);
    words[this.row / 4 + 2] = scratch;
    words[this.row / 4 + 3] = firing;
    if (parameters.length === 2) kernel(parameters[0]!, parameters[1]!, this.row);
    else if (parameters.length === 1) kernel(parameters[0]!, this.row);
    else kernel(this.row);
  }

  /** What the application does in rows mode: hands over row `row` of the input. */
  private push(view: OutputSlot, input: Uint8Array, row: number): void {
    const start = this.address(view.buffer);
    this.bytes(rowAddress({ slot: view, start }, row), view.rowBytes).set(
      input.subarray(row * view.pitch, row * view.pitch + view.rowBytes),
    );
  }

  private bind(call: Call): BoundCall | null {
    if (call.kernel === PUSH) return null;
    const source = kernelSource(call.kernel);
    const kernel = this.kernels[`rv_${call.kernel}`];
    if (kernel === undefined)
      return fail('RV9003', `kernel ${call.kernel} is missing from the WebAssembly module`);
    const parameters: number[] = [];
    if (source.geometry.length > 0)
      parameters.push(this.struct(source.geometry.map((f) => call.geometry[f.name]!)));
    if (source.data.length > 0) {
      parameters.push(this.struct(source.data.map((f) => this.constants[call.data[f.name] as ConstantId]!)));
    }
    return {
      call,
      kernel,
      parameters,
      slots: call.slots.map((slot) => ({ slot, start: this.start(slot) })),
      output: { slot: call.output, start: this.address(call.output.buffer) },
      scratch: call.scratch === null ? 0 : this.address(call.scratch),
    };
  }

  private start({ source }: Slot): number {
    return source.kind === 'constant' ? this.constants[source.constant]! : this.address(source.buffer);
  }

  private struct(words: readonly number[]): number {
    const address = this.reserve(words.length * 4);
    new Int32Array(this.memory.buffer, address, words.length).set(words);
    return address;
  }

  private address(buffer: number): number {
    return this.arena + this.plan.addresses[buffer]!;
  }

  private bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  private reserve(bytes: number): number {
    const address = this.top;
    this.top += roomFor(bytes);
    return address;
  }
}

interface BoundView {
  readonly slot: Slot | OutputSlot;
  /** Address of the buffer or constant. */
  readonly start: number;
}

interface BoundCall {
  readonly call: Call;
  readonly kernel: KernelFunction;
  /** Addresses of the geometry and data structs, where the kernel has them. */
  readonly parameters: readonly number[];
  readonly slots: readonly BoundView[];
  readonly output: BoundView;
  readonly scratch: number;
}

function rowAddress({ slot, start }: BoundView, firing: number): number {
  const row = slot.rows[firing]!;
  return row < 0 ? 0 : start + rowStart(slot, row);
}

function mostSlots(program: Program): number {
  return program.calls.reduce((most, call) => Math.max(most, call.slots.length), 1);
}

function roomFor(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** Everything that `WasmExecutor` reserves. */
function bytesNeeded(program: Program, plan: Plan): number {
  const structs = program.calls.map((call) => {
    if (call.kernel === PUSH) return 0;
    const { geometry, data } = kernelSource(call.kernel);
    return roomFor(geometry.length * 4) + roomFor(data.length * 4);
  });
  const sizes = [
    ROW_BYTES,
    roomFor(POINTER * mostSlots(program)),
    roomFor(plan.arenaBytes),
    ...program.constants.map((constant) => roomFor(constant.data.byteLength)),
    ...structs,
  ];
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
