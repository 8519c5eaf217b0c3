/**
 * Operators with kernels in assembly, on the emulated cores that execute it: every case in one firmware for
 * each set of kernels, against the reference.
 */
import { describe, expect, it } from 'vitest';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { canRun } from '../support/firmware.ts';
import { joined } from '../support/joined-graph.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';
import { differencesOnCore } from '../support/on-core.ts';

const CORES = ['cortex-m4', 'cortex-m7', 'cortex-m33'];
const OPERATORS = [
  'depthwise_conv2d',
  'expand_depthwise2d',
  'trained_conv2d',
  'quantized_conv2d_input_gradient',
  'conv2d_update',
  'bias_update',
  'trained_depthwise_conv2d',
  'quantized_depthwise_conv2d_input_gradient',
] as const;
const SETS = KERNEL_SETS.filter(({ isas }) => isas[0] === 'dsp');
const RUNS = CORES.filter(canRun).flatMap((core) => SETS.map((set) => ({ core, set, name: set.name })));

describe.each(OPERATORS)('%s', (op) => {
  it.each(RUNS)('on $core, $name', { timeout: 60_000 }, async ({ core, set }) => {
    const graph = joined(
      op,
      ALL_CASES[op]!.map((c) => c.graph),
    );
    expect(await differencesOnCore(graph, lowered(graph, set), core, 'speed', [3, 4])).toEqual([]);
  });
});
