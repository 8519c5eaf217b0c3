/** What the kernels are allowed to cost, as last recorded. */
import { writeFileSync } from 'node:fs';
import { canRun, requireCompiler } from '../../src/run/toolchain.ts';
import type { Core } from '../../src/targets/cores.ts';
import { findTarget } from '../../src/targets/index.ts';
import { measureCalls, planned, SPACIOUS } from './measure.ts';
import { KERNEL_SHAPES, type KernelShape } from './shapes.ts';

/** Relative to the repository's root. */
export const KERNEL_FILE = 'test/ratchet/kernels.json';

export interface CoreBudgets {
  /** The first line of its `--version`: another one makes other code. */
  readonly compiler: string;
  /** By the layer's name. */
  readonly layers: Readonly<Record<string, LayerBudget>>;
}

export interface LayerBudget {
  readonly kernel: string;
  /** Of the whole layer, its rows' bookkeeping included. */
  readonly instructions: number;
}

/** By core. */
export type KernelBudgets = Readonly<Record<string, CoreBudgets>>;

/** One core for each set of kernels measures all shapes, the others those that are marked. */
const FULL = ['cortex-m4', 'cortex-m55'];
const SOME = ['cortex-m3', 'cortex-m0plus', 'rv32imac'];

export const KERNEL_CORES: readonly string[] = [...FULL, ...SOME];

export function shapesFor(core: string): readonly KernelShape[] {
  return FULL.includes(core) ? KERNEL_SHAPES : KERNEL_SHAPES.filter(({ everywhere }) => everywhere);
}

/** All shapes of one core, for speed, with room for scratch. */
export async function measureShapes(core: Core): Promise<CoreBudgets> {
  const choice = { isas: core.isas, optimize: 'speed' } as const;
  const programs = shapesFor(core.name).map(({ layer }) => planned(layer.graph, choice, SPACIOUS));
  const measured = await measureCalls(programs, core, 'speed');
  return {
    compiler: (await requireCompiler(core)).version,
    layers: Object.fromEntries(
      measured.map(({ call, instructions }) => [call.origin.name, { kernel: call.kernel, instructions }]),
    ),
  };
}

/** Those of KERNEL_CORES that can be built for and run here. */
export async function measureKernels(): Promise<KernelBudgets> {
  const budgets: Record<string, CoreBudgets> = {};
  for (const name of KERNEL_CORES) {
    const { core } = findTarget(name);
    if (await canRun(core)) budgets[name] = await measureShapes(core);
  }
  return budgets;
}

export function writeKernelBudgets(budgets: KernelBudgets): void {
  writeFileSync(KERNEL_FILE, `${JSON.stringify(budgets, null, 2)}\n`);
}
