/** Flash, layer by layer. Constants are exact; code is the estimate of the whole, divided among the layers. */

import type { Optimize } from '../core/isa.ts';
import { CODE_SIZES } from '../cost/code-sizes.ts';
import { contextOf } from '../cost/layer-code.ts';
import { kernelFunctions } from '../emit/kernels.ts';
import type { Plan } from '../plan/plan.ts';
import type { Call, ConstantId, Program } from '../program/types.ts';
import type { Target } from '../targets/index.ts';

/** Bytes of one layer. */
export interface LayerFlash {
  /** Weights and tables that no earlier layer reads. */
  readonly constants: number;
  /** Its function and its part of the kernels it shares with other layers. */
  readonly code: number;
}

/** Of a layer's own function, next to kernels of some hundred bytes; only proportions matter. */
const LAYER_FUNCTION_BYTES = 100;
/** Of a kernel that nobody measured. */
const KERNEL_BYTES = 300;

/** The parts of `codeBytes`, an estimate, are in proportion to the measured sizes of the kernels. */
export function flashMap(
  program: Program,
  plan: Plan,
  { target, optimize, codeBytes }: { target: Target; optimize: Optimize; codeBytes: number },
): LayerFlash[] {
  const sizes = CODE_SIZES[target.core.name] ?? CODE_SIZES['cortex-m4']!;
  const code = program.calls.map(() => LAYER_FUNCTION_BYTES);
  for (const { source, calls } of kernelFunctions(contextOf({ program, plan, optimize }))) {
    const bytes = sizes[optimize].kernels[source.name]?.bytes ?? KERNEL_BYTES;
    for (const call of calls) code[call]! += bytes / calls.length;
  }
  const sum = code.reduce((total, bytes) => total + bytes, 0);
  const seen = new Set<ConstantId>();
  return program.calls.map((call, i) => {
    const fresh = [...new Set(constantsOf(call))].filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    return {
      constants: fresh.reduce((bytes, id) => bytes + program.constants[id]!.data.byteLength, 0),
      code: Math.round((code[i]! / sum) * codeBytes),
    };
  });
}

function constantsOf(call: Call): ConstantId[] {
  const read = call.slots.flatMap(({ source }) => (source.kind === 'constant' ? [source.constant] : []));
  return [...Object.values(call.data), ...read];
}
