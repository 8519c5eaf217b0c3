/**
 * The host engine: executes any Program with the kernels bound to structs, float32 and int8, inference and training. The
 * whole program is prepared once as a list of steps in memory, and a run is one call of the loop in engine.c. Where the
 * kernels are, in WebAssembly or in a native library, is the host's business.
 */
import { fail, RivuletError } from '../../core/diagnostics.ts';
import { asBytes, DTYPES, type TypedArray } from '../../core/dtype.ts';
import type { Graph } from '../../ir/types.ts';
import { lower } from '../../lower/lower.ts';
import { verifyGraph } from '../../ops/verify.ts';
import { SPREAD_ALIGNMENT, type Spread, spread } from '../../plan/spread.ts';
import { kernelSource } from '../../program/kernel-source.ts';
import {
  type Call,
  type Port,
  type Program,
  PUSH,
  type RowView,
  type Run,
  rowStart,
} from '../../program/types.ts';

/** Memory that the kernels can reach, and the kernels. */
export interface EngineMemory {
  /** All of it; stays the same for the life of the engine. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Address of the first byte, as the kernels see it; a multiple of SPREAD_ALIGNMENT. */
  readonly base: number;
  /** 4 or 8. */
  readonly pointerBytes: number;
  /** What a step holds to call a kernel: an address, or an index in a table. */
  kernel(name: string): number;
  /** Runs `count` steps that lie at address `steps`. */
  run(steps: number, count: number): void;
}

/** A place where kernels are. */
export interface EngineHost {
  /** Memory of at least so many bytes, zeroed. */
  open(bytes: number): EngineMemory;
}

/** Pointers of a step: kernel, geometry, data, rows; behind them are two int32. */
const STEP_POINTERS = 4;
/** Pointers of an rv_row: in, out, scratch; behind them is an int32. */
const ROW_POINTERS = 3;

export class Engine {
  readonly program: Program;
  private readonly memory: EngineMemory;
  private readonly view: DataView;
  private readonly constants: readonly number[];
  private readonly places: Spread;
  private readonly schedule: readonly Run[];
  private readonly arena: number;
  private readonly steps: number;
  private top = 0;

  /**
   * Prepares `program` on `host`; every state begins as it should.
   * @param plan addresses and schedule that were planned for firmware; without one buffers are spread out
   */
  static open(
    program: Program,
    host: EngineHost,
    plan?: Spread & { readonly schedule: readonly Run[] },
  ): Engine {
    return new Engine(program, host, plan);
  }

  private constructor(
    program: Program,
    host: EngineHost,
    plan?: Spread & { readonly schedule: readonly Run[] },
  ) {
    if (program.calls.some(({ kernel }) => kernel === PUSH)) {
      fail('RV9005', 'the engine runs no program whose input is pushed');
    }
    this.program = program;
    this.places = plan ?? spread(program);
    this.schedule = plan?.schedule ?? program.schedule;
    this.memory = host.open(this.bytesNeeded());
    this.view = new DataView(
      this.memory.bytes.buffer,
      this.memory.bytes.byteOffset,
      this.memory.bytes.length,
    );
    this.arena = this.reserve(this.places.arenaBytes);
    this.constants = program.constants.map(({ data }) => {
      const address = this.reserve(data.byteLength);
      this.slice(address, data.byteLength).set(asBytes(data));
      return address;
    });
    this.steps = this.writeSteps();
    this.reset();
  }

  /** Every state begins anew. */
  reset(): void {
    for (const { buffer, offset, bytes, initial } of this.program.states) {
      const place = this.slice(this.address(buffer) + offset, bytes);
      if (initial === null) place.fill(0);
      else place.set(asBytes(this.program.constants[initial]!.data));
    }
    for (const { id, role, bytes } of this.program.buffers) {
      if (role === 'history') this.slice(this.address(id), bytes).fill(0);
    }
  }

  /** One run of the program, on what the inputs hold. */
  run(): void {
    this.memory.run(this.steps, this.schedule.length);
  }

  /** Milliseconds of each call in one run; the calls of a program that takes turns are counted together. */
  profile(now: () => number): Float64Array {
    const times = new Float64Array(this.program.calls.length);
    this.schedule.forEach(({ call }, i) => {
      const start = now();
      this.memory.run(this.steps + i * this.stepBytes, 1);
      times[call]! += now() - start;
    });
    return times;
  }

  /**
   * The elements of the input of that name or index, in place: what is written there stays for all runs to come. RV9005 if
   * there is none.
   */
  input(name: string | number): TypedArray {
    return this.port(this.program.inputs, name, 'input');
  }

  /** The elements of the output of that name or index, in place: the next run overwrites them. RV9005 if there is none. */
  output(name: string | number): TypedArray {
    return this.port(this.program.outputs, name, 'output');
  }

  /** The float32 elements of a state, in place: what is written there is what the next run finds. RV9005 if there is none. */
  state(name: string): Float32Array {
    const place = this.stateBytes(name);
    return new Float32Array(place.buffer, place.byteOffset, place.length / Float32Array.BYTES_PER_ELEMENT);
  }

  /** The bytes of a state of any type, in place. RV9005 if there is none. */
  stateBytes(name: string): Uint8Array<ArrayBuffer> {
    const { buffer, offset, bytes } =
      this.program.states.find((state) => state.name === name) ??
      fail('RV9005', `there is no state "${name}"`);
    return this.slice(this.address(buffer) + offset, bytes);
  }

  /** The names of all states. */
  stateNames(): string[] {
    return this.program.states.map(({ name }) => name);
  }

