/**
 * Real models streamed, with the input resident and with its rows pushed: golden outputs on WebAssembly and on an
 * emulated Cortex-M4, SRAM within what was promised and equal to the ELF's, and what streaming may cost.
 * `npm run bench:streaming` measures these and the networks of the zoo.
 */
import { describe, expect, it } from 'vitest';
import { flashBytes } from '../../bench/footprint.ts';
import { SRAM_BOUNDS } from '../../bench/streamed-networks.ts';
import { type Compilation, type CompileOptions, compile } from '../../src/compile.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { firmwareRequest } from '../../src/run/executors.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { canRun } from '../support/firmware.ts';
import { ALL_MODELS, goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';

const CORE = 'cortex-m4';

const SCHEDULES = {
  whole: { schedule: 'whole' },
  stream: { schedule: 'stream' },
  rows: { inputMode: 'rows' },
} as const satisfies Record<string, CompileOptions>;

type ScheduleName = keyof typeof SCHEDULES;

const STREAMED = ALL_MODELS.flatMap((model) =>
  (['stream', 'rows'] as const).map((schedule) => ({ model, schedule })),
);

/** Bytes, beside the SRAM in the table. */
const MOST_STACK = 1500;
/** Instructions of a streamed run over those of the layers one by one. */
const MOST_INSTRUCTIONS = 1.05;
/** Bytes of firing tables and of the code that follows them. */
const MOST_EXTRA_FLASH = 4096;

describe.skipIf(!HAS_SHARED).each(STREAMED)('$model, $schedule', ({ model, schedule }) => {
  it('gives the golden outputs on WebAssembly', async () => {
    const { program, plan } = compiled(model, schedule);
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs(model)) {
      executor.dirty(seed);
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });

  it('stays within the SRAM that was promised', () => {
    const { report } = compiled(model, schedule);
    const whole = compiled(model, 'whole').report.sram.total;
    expect(report.sram.arena).toBeLessThanOrEqual(whole);
    expect(report.sram.total).toBeLessThanOrEqual(SRAM_BOUNDS[model]?.[schedule] ?? Number.POSITIVE_INFINITY);
  });

  it.skipIf(!canRun(CORE))(`gives the golden outputs on ${CORE}, in the SRAM of the ELF`, async () => {
    const compilation = compiled(model, schedule);
    const firmware = await buildFirmware(firmwareRequest(compilation, CORE));
    const { arena, data, bss } = firmware.memory!.sram;
    expect(arena + data + bss).toBe(compilation.report.sram.total);
    const golden = goldenOutputs(model);
    const samples = [...golden.keys()].map((seed) => [
      patternInput(compilation.program.inputs[0]!.bytes, seed),
    ]);
    const { outputs, stack } = await runFirmware(firmware, samples, { timeoutMs: 600_000 });
    expect(outputs.map((sample) => sample.flatMap((bytes) => [...new Int8Array(bytes)]))).toEqual([
      ...golden.values(),
    ]);
    expect(stack).toBeLessThan(MOST_STACK);
  });
});

/** Bytes that a streamed model may have: the least SRAM leaves fast kernels no room for scratch, and carries rows. */
const SRAM_FOR_SPEED: Readonly<Record<string, { readonly resident: number; readonly rows: number }>> = {
  mlperf_kws_int8: { resident: 6_300, rows: 5_900 },
  mlperf_resnet8_int8: { resident: 13_500, rows: 12_500 },
  mlperf_vww_96_int8: { resident: 29_500, rows: 14_500 },
  vww: { resident: 22_500, rows: 16_500 },
};

describe.skipIf(!HAS_SHARED || !canRun(CORE)).each(Object.entries(SRAM_FOR_SPEED))('%s', (model, sram) => {
  it('costs few instructions and little flash to stream', async () => {
    const whole = await costOf(compiled(model, 'whole'));
    for (const inputMode of ['resident', 'rows'] as const) {
      const maxSram = sram[inputMode];
      const options = {
        file: `${model}.tflite`,
        target: CORE,
        schedule: 'auto',
        inputMode,
        maxSram,
      } as const;
      const compilation = compile(modelBytes(model), options);
      expect(compilation.report.sram.total).toBeLessThanOrEqual(maxSram);
      const streamed = await costOf(compilation);
      expect(streamed.instructions / whole.instructions, inputMode).toBeLessThanOrEqual(MOST_INSTRUCTIONS);
      expect(streamed.flash - whole.flash, inputMode).toBeLessThanOrEqual(MOST_EXTRA_FLASH);
    }
  });
});

async function costOf(compilation: Compilation): Promise<{ instructions: number; flash: number }> {
  const firmware = await buildFirmware(firmwareRequest(compilation, CORE));
  const input = patternInput(compilation.program.inputs[0]!.bytes, 1);
  const { instructions } = await runFirmware(firmware, [[input]], { profile: true, timeoutMs: 600_000 });
  return { instructions: instructions!, flash: flashBytes(firmware.memory!) };
}

const cache = new Map<string, Compilation>();

/** Each model is scheduled once for all tests of this file. */
function compiled(model: string, schedule: ScheduleName): Compilation {
  const key = `${model} ${schedule}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const compilation = compile(modelBytes(model), {
    file: `${model}.tflite`,
    target: CORE,
    ...SCHEDULES[schedule],
  });
  cache.set(key, compilation);
  return compilation;
}
