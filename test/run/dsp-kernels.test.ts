/**
 * The instructions of DSP kernels, which computers have no use for: cases of each kernel on emulated cores. RIVULET_DSP=n
 * takes n cases of each and all cores; otherwise it is one case, on a Cortex-M4.
 */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/types.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { OPS } from '../../src/ops/table.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { canRun } from '../support/firmware.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';
import { differencesOnCore } from '../support/on-core.ts';

const MOST = Number(process.env.RIVULET_DSP ?? 1);
const CORES = MOST > 1 ? ['cortex-m4', 'cortex-m7', 'cortex-m33'] : ['cortex-m4'];
const DSP_SETS = KERNEL_SETS.filter(({ isas }) => isas[0] === 'dsp');

interface Lowering {
  readonly graph: Graph;
  readonly program: Program;
  readonly plan: Plan;
}

const KERNELS = Object.values(OPS)
  .flatMap(({ kernels }) => (kernels === 'alias' ? [] : [...kernels]))
  .filter(({ isa }) => isa === 'dsp')
  .map(({ name }) => name);

const LOWERINGS: readonly Lowering[] = Object.values(ALL_CASES)
  .flat()
  .flatMap(({ graph }) => DSP_SETS.map((set) => ({ graph, ...lowered(graph, set) })));

function uses(kernel: string, { program }: Lowering): boolean {
  return program.calls.some((call) => call.kernel === kernel);
}

describe.each(CORES)('%s', (core) => {
  it.skipIf(!canRun(core)).each([...new Set(KERNELS)])('%s', { timeout: 60_000 * MOST }, async (kernel) => {
    const cases = LOWERINGS.filter((lowering) => uses(kernel, lowering)).slice(0, MOST);
    expect(cases).not.toEqual([]);
    for (const lowering of cases) {
      expect(await differencesOnCore(lowering.graph, lowering, core, 'speed', [1, 2, 3])).toEqual([]);
      expect(await differencesOnCore(lowering.graph, lowering, core, 'size', [1, 2, 3])).toEqual([]);
    }
  });
});
