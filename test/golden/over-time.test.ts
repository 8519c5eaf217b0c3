/** A real keyword spotter, padded along time, over a stream: every window as from scratch, on all executors. */
import { describe, expect, it } from 'vitest';
import { type Compilation, type CompileOptions, compile } from '../../src/compile.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { createExecutor, firmwareRequest } from '../../src/run/executors.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { canRun } from '../support/firmware.ts';
import { goldenOutputs, HAS_SHARED, modelBytes, patternInput } from '../support/shared.ts';
import { soundFrames } from '../support/streams.ts';

const MODEL = 'mlperf_kws_int8';
const CORE = 'cortex-m4';
const WINDOW = 49;

describe.skipIf(!HAS_SHARED).each([
  ['most kept', {}],
  ['least kept', { maxSram: 0 }],
] as const)('%s', (_, options) => {
  const compilation = HAS_SHARED ? compiled({ streamAxis: 'time', ...options }) : undefined;

  it('a window alone gives the golden outputs', async () => {
    const executor = await createExecutor('wasm', compilation!);
    for (const [seed, expected] of goldenOutputs(MODEL)) {
      const outputs = await executor.run(framesOf(patternInput(490, seed)));
      expect(outputs.slice(0, -1).every((tensors) => tensors.length === 0)).toBe(true);
      expect(outputs.at(-1)!.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });

  it('a stream gives every window as from scratch', async () => {
    const frames = soundFrames(compilation!.program, 100, 4).map((frame) => [frame]);
    const reference = await (await createExecutor('reference', compilation!)).run(frames);
    expect(reference.filter((tensors) => tensors.length > 0)).toHaveLength(26);
    for (const name of ['wasm', 'native', ...(canRun(CORE) ? (['qemu'] as const) : [])] as const) {
      const executor = await createExecutor(name, compilation!, { core: CORE });
      expect(await executor.run(frames), name).toEqual(reference.map((tensors) => tensors.map(bytesOf)));
    }
  });
});

it.skipIf(!HAS_SHARED || !canRun(CORE))('a window takes 43 % of the instructions', async () => {
  const scratch = await instructionsOf(compiled({}), [[patternInput(490, 1)]]);
  const frames = framesOf(patternInput(10 * (WINDOW + 2), 1));
  const next = await instructionsOf(compiled({ streamAxis: 'time' }), frames);
  const hop = next.at(-1)! + next.at(-2)!;
  expect(hop / scratch[0]!).toBeLessThan(0.43);
});

function compiled(options: CompileOptions): Compilation {
  return compile(modelBytes(MODEL), { file: `${MODEL}.tflite`, target: CORE, ...options });
}

async function instructionsOf(compilation: Compilation, samples: Uint8Array[][]): Promise<number[]> {
  const firmware = await buildFirmware(firmwareRequest(compilation, CORE));
  const { profiles } = await runFirmware(firmware, samples, { profile: true });
  return profiles!.map(({ total }) => total);
}

function framesOf(bytes: Uint8Array): Uint8Array[][] {
  return Array.from({ length: bytes.length / 10 }, (_, i) => [bytes.slice(10 * i, 10 * i + 10)]);
}

/** Executors return views of any kind of buffer. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
