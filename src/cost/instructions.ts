/**
 * The instructions of an inference before the firmware is built: an ESTIMATE. For each kernel, core and optimisation
 * `npm run measure:instructions` fits a few terms (see work.ts) to layers that ran in an emulator; docs/benchmarks.md
 * says how close the estimates come for networks that the fit has not seen. `profile` measures.
 */
import type { Optimize } from '../core/isa.ts';
import { type Call, type Program, PUSH } from '../program/types.ts';
import { INSTRUCTION_COUNTS } from './instruction-counts.ts';
import { termValue, workingCall } from './work.ts';

/** Instructions of a kernel by term, those of the layer function around it included. */
export type KernelCost = Readonly<Record<string, number>>;

/** On one core with one optimisation. */
export interface InstructionCounts {
  /** A multiply-accumulate, or an output byte where there are none: the mean over the measured layers. */
  readonly perMac: number;
  readonly kernels: Readonly<Record<string, KernelCost>>;
}

export type CoreInstructions = Readonly<Record<Optimize, InstructionCounts>>;

export interface InstructionEstimate {
  readonly total: number;
  /** By call. */
  readonly layers: readonly number[];
  /** Kernels that were never measured for this core; the core's mean stands for them. */
  readonly unmeasured: readonly string[];
}

/** Null for a core without measurements, such as the host. A streamed row costs what it costs in a loop. */
export function estimateInstructions(
  { calls }: Pick<Program, 'calls'>,
  core: string,
  optimize: Optimize,
): InstructionEstimate | null {
  const counts = INSTRUCTION_COUNTS[core]?.[optimize];
  if (counts === undefined) return null;
  const layers = calls.map((call) =>
    call.kernel === PUSH ? 0 : Math.round(layerInstructions(call, counts)),
  );
  const unmeasured = calls.filter(({ kernel }) => kernel !== PUSH && !(kernel in counts.kernels));
  return {
    total: layers.reduce((sum, instructions) => sum + instructions, 0),
    layers,
    unmeasured: [...new Set(unmeasured.map(({ kernel }) => kernel))],
  };
}

function layerInstructions(call: Call, { kernels, perMac }: InstructionCounts): number {
  const cost = kernels[call.kernel];
  return cost === undefined ? perMac * unitsOf(call) : kernelInstructions(cost, call);
}

export function kernelInstructions(cost: KernelCost, call: Call): number {
  const working = workingCall(call);
  return Object.entries(cost).reduce((sum, [term, each]) => sum + each * termValue(term, working), 0);
}

/** What `perMac` counts. */
export function unitsOf({ macs, firings, output }: Call): number {
  return macs > 0 ? macs : firings * output.rowBytes;
}
