/** Every set of kernels that some core executes, as programs to run on any computer: intrinsics have portable bodies. */
import type { Isa, Optimize } from '../../src/core/isa.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { type Plan, plan } from '../../src/plan/plan.ts';
import { takeRoom } from '../../src/plan/room.ts';
import type { Program } from '../../src/program/types.ts';

export interface KernelSet {
  readonly name: string;
  readonly isas: readonly Isa[];
  readonly optimize: Optimize;
  /** The arena is made large enough for every roomy kernel. */
  readonly roomy: boolean;
}

const SETS: readonly (readonly Isa[])[] = [
  ['portable'],
  ['scalar', 'portable'],
  ['simd', 'portable'],
  ['dsp', 'portable'],
  ['mve', 'dsp', 'portable'],
];

const VARIANTS: readonly Omit<KernelSet, 'isas'>[] = [
  { name: 'for speed', optimize: 'speed', roomy: false },
  { name: 'for speed with room', optimize: 'speed', roomy: true },
  { name: 'for size with room', optimize: 'size', roomy: true },
];

export const KERNEL_SETS: readonly KernelSet[] = SETS.flatMap((isas) =>
  VARIANTS.map((variant) => ({ ...variant, name: `${isas[0]!} ${variant.name}`, isas })),
);

const ROOM = 1 << 20;

/** `graph` with the kernels of a set, planned whole. */
export function lowered(
  graph: Graph,
  { isas, optimize, roomy }: KernelSet,
): { program: Program; plan: Plan } {
  const program = lower(graph, { isas, optimize });
  const planned = plan(program);
  if (!roomy) return { program, plan: planned };
  return takeRoom(program, { ...planned, arenaBytes: planned.arenaBytes + ROOM });
}
