/**
 * Flash that code takes, ESTIMATED from measured kernels: for each core the mean size of every kernel function, shared
 * and specialised, and of a layer function, as `npm run measure:code` last found them in real builds. `profile` measures
 * a project exactly.
 */
import type { Optimize } from '../emit/context.ts';
import type { Program } from '../program/types.ts';
import { CODE_SIZES } from './code-sizes.ts';

export interface CodeEstimate {
  readonly bytes: number;
  /** Kernels that were never measured for this core; the mean of the others stands for them. */
  readonly unmeasured: readonly string[];
}

export function estimateCode(program: Program, core: string, optimize: Optimize): CodeEstimate {
  const sizes = CODE_SIZES[core]?.[optimize] ?? CODE_SIZES['cortex-m4']![optimize];
  const functions = new Set(
    program.calls.map((call) =>
      JSON.stringify(optimize === 'speed' ? [call.kernel, call.geometry] : [call.kernel]),
    ),
  );
  const known = Object.values(sizes.kernels);
  const mean = known.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, known.length);
  let bytes = sizes.base + sizes.layer * program.calls.length;
  const unmeasured: string[] = [];
  for (const key of functions) {
    const [kernel] = JSON.parse(key) as [string];
    const measured = sizes.kernels[kernel];
    if (measured === undefined) unmeasured.push(kernel);
    bytes += measured ?? mean;
  }
  return { bytes: Math.round(bytes), unmeasured };
}
