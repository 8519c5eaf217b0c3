/** The front counts SRAM as a compilation does, counters of pushed rows included. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compile, pareto } from '../src/api.ts';
import { counterType } from '../src/emit/streams.ts';
import type { Program } from '../src/program/types.ts';

const MODEL = readFileSync(join(import.meta.dirname, '../examples/digits/digits.tflite'));

it.each(['resident', 'rows'] as const)('lists the SRAM that compile promises, %s', (inputMode) => {
  const { points } = pareto(MODEL, { inputMode, maxExtraMacs: 0 });
  const { report } = compile(MODEL, { inputMode, schedule: 'stream' });
  expect(points.at(-1)!.sram).toBe(report.sram.total);
});

it('misses a goal that only the arena without its counters meets', () => {
  const limited = (maxSram: number) =>
    compile(MODEL, { inputMode: 'rows', schedule: 'auto', maxSram }).report;
  const { sram: least } = limited(1);
  const { fit } = limited(least.arena);
  expect(least.arena).toBeLessThan(least.total);
  expect(fit.sram!.margin).toBe(least.arena - least.total);
});

it('refuses a limit that is no limit', () => {
  for (const value of [-1, Number.NaN]) {
    expect(() => compile(MODEL, { maxExtraMacs: value })).toThrow(/RV3001/);
    expect(() => compile(MODEL, { maxSram: value })).toThrow(/RV3001/);
  }
});

it('counts rows in as many bits as they need', () => {
  const program = (firings: number) => ({ calls: [{ firings }] }) as unknown as Program;
  const segment = { runs: [], calls: [0] };
  expect(counterType(program(255), segment)).toBe('uint8_t');
  expect(counterType(program(256), segment)).toBe('int16_t');
  expect(counterType(program(32767), segment)).toBe('int16_t');
  expect(counterType(program(32768), segment)).toBe('int32_t');
});