  private port(ports: readonly Port[], name: string | number, what: string): TypedArray {
    const { buffer, dtype, bytes } =
      ports.find((port, i) => port.name === name || i === name) ??
      fail('RV9005', `there is no ${what} "${name}"`);
    const place = this.slice(this.address(buffer), bytes);
    return new DTYPES[dtype].array(place.buffer, place.byteOffset, bytes / DTYPES[dtype].bytes);
  }

  private get stepBytes(): number {
    return roundUp(
      STEP_POINTERS * this.memory.pointerBytes + 2 * Int32Array.BYTES_PER_ELEMENT,
      this.memory.pointerBytes,
    );
  }

  private get rowBytes(): number {
    return roundUp(
      ROW_POINTERS * this.memory.pointerBytes + Int32Array.BYTES_PER_ELEMENT,
      this.memory.pointerBytes,
    );
  }

  /** Steps of the schedule, with the rows and structs that they point to. */
  private writeSteps(): number {
    const bound = this.program.calls.map((call) => this.bind(call));
    const { pointerBytes } = this.memory;
    const steps = this.reserve(this.schedule.length * this.stepBytes);
    this.schedule.forEach(({ call, first, count, step }, i) => {
      const at = steps + i * this.stepBytes;
      const { kernel, geometry, data, rows } = bound[call]!;
      this.writePointers(at, [kernel, geometry, data, rows + first * this.rowBytes]);
      this.writeInts(at + STEP_POINTERS * pointerBytes, [count, step]);
    });
    return steps;
  }

  private bind(call: Call): BoundCall {
    const source = kernelSource(call.kernel);
    const { pointerBytes } = this.memory;
    const geometry = source.geometry.length === 0 ? 0 : this.reserve(source.geometry.length * 4);
    this.writeInts(
      geometry,
      source.geometry.map(({ name }) => call.geometry[name]!),
    );
    const data = source.data.length === 0 ? 0 : this.reserve(source.data.length * pointerBytes);
    this.writePointers(
      data,
      source.data.map(({ name }) => this.constants[call.data[name]!]!),
    );
    const slots = call.slots.map((slot) => ({
      slot,
      start:
        slot.source.kind === 'constant'
          ? this.constants[slot.source.constant]!
          : this.address(slot.source.buffer),
    }));
    const output = this.address(call.output.buffer);
    const scratch = call.scratch === null ? 0 : this.address(call.scratch);
    const rows = this.reserve(call.firings * this.rowBytes);
    for (let firing = 0; firing < call.firings; ++firing) {
      const pointers = this.reserve(slots.length * pointerBytes);
      this.writePointers(
        pointers,
        slots.map(({ slot, start }) => rowAddress(slot, start, firing)),
      );
      const at = rows + firing * this.rowBytes;
      this.writePointers(at, [pointers, rowAddress(call.output, output, firing), scratch]);
      this.writeInts(at + ROW_POINTERS * pointerBytes, [firing]);
    }
    return { kernel: this.memory.kernel(call.kernel), geometry, data, rows };
  }

  /** Everything that is reserved, with the largest pointers. */
  private bytesNeeded(): number {
    const { calls, constants } = this.program;
    const pointer = BigInt64Array.BYTES_PER_ELEMENT;
    const perCall = calls.map((call) => {
      const { geometry, data } = kernelSource(call.kernel);
      const row = (ROW_POINTERS + 1) * pointer + roundUp(call.slots.length * pointer, SPREAD_ALIGNMENT);
      return [geometry.length * 4, data.length * pointer, call.firings * row];
    });
    const sizes = [
      this.places.arenaBytes,
      ...constants.map(({ data }) => data.byteLength),
      ...perCall.flat(),
      this.schedule.length * (STEP_POINTERS + 1) * pointer,
    ];
    return sizes.reduce((sum, bytes) => sum + roundUp(bytes, SPREAD_ALIGNMENT), 0);
  }

  private reserve(bytes: number): number {
    const address = this.memory.base + this.top;
    this.top += roundUp(bytes, SPREAD_ALIGNMENT);
    return address;
  }

  private address(buffer: number): number {
    return this.arena + this.places.addresses[buffer]!;
  }

  private slice(address: number, length: number): Uint8Array<ArrayBuffer> {
    const start = address - this.memory.base;
    return this.memory.bytes.subarray(start, start + length);
  }

  private writeInts(address: number, values: readonly number[]): void {
    values.forEach((value, i) => {
      this.view.setInt32(address - this.memory.base + i * 4, value, true);
    });
  }

  private writePointers(address: number, values: readonly number[]): void {
    const start = address - this.memory.base;
    values.forEach((value, i) => {
      if (this.memory.pointerBytes === 4) this.view.setUint32(start + i * 4, value, true);
      else this.view.setBigUint64(start + i * 8, BigInt(value), true);
    });
  }
}

/** The engine of `graph`, with the kernels for computers. Throws what is wrong with the graph. */
export function openEngine(graph: Graph, host: EngineHost): Engine {
  const problems = verifyGraph(graph, 'float');
  if (problems.length > 0) throw new RivuletError(problems);
  return Engine.open(hostProgram(graph), host);
}

/** What `openEngine` runs, of a graph that is known to be right. */
export function hostProgram(graph: Graph): Program {
  return lower(graph, { isas: ['simd', 'portable'], optimize: 'speed' });
}

/** Addresses, but for the kernel. */
interface BoundCall {
  readonly kernel: number;
  readonly geometry: number;
  readonly data: number;
  readonly rows: number;
}

function rowAddress(view: RowView, start: number, firing: number): number {
  const row = view.rows[firing]!;
  return row < 0 ? 0 : start + rowStart(view, row);
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
