/**
 * Operators with kernels in assembly, on the emulated cores that execute it: every case in one firmware for
 * each set of kernels, against the reference.
 */
import { describe, expect, it } from 'vitest';
import { emitProject } from '../../src/emit/project.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { runReference } from '../../src/run/reference.ts';
import { canRun } from '../support/firmware.ts';
import { inputsFor } from '../support/inputs.ts';
import { joined } from '../support/joined-graph.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

const CORES = ['cortex-m4', 'cortex-m7', 'cortex-m33'];
const OPERATORS = [
  'depthwise_conv2d',
  'expand_depthwise2d',
  'trained_conv2d',
  'quantized_conv2d_input_gradient',
] as const;
const SETS = KERNEL_SETS.filter(({ isas }) => isas[0] === 'dsp');
const RUNS = CORES.flatMap((core) => SETS.map((set) => ({ core, set, name: set.name })));

describe.each(OPERATORS)('%s', (op) => {
  it.each(RUNS)('on $core, $name', async ({ core, set }) => {
    if (!canRun(core)) return;
    const cases = ALL_CASES[op] ?? [];
    const graphs = cases.map((c) => c.graph);
    const { program, plan } = lowered(joined(op, graphs), set);
    const project = emitProject(program, plan, { name: op, optimize: 'speed', provenance: 'cases' });
    const firmware = await buildFirmware({
      files: project,
      name: op,
      inputBytes: program.inputs.map((port) => port.bytes),
      outputBytes: program.outputs.map((port) => port.bytes),
      layers: program.calls.length,
      core,
      optimize: 'speed',
    });
    const inputs = graphs.map((graph) => inputsFor(graph, 3));
    const { outputs } = await runFirmware(firmware, [inputs.flat()], { timeoutMs: 300_000 });
    const expected = graphs.flatMap((graph, i) => runReference(graph, inputs[i]!));
    const wrong = cases.filter((_, i) => !sameBytes(outputs[0]![i]!, expected[i]!));
    expect(wrong.map((c) => c.name)).toEqual([]);
  });
});

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
