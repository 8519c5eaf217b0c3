/** How long an inference takes: an ESTIMATE, from estimated instructions and a model of the core's pipeline. */
import { cyclesEstimate, type Target } from '../targets/index.ts';
import type { InstructionEstimate } from './instructions.ts';

export interface LatencyEstimate {
  readonly instructions: number;
  /** By `Core.cyclesPerInstruction`: memory without wait states. */
  readonly cycles: number;
  /** Of the target: a board's highest rated clock, or a typical one of the core. */
  readonly clockHz: number;
  readonly milliseconds: number;
  /** Kernels that were never measured for this core: the mean of the others, a multiply-accumulate, stands for them. */
  readonly unmeasured: readonly string[];
}

export function estimateLatency(
  { total, unmeasured }: InstructionEstimate,
  { core, clockHz }: Target,
): LatencyEstimate {
  const cycles = cyclesEstimate(core, total);
  return { instructions: total, cycles, clockHz, milliseconds: (cycles / clockHz) * 1000, unmeasured };
}
