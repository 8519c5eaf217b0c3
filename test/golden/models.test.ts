/** Real models against golden files made with TFLite Micro's reference kernels: not our oracle, so not our misreadings. */
import { describe, expect, it } from 'vitest';
import { rangesOf } from '../../src/analysis/ranges.ts';
import { type CompileOptions, compile } from '../../src/compile.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { fnv1a } from '../../src/core/random.ts';
import { elementCount, type Graph, requireValue } from '../../src/ir/types.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';
import { removedTotals } from '../../src/report/compile-report.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import {
  ALL_MODELS,
  goldenLayers,
  goldenOutputs,
  HAS_SHARED,
  modelBytes,
  patternInput,
} from '../support/shared.ts';

/** Channels that go: a number that falls says that the analysis has become blunter. */
const REMOVED: Readonly<Record<string, number>> = { mlperf_vww_96_int8: 2160, vww: 328, mcunetv2_large: 124 };

describe.skipIf(!HAS_SHARED).each(ALL_MODELS)('%s', (name) => {
  const compiled = (options: CompileOptions = {}) =>
    compile(modelBytes(name), { file: `${name}.tflite`, ...options });

  it.each([
    false,
    true,
  ])('gives the golden outputs on WebAssembly, constant channels kept: %s', async (keepConstantChannels) => {
    const { program, plan } = compiled({ keepConstantChannels });
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs(name)) {
      executor.dirty(seed);
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });

  it('costs no more without the channels that no input changes', () => {
    const [kept, removed] = [true, false].map(
      (keepConstantChannels) => compiled({ keepConstantChannels }).report,
    );
    expect(kept!.removed).toEqual([]);
    expect(removed!.sram.total).toBeLessThanOrEqual(kept!.sram.total);
    expect(removed!.flash.weights).toBeLessThanOrEqual(kept!.flash.weights);
    const { channels, macs } = removedTotals(removed!);
    expect(kept!.macs - removed!.macs).toBe(macs);
    expect(channels).toBe(REMOVED[name] ?? 0);
  });

  it('has every value of the model in its interval', () => {
    const { imported } = compiled();
    const ranges = rangesOf(imported)!;
    const outside = new Set<string>();
    runReference(imported, patternOf(imported), (node, [output]) => {
      const channels = ranges.channels(node.outs[0]!);
      if (output!.dtype !== 'int8') return;
      (output!.data as Int8Array).forEach((value, i) => {
        const { lo, hi } = channels[i % channels.length]!;
        if (value < lo || value > hi) outside.add(node.origin.name);
      });
    });
    expect([...outside]).toEqual([]);
  });

  it('gives the golden hash of every operator on the reference', () => {
    const { imported } = compiled();
    const hashes = new Map<number, number>();
    runReference(imported, patternOf(imported), (node, outputs) => {
      hashes.set(node.origin.index, fnv1a(asBytes(outputs[0]!.data)));
    });
    for (const { index, op, fnv1a: expected } of goldenLayers(name)) {
      expect({ index, op, fnv1a: hashes.get(index) }).toEqual({ index, op, fnv1a: expected });
    }
  });
});

/** The input of the golden layers, in the type that the model takes. */
function patternOf(imported: Graph): Uint8Array[] {
  const input = requireValue(imported, imported.inputs[0]!);
  const pattern = patternInput(elementCount(input.shape), 1);
  return [input.dtype === 'float32' ? realInput(imported, pattern) : pattern];
}

/** The float input that the model's first QUANTIZE turns back into the pattern. */
function realInput(graph: Graph, pattern: Uint8Array): Uint8Array {
  const quantize = graph.nodes.find((node) => node.ins[0] === graph.inputs[0])!;
  const type = requireValue(graph, quantize.outs[0]!);
  const real = Float32Array.from(new Int8Array(pattern.buffer), (q) =>
    Math.fround((q - zeroPointOf(type)) * scaleOf(type)),
  );
  return asBytes(real);
}
