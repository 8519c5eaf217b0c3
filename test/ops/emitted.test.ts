/** The emitted C of every case of every operator: strict warnings, both compilers, sanitizers, against the reference. */
import { describe, expect, it } from 'vitest';
import type { Optimize } from '../../src/core/isa.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { OpCase } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { initialStates, runReference } from '../../src/run/reference.ts';
import { type CompilerChoice, type EmittedCase, failuresOf, hasCommand } from '../support/emitted.ts';
import { inputsFor } from '../support/inputs.ts';
import { KERNEL_SETS, type KernelSet, lowered } from '../support/kernel-sets.ts';
import { bytesOfStates, statePlaces } from '../support/states.ts';

const SANITIZE = ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

const VARIANTS: readonly { optimize: Optimize; compiler: CompilerChoice }[] = [
  { optimize: 'speed', compiler: { command: 'gcc', flags: SANITIZE } },
  { optimize: 'size', compiler: { command: 'clang', flags: ['-Os'] } },
];

describe.each(VARIANTS)('$optimize with $compiler.command', ({ optimize, compiler }) => {
  describe.skipIf(!hasCommand(compiler.command))('emitted C', () => {
    it.each(Object.entries(ALL_CASES))('%s', (op, cases) => {
      expect(
        failuresOf(
          cases.flatMap((c, i) => projectsOf(c, `${op}_${i}`, optimize)),
          compiler,
        ),
      ).toEqual([]);
    });
  });
});

/** The case with each set of kernels that makes a difference. */
function projectsOf(c: OpCase, name: string, optimize: Optimize): EmittedCase[] {
  const seen = new Set<string>();
  return KERNEL_SETS.flatMap((set, i) => {
    const { program } = lowered(c.graph, set);
    const kernels = program.calls.map(({ kernel, scratch }) => `${kernel} ${scratch !== null}`).join();
    if (seen.has(kernels)) return [];
    seen.add(kernels);
    return [emitted(c, `${name}_${i}`, optimize, set)];
  });
}

function emitted(
  { graph, name: title }: OpCase,
  name: string,
  optimize: Optimize,
  set: KernelSet,
): EmittedCase {
  const { program, plan } = lowered(graph, set);
  const samples = [1, 2].map((seed) => {
    const inputs = inputsFor(graph, seed);
    const states = initialStates(graph);
    return {
      inputs,
      outputs: runReference(graph, inputs, undefined, states),
      states: bytesOfStates(states),
    };
  });
  return {
    name,
    project: emitProject(program, plan, { name, optimize, provenance: title }),
    samples,
    stateOffsets: statePlaces(graph, program, plan).map(({ at }) => at),
  };
}
