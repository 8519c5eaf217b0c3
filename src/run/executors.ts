/** Four ways to execute a compiled model, behind one interface: they must agree on every byte of every layer. */
import type { Compilation } from '../compile.ts';
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { definitionOf } from '../ops/view.ts';
import { framePort } from '../program/types.ts';
import { findTarget } from '../targets/index.ts';
import { type RunResult, runFirmware, type Tensors } from './execute.ts';
import { buildFirmware, type FirmwareRequest } from './firmware.ts';
import { runReference } from './reference.ts';
import { completesWindow, FrameStream, referenceStream } from './stream.ts';
import { WasmExecutor } from './wasm.ts';

/**
 * reference: the definition, in TypeScript. wasm: the kernels as WebAssembly. native: the emitted C through this
 * computer's compiler. qemu: the emitted C, cross-compiled, on an emulated microcontroller.
 */
export const EXECUTOR_NAMES = ['reference', 'wasm', 'native', 'qemu'] as const;
export type ExecutorName = (typeof EXECUTOR_NAMES)[number];

/** The raw bytes of each input of a sample, or of each output. */
export type Sample = readonly Uint8Array[];

/** The finished value of one call of the program. */
export interface TraceEntry {
  /** `Call.index`. */
  readonly call: number;
  /** Raw bytes of `Call.result`. */
  readonly data: Uint8Array;
}

export interface Executor {
  /** `wasm`, or with the core `qemu:cortex-m4`. */
  readonly name: string;
  /** The emulated machine, else `host`. */
  readonly machine: string;
  /**
   * The outputs of each sample. Over time, samples are the frames of one stream, and those that complete no window have
   * no outputs. Throws RV3002 if a sample does not fit the model's inputs.
   */
  run(samples: readonly Sample[]): Promise<Uint8Array[][]>;
  /**
   * Every value that a call of the program finishes, in program order: comparable between executors. Throws RV3001 over
   * time, where nothing is ever complete.
   */
  trace(sample: Sample): Promise<TraceEntry[]>;
}

export interface ExecutorOptions {
  /** Of `qemu`: a core or a board, whose core is taken. Default: the target of the compilation. */
  readonly core?: string;
}

/** Milliseconds for all samples: a 224x224 network takes minutes on an emulator. */
const TIMEOUT_MS = 900_000;

/**
 * Makes a model ready to run, which for native and qemu means building it.
 * @throws RivuletError RV3001 (qemu without a microcontroller core), RV3004 (no compiler or emulator here) and what
 * `buildFirmware` throws
 */
export async function createExecutor(
  name: ExecutorName,
  compilation: Compilation,
  { core = compilation.target.core.name }: ExecutorOptions = {},
): Promise<Executor> {
  const executor = await executorOf(name, compilation, core);
  return compilation.program.sliding ? { ...executor, trace: noTrace } : executor;
}

async function noTrace(): Promise<never> {
  return fail('RV3001', 'layers cannot be compared over time: none is complete at one moment', {
    origin: '--stream-axis time',
    hint: 'compare the layers without --stream-axis time, and the outputs over time with rivulet run',
  });
}

async function executorOf(name: ExecutorName, compilation: Compilation, core: string): Promise<Executor> {
  switch (name) {
    case 'reference':
      return referenceExecutor(compilation);
    case 'wasm':
      return wasmExecutor(compilation);
    case 'native':
      return firmwareExecutor(name, compilation, 'host');
    case 'qemu':
      return firmwareExecutor(name, compilation, requireEmulatedCore(core));
  }
}

/** The name of the core that a core or board of that name has; RV3001 if there is no emulator for it. */
export function requireEmulatedCore(name: string): string {
  const { core } = findTarget(name);
  if (core.machines.length > 0) return core.name;
  return fail('RV3001', `there is no emulator for "${core.name}"`, {
    origin: '--target',
    hint: 'name a microcontroller core or board, e.g. --target cortex-m4; "rivulet targets" lists them',
  });
}

/** What building the emitted project takes. */
export function firmwareRequest(
  { project, name, program, optimize }: Compilation,
  core: string,
): FirmwareRequest {
  return {
    files: project,
    name,
    inputBytes: program.sliding ? [framePort(program).bytes] : program.inputs.map((port) => port.bytes),
    outputBytes: program.outputs.map((port) => port.bytes),
    layers: program.calls.length,
    core,
    optimize,
  };
}

/** Over time, a sample is a frame of the only input. */
function framesOf(samples: readonly Sample[]): Uint8Array[] {
  return samples.map(([frame]) => frame!);
}

function referenceExecutor({ graph, program }: Compilation): Executor {
  // Each node that does something has one call that finishes its value, both in the same order.
  const finishing = program.calls.filter((call) => call.result !== null);
  return {
    name: 'reference',
    machine: 'host',
    run: async (samples) => {
      const { sliding } = program;
      if (sliding === undefined) return samples.map((inputs) => runReference(graph, inputs));
      return referenceStream(graph, sliding, framesOf(samples)).map((outputs) => outputs ?? []);
    },
    trace: async (inputs) => {
      const entries: TraceEntry[] = [];
      runReference(graph, inputs, (node, [output]) => {
        if (definitionOf(node).kernels === 'alias') return;
        entries.push({ call: finishing[entries.length]!.index, data: asBytes(output!.data) });
      });
      return entries;
    },
  };
}

async function wasmExecutor({ program, plan }: Compilation): Promise<Executor> {
  const executor = await WasmExecutor.create(program, plan);
  return {
    name: 'wasm',
    machine: 'host',
    run: async (samples) => {
      if (program.sliding === undefined) return samples.map((inputs) => executor.run(inputs));
      const stream = await FrameStream.open(program, plan);
      return framesOf(samples).map((frame) => stream.push(frame) ?? []);
    },
    trace: async (inputs) => {
      const entries: TraceEntry[] = [];
      executor.run(inputs, (call, data) => entries.push({ call: call.index, data }));
      return entries;
    },
  };
}

async function firmwareExecutor(
  name: ExecutorName,
  compilation: Compilation,
  core: string,
): Promise<Executor> {
  const request = firmwareRequest(compilation, core);
  const firmware = await buildFirmware(request);
  const start = (traced: typeof firmware, samples: readonly Tensors[]): Promise<RunResult> =>
    runFirmware(traced, samples, { timeoutMs: TIMEOUT_MS });
  return {
    name: core === 'host' ? name : `${name}:${core}`,
    machine: firmware.machine?.name ?? 'host',
    run: async (samples) => {
      const { outputs } = await start(firmware, samples);
      const { sliding } = compilation.program;
      return outputs.map((tensors, i) => (sliding && !completesWindow(sliding, i + 1) ? [] : [...tensors]));
    },
    trace: async (inputs) => {
      const { trace } = await start(await buildFirmware({ ...request, trace: true }), [inputs]);
      return trace![0]!.map(({ layer, data }) => ({ call: layer, data }));
    },
  };
}
