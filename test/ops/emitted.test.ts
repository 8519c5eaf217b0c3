/** The emitted C of every case of every operator: strict warnings, both compilers, sanitizers, against the reference. */
import { describe, expect, it } from 'vitest';
import type { Optimize } from '../../src/emit/context.ts';
import { emitProject } from '../../src/emit/project.ts';
import { lower } from '../../src/lower/lower.ts';
import type { OpCase } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { plan } from '../../src/plan/plan.ts';
import { runReference } from '../../src/run/reference.ts';
import { type CompilerChoice, type EmittedCase, failuresOf, hasCommand } from '../support/emitted.ts';
import { inputsFor } from '../support/inputs.ts';

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
          cases.map((c, i) => emitted(c, `${op}_${i}`, optimize)),
          compiler,
        ),
      ).toEqual([]);
    });
  });
});

function emitted({ graph, name: title }: OpCase, name: string, optimize: Optimize): EmittedCase {
  const program = lower(graph);
  const samples = [1, 2].map((seed) => {
    const inputs = inputsFor(graph, seed);
    return { inputs, outputs: runReference(graph, inputs) };
  });
  return {
    name,
    project: emitProject(program, plan(program), { name, optimize, provenance: title }),
    samples,
  };
}
