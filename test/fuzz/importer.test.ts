/**
 * Damaged files through the whole compiler: a numbered diagnostic or firmware that computes what the damaged model says,
 * never another exception, a fault of ours (RV9xxx), a hang or a gigabyte. RIVULET_FUZZ=10 makes it ten times as long.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { type Compilation, compile } from '../../src/compile.ts';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { TFLITE_IMPORTERS } from '../../src/ops/tflite-importers.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { inputsFor } from '../support/inputs.ts';
import { mutations } from '../support/mutate.ts';
import { modelMutations } from '../support/mutate-model.ts';
import { coveredOperators, OPERATOR_MODELS } from '../support/operator-models.ts';
import { HAS_SHARED, modelBytes, SMALL_MODELS } from '../support/shared.ts';

const EFFORT = Number(process.env.RIVULET_FUZZ ?? 1);
/** Damaged copies of every operator's model: of its bytes, and of what they mean. */
const BYTE_COPIES = 250 * EFFORT;
const MODEL_COPIES = 280 * EFFORT;
/** The same for each real model, which takes longer to compile. */
const REAL_COPIES = 20 * EFFORT;

/** Models that are nothing but their input under another name: there is no firmware to compare. */
const ALIASES: ReadonlySet<string> = new Set(['reshape', 'squeeze', 'expandDims', 'dequantize']);

const MAX_MS = 5000;
const MAX_RSS_KIB = 1 << 20;
/** Firmware larger than this is compiled but not run. */
const MAX_MACS = 1e6;
const MAX_BYTES = 2e5;

/** Number of files by outcome: `compiled`, `ran`, or the code of the first diagnostic. */
const outcomes = new Map<string, number>();

function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** Compiles and, where it is small, runs one damaged model; throws, naming `description`, for what must not happen. */
async function attempt(description: string, bytes: () => Uint8Array): Promise<void> {
  const start = performance.now();
  try {
    const compilation = compile(bytes());
    count('compiled');
    requireInTime(start);
    if (isSmall(compilation)) await requireExact(compilation);
  } catch (error) {
    const codes = error instanceof RivuletError ? error.diagnostics.map(({ code }) => code) : [];
    if (codes.length === 0 || codes.some((code) => code.startsWith('RV9'))) {
      throw new Error(description, { cause: error });
    }
    count(codes[0]!);
    requireInTime(start);
  }

  function requireInTime(since: number): void {
    const elapsed = performance.now() - since;
    if (elapsed > MAX_MS) throw new Error(`${description}: ${elapsed.toFixed(0)} ms`);
  }
}

function isSmall({ program }: Compilation): boolean {
  const macs = program.calls.reduce((sum, call) => sum + call.macs, 0);
  return macs <= MAX_MACS && program.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0) <= MAX_BYTES;
}

/** The firmware's kernels, and the passes, compute the same bytes as the reference of the model as it was imported. */
async function requireExact({ imported, graph, program, plan }: Compilation): Promise<void> {
  const inputs = inputsFor(graph, 1);
  const expected = runReference(graph, inputs);
  const executor = await WasmExecutor.create(program, plan);
  executor.dirty(0xa5);
  requireSame(executor.run(inputs), expected, 'wasm and reference differ');
  const keepsTypes =
    imported.inputs.join() === graph.inputs.join() && imported.outputs.join() === graph.outputs.join();
  if (keepsTypes) requireSame(runReference(imported, inputs), expected, 'the passes changed the result');
  count('ran');
}

function requireSame(actual: readonly Uint8Array[], expected: readonly Uint8Array[], message: string): void {
  const same = expected.every((bytes, i) => Buffer.compare(bytes, actual[i]!) === 0);
  if (!same || actual.length !== expected.length) throw new Error(message);
}

describe('damaged models', { timeout: 120_000 * EFFORT }, () => {
  afterAll(() => {
    const text = [...outcomes]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([outcome, n]) => `${outcome} ${n}`);
    const total = [...outcomes].reduce((sum, [outcome, n]) => sum + (outcome === 'ran' ? 0 : n), 0);
    console.log(`importer fuzz: ${total} files: ${text.join(', ')}`);
  });

  it('start from models of all operators, which are right', async () => {
    expect(Object.keys(TFLITE_IMPORTERS).filter((name) => !coveredOperators().has(name as never))).toEqual(
      [],
    );
    for (const [name, model] of OPERATOR_MODELS) {
      if (!ALIASES.has(name)) await requireExact(compile(writeTflite(model), { file: name }));
    }
  });

  it.each([...OPERATOR_MODELS])('%s: damaged bytes', async (name, model) => {
    for (const { description, bytes } of mutations(writeTflite(model), 1, BYTE_COPIES)) {
      await attempt(`${name}: ${description}`, () => bytes);
    }
  });

  it.each([...OPERATOR_MODELS])('%s: damaged meaning', async (name, model) => {
    for (const { description, model: damaged } of modelMutations(model, 2, MODEL_COPIES)) {
      await attempt(`${name}: ${description}`, () => writeTflite(damaged));
    }
  });

  it.skipIf(!HAS_SHARED).each(SMALL_MODELS)('%s: damaged bytes and meaning', async (name) => {
    // A copy: slices of a Buffer share its memory.
    const bytes = Uint8Array.from(modelBytes(name));
    for (const { description, bytes: damaged } of mutations(bytes, 3, REAL_COPIES)) {
      await attempt(`${name}: ${description}`, () => damaged);
    }
    for (const { description, model } of modelMutations(readTflite(bytes).model, 4, REAL_COPIES)) {
      await attempt(`${name}: ${description}`, () => writeTflite(model));
    }
  });

  it('random bytes, with and without the identifier', async () => {
    const noise = new Uint8Array(512);
    for (const { description, bytes } of mutations(noise, 5, 500 * EFFORT)) {
      bytes.set([0x54, 0x46, 0x4c, 0x33].slice(0, Math.max(0, bytes.length - 4)), Math.min(4, bytes.length));
      await attempt(`noise: ${description}`, () => bytes);
    }
  });

  it('never took a gigabyte', () => {
    expect(process.resourceUsage().maxRSS).toBeLessThan(MAX_RSS_KIB);
  });
});
