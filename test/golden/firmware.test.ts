/**
 * The emitted firmware of real models against the golden outputs: on this machine with sanitizers, and as real
 * cross-compiled ELF files on every emulated core. The SRAM promised by the compiler is the SRAM in the ELF.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { runFirmware, runNative } from '../../src/run/execute.ts';
import { firmwareRequest } from '../../src/run/executors.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { canRun, hasCompiler } from '../support/firmware.ts';
import {
  ALL_MODELS,
  goldenOutputs,
  HAS_SHARED,
  modelBytes,
  patternInput,
  SMALL_MODELS,
} from '../support/shared.ts';

const CORES = [
  'cortex-m0plus',
  'cortex-m3',
  'cortex-m4',
  'cortex-m7',
  'cortex-m33',
  'cortex-m55',
  'rv32imac',
];

/** Larger networks take minutes on an emulator: two cores, with other kernels, are enough for them. */
const LARGE = ['cortex-m4', 'cortex-m55'];
const CASES = CORES.flatMap((core) =>
  (LARGE.includes(core) ? ALL_MODELS : SMALL_MODELS).map((model) => ({ core, model })),
);

describe.skipIf(!HAS_SHARED || !hasCompiler('gcc')).each(ALL_MODELS)('%s on this machine', (model) => {
  it('gives the golden outputs under ASan and UBSan', async () => {
    const { compilation, samples, expected } = golden(model, 'host');
    const request = { ...firmwareRequest(compilation, 'host'), sanitize: true, compiler: 'gcc' as const };
    expect(flatten((await runNative(request, samples)).outputs)).toEqual(expected);
  });
});

describe.skipIf(!HAS_SHARED).each(CASES)('$model on $core', ({ core, model }) => {
  it.skipIf(!canRun(core))('gives the golden outputs in the promised SRAM', async () => {
    const { compilation, samples, expected } = golden(model, core);
    const firmware = await buildFirmware(firmwareRequest(compilation, core));
    const { arena, data, bss } = firmware.memory!.sram;
    expect(arena + data + bss).toBe(compilation.report.sram.total);
    const { outputs } = await runFirmware(firmware, samples, { timeoutMs: 300_000 });
    expect(flatten(outputs)).toEqual(expected);
  });
});

function golden(model: string, target: string) {
  const compilation = compile(modelBytes(model), { file: `${model}.tflite`, target });
  const seeds = goldenOutputs(model);
  const samples = [...seeds.keys()].map((seed) => [patternInput(compilation.program.inputs[0]!.bytes, seed)]);
  return { compilation, samples, expected: [...seeds.values()] };
}

/** The int8 outputs of each sample, concatenated. */
function flatten(outputs: readonly (readonly Uint8Array[])[]): number[][] {
  return outputs.map((sample) =>
    sample.flatMap((bytes) => [...new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)]),
  );
}
