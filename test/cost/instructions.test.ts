/** The estimated instructions: the terms mean what they say, and the totals come close for networks never fitted to. */
import { describe, expect, it } from 'vitest';
import { compileFor, footprint } from '../../bench/footprint.ts';
import { fitKernel } from '../../bench/kernels/fit.ts';
import { modelsAtHand } from '../../bench/models.ts';
import { compile } from '../../src/compile.ts';
import { INSTRUCTION_COUNTS } from '../../src/cost/instruction-counts.ts';
import { estimateInstructions, kernelInstructions } from '../../src/cost/instructions.ts';
import { estimateLatency } from '../../src/cost/latency.ts';
import { termValue, workingCall } from '../../src/cost/work.ts';
import { kernelSource } from '../../src/program/kernel-source.ts';
import type { Call } from '../../src/program/types.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { CORES, findTarget } from '../../src/targets/index.ts';
import { tinyModelFile } from '../support/models.ts';

const OPTIMIZE = ['speed', 'size'] as const;
const EMULATED = CORES.filter(({ machines }) => machines.length > 0);

/** conv2d 3x3, stride 2: [8, 8, 3] -> [4, 4, 4], one row above the image is padding. */
const { program } = compile(tinyModelFile(), { target: 'cortex-m3' });
const [conv] = program.calls;

describe('a term', () => {
  const call = { ...workingCall(conv!), geometry: { stride: 2 } };

  it.each([
    ['', 1],
    ['rows', 4],
    ['width', 4],
    ['channels', 4],
    ['outputs', 16],
    ['depth', 27],
    ['width/3', 2],
    ['width:3', 1],
    ['width%3', 1],
    ['width%3=1', 1],
    ['width%3=2', 0],
    ['stride=2', 1],
    ['stride=-2', 0],
    ['rows*width/3*channels*depth', 4 * 2 * 4 * 27],
  ])('"%s" is worth %d', (term, value) => {
    expect(termValue(term, call)).toBe(value);
  });

  it('counts rows of padding as taps that are not there', () => {
    const { taps, live, depth } = call.work;
    expect(conv!.slots).toHaveLength(3);
    const absent = conv!.slots.flatMap(({ rows }) => [...rows]).filter((row) => row < 0).length;
    expect(absent).toBeGreaterThan(0);
    expect(taps).toBe(3 - absent / 4);
    expect(live).toBe((depth * taps) / 3);
  });
});

describe('the fit', () => {
  const sized = (width: number, channels: number): Call => ({
    ...conv!,
    output: { ...conv!.output, rowBytes: width * channels },
    geometry: { ...conv!.geometry, out_width: width },
  });
  const shapes = [3, 5, 8, 12, 20].flatMap((width) => [8, 24, 40].map((channels) => sized(width, channels)));

  it('finds the terms that the instructions were made from', () => {
    const truth = { 'rows*width/4*channels': 50, 'rows*channels': 900 };
    const measured = shapes.map((call) => ({ call, instructions: kernelInstructions(truth, call) }));
    const cost = fitKernel(measured);
    for (const call of [...shapes, sized(15, 64)]) {
      const error = kernelInstructions(cost, call) / kernelInstructions(truth, call) - 1;
      expect(Math.abs(error)).toBeLessThan(0.01);
    }
  });

  it('never makes a layer cheaper by a term', () => {
    const measured = shapes.map((call, i) => ({ call, instructions: 5000 - 300 * i }));
    for (const coefficient of Object.values(fitKernel(measured)))
      expect(coefficient).toBeGreaterThanOrEqual(0);
  });
});

describe('an estimate', () => {
  it('is the sum of its layers, and the latency follows from it', () => {
    const estimate = estimateInstructions(program, 'cortex-m3', 'speed')!;
    expect(estimate.layers).toHaveLength(program.calls.length);
    expect(estimate.total).toBe(estimate.layers.reduce((sum, layer) => sum + layer, 0));
    const target = findTarget('stm32f103');
    const { cycles, milliseconds } = estimateLatency(estimate, target);
    expect(cycles).toBe(Math.round(estimate.total * target.core.cyclesPerInstruction));
    expect(milliseconds).toBeCloseTo((cycles / 72e6) * 1000);
  });

  it('takes the mean for a kernel that was never measured, and says so', () => {
    const calls = [{ ...conv!, kernel: 'new_s8' }];
    const { total, unmeasured } = estimateInstructions({ calls }, 'cortex-m3', 'size')!;
    expect(unmeasured).toEqual(['new_s8']);
    expect(total).toBe(Math.round(INSTRUCTION_COUNTS['cortex-m3']!.size.perMac * conv!.macs));
  });

  it('is the same for a row in a loop and in a stream', () => {
    const streamed = { ...conv!, result: null };
    const [alone] = estimateInstructions({ calls: [conv!] }, 'cortex-m3', 'speed')!.layers;
    expect(estimateInstructions({ calls: [streamed] }, 'cortex-m3', 'speed')!.layers).toEqual([alone]);
  });

  it('does not exist for the host', () => {
    expect(estimateInstructions(program, 'host', 'speed')).toBeNull();
  });
});

describe.each(EMULATED)('the table for $name', ({ name }) => {
  it.each(OPTIMIZE)('knows what it refers to, for %s', (optimize) => {
    const { work } = workingCall(conv!);
    for (const [kernel, cost] of Object.entries(INSTRUCTION_COUNTS[name]![optimize].kernels)) {
      const fields = kernelSource(kernel).geometry.map((field) => field.name);
      for (const [term, coefficient] of Object.entries(cost)) {
        expect(coefficient).toBeGreaterThanOrEqual(0);
        for (const factor of term.split('*').filter((f) => f !== ''))
          expect([...Object.keys(work), ...fields]).toContain(factor.replace(/[/:%=].*/, ''));
      }
    }
  });
});

/** Small enough to be counted in seconds; docs/benchmarks.md has all of them on all cores. */
const COUNTED = ['digits', 'mlperf_ad_int8', 'mlperf_kws_int8', 'mlperf_resnet8_int8', 'vww'];
const COUNTING = ['cortex-m4', 'cortex-m55'];
const WITHIN = 0.1;
const runnable = await Promise.all(COUNTING.map(async (core) => canRun(findTarget(core).core)));

describe.each(COUNTING.map((core, i) => ({ core, here: runnable[i] })))('on $core', ({ core, here }) => {
  it.skipIf(!here).each(modelsAtHand().filter(({ name }) => COUNTED.includes(name)))(
    'comes within a tenth for $name',
    async (model) => {
      const compilation = compileFor(model, core, 'speed');
      const { instructions } = await footprint(compilation, core);
      expect(Math.abs(compilation.report.latency!.instructions / instructions - 1)).toBeLessThan(WITHIN);
    },
  );
});
