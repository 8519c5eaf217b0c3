/** The table of docs/operators.md against the importers, the operators and their kernels. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { lower } from '../../src/lower/lower.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { OPS } from '../../src/ops/table.ts';
import { TFLITE_IMPORTERS } from '../../src/ops/tflite-importers.ts';
import { kernelSource } from '../../src/program/kernel-source.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../docs/operators.md'), 'utf8');

interface Row {
  readonly tflite: string;
  readonly operators: readonly string[];
  readonly kernels: readonly string[];
  readonly inPlace: string;
}

const ROWS = cellsOf('Supported').map(([tflite, operators, , kernels, inPlace]): Row => {
  return {
    tflite: codes(tflite!)[0]!,
    operators: codes(operators!),
    kernels: codes(kernels!),
    inPlace: inPlace!,
  };
});

/** The cells of the table rows of a section that begin with code. */
function cellsOf(title: string): string[][] {
  return TEXT.split(/^## /m)
    .find((section) => section.startsWith(`${title}\n`))!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** The operators with a case in which a call may write over its input. */
const IN_PLACE = new Set(
  Object.values(ALL_CASES)
    .flat()
    .flatMap(({ graph }) => lower(graph).calls.filter((call) => call.inPlace.length > 0))
    .map((call) => call.op),
);

it('has one row for every operator that can be imported, sorted', () => {
  expect(ROWS.map((row) => row.tflite)).toEqual(Object.keys(TFLITE_IMPORTERS).sort());
});

describe.each(ROWS)('$tflite', ({ operators, kernels, inPlace }) => {
  const first = operators[0] as keyof typeof OPS;

  it('names operators of the IR', () => {
    expect(Object.keys(OPS)).toEqual(expect.arrayContaining([...operators]));
  });

  it('names the kernels of the first, in the order they are tried', () => {
    const table = OPS[first].kernels;
    expect(kernels).toEqual(table === 'alias' ? [] : [...new Set(table.map((kernel) => kernel.name))]);
    for (const kernel of kernels) expect(kernelSource(kernel).name).toBe(kernel);
  });

  it('says whether it works in place', () => {
    const expected = OPS[first].kernels === 'alias' ? '–' : IN_PLACE.has(first) ? 'yes' : 'no';
    expect(inPlace).toBe(expected);
  });
});

it('has the limits of the compiler', () => {
  const named = cellsOf('Limits').map(([limit, value]) => [
    codes(limit!)[0]!,
    2 ** Number(value!.replace('2^', '')),
  ]);
  expect(Object.fromEntries(named)).toEqual(LIMITS);
});
