/** Rivulet as a library: pure functions from bytes to firmware, usable in Node and in a browser. */
import type { Compilation } from './compile.ts';
import { fail } from './core/diagnostics.ts';
import { fromBytes, toNumbers } from './core/dtype.ts';
import type { Port } from './program/types.ts';
import { runReference as runGraph } from './run/reference.ts';
import { FrameStream } from './run/stream.ts';
import { WasmExecutor } from './run/wasm.ts';

export { FeatureExtractor, featureReals, quantizeFeature } from './audio/features.ts';
export { type FrontEnd, parseFrontEnd } from './audio/front-end.ts';
export { quantizationOf } from './audio/tables.ts';
export { type ConvolutionOptions, Network, type NetworkOptions, SIX } from './autodiff/network.ts';
export {
  gradientGraph,
  LEARNING_RATE,
  type Optimizer,
  type TrainingOptions,
  trainingGraph,
} from './autodiff/training.ts';
export { type Compilation, type CompileOptions, compile, type Schedule } from './compile.ts';
export {
  DIAGNOSTIC_CODES,
  type Diagnostic,
  type DiagnosticCode,
  formatDiagnostic,
  RivuletError,
  type Severity,
} from './core/diagnostics.ts';
export type { Optimize } from './core/isa.ts';
export type { Project } from './emit/project.ts';
export type { SafeDType, SafeTensor, SafeTensors } from './formats/safetensors/model.ts';
export { readSafetensors } from './formats/safetensors/reader.ts';
export { writeSafetensors } from './formats/safetensors/writer.ts';
export { readTflite } from './formats/tflite/reader.ts';
export { writeTflite } from './formats/tflite/writer.ts';
export { type BlocksFiles, importBlocks } from './import/int8-blocks.ts';
export { importModel, type ModelBytes } from './import/model.ts';
export { importTflite } from './import/tflite.ts';
export { type InspectedOperator, type InspectedTensor, type InspectReport, inspect } from './inspect.ts';
export type { Graph, Node, Value } from './ir/types.ts';
export { type ParetoOptions, type ParetoPoint, type ParetoReport, pareto } from './pareto.ts';
export type { Io } from './passes/pipeline.ts';
export type { Plan } from './plan/plan.ts';
export type { Call, Port, Program } from './program/types.ts';
export { freeze } from './quantize/prepare.ts';
export {
  type Choice,
  type Quantized,
  type QuantizeOptions,
  quantize,
  type Trial,
} from './quantize/quantize.ts';
export type { Calibration } from './quantize/ranges.ts';
export type { CompileReport, Fit, LayerReport } from './report/compile-report.ts';
export { Engine, type EngineHost, type EngineMemory, openEngine } from './run/engine/engine.ts';
export { wasmHost } from './run/engine/wasm-host.ts';
export { FrameStream } from './run/stream.ts';
export { type LayerObserver, WasmExecutor } from './run/wasm.ts';
export { type Core, findTarget, TARGETS, type Target } from './targets/index.ts';
export { VERSION } from './version.ts';
export { zooModel } from './zoo/model.ts';

const executors = new WeakMap<Compilation, Promise<WasmExecutor>>();

/**
 * One inference with the firmware's own kernels, as WebAssembly.
 * @param inputs raw bytes of each input: row-major, little-endian, as `compilation.program.inputs` describes them
 * @returns raw bytes of each output; `describeOutputs` makes values of them
 * @throws RivuletError RV3002 if an input has the wrong length, RV3001 for a model over time: see `openStream`
 */
export async function run(compilation: Compilation, inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
  if (compilation.program.sliding) {
    fail('RV3001', 'a model over time takes frames', { origin: compilation.name, hint: 'use openStream' });
  }
  const executor = executors.get(compilation) ?? WasmExecutor.create(compilation.program, compilation.plan);
  executors.set(compilation, executor);
  return (await executor).run(inputs);
}

/**
 * Opens a stream through a model that was compiled with `streamAxis: 'time'`, for frames to be pushed.
 * @throws RivuletError RV3001 if it was not
 */
export function openStream({ program, plan }: Compilation): Promise<FrameStream> {
  return FrameStream.open(program, plan);
}

/** The same by definition: operator by operator, in TypeScript, sharing nothing with the C kernels. Slow. */
export function runReference(compilation: Compilation, inputs: readonly Uint8Array[]): Uint8Array[] {
  return runGraph(compilation.graph, inputs);
}

/** An output as numbers. */
export interface OutputValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** real = scale * (value - zeroPoint); null where the output is not quantised. */
  readonly scale: number | null;
  readonly zeroPoint: number | null;
  /** Raw values, row-major. */
  readonly values: readonly number[];
}

/** Names, types and values of the raw bytes that an executor returned. */
export function describeOutputs(compilation: Compilation, outputs: readonly Uint8Array[]): OutputValues[] {
  return compilation.program.outputs.map((port, i) => describeOutput(port, outputs[i]!));
}

function describeOutput({ name, shape, dtype, quantization }: Port, bytes: Uint8Array): OutputValues {
  const [scale = null, zeroPoint = null] = [quantization?.scales[0], quantization?.zeroPoints[0]];
  return { name, shape, dtype, scale, zeroPoint, values: toNumbers(fromBytes(dtype, bytes)) };
}
