/** Real models against golden files made with TFLite Micro's reference kernels: not our oracle, so not our misreadings. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { fnv1a } from '../../src/core/random.ts';
import { elementCount, requireValue } from '../../src/ir/types.ts';
import { scaleOf, zeroPointOf } from '../../src/ops/quantization.ts';
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

describe.skipIf(!HAS_SHARED).each(ALL_MODELS)('%s', (name) => {
  const compiled = () => compile(modelBytes(name), { file: `${name}.tflite` });

  it('gives the golden outputs on WebAssembly', async () => {
    const { program, plan } = compiled();
    const executor = await WasmExecutor.create(program, plan);
    for (const [seed, expected] of goldenOutputs(name)) {
      executor.dirty(seed);
      const outputs = executor.run([patternInput(program.inputs[0]!.bytes, seed)]);
      expect(outputs.flatMap((bytes) => [...new Int8Array(bytes.buffer)])).toEqual(expected);
    }
  });

  it('gives the golden hash of every operator on the reference', () => {
    const { imported } = compiled();
    const input = requireValue(imported, imported.inputs[0]!);
    const pattern = patternInput(elementCount(input.shape), 1);
    const hashes = new Map<number, number>();
    runReference(
      imported,
      [input.dtype === 'float32' ? realInput(imported, pattern) : pattern],
      (node, outputs) => {
        hashes.set(node.origin.index, fnv1a(asBytes(outputs[0]!.data)));
      },
    );
    for (const { index, op, fnv1a: expected } of goldenLayers(name)) {
      expect({ index, op, fnv1a: hashes.get(index) }).toEqual({ index, op, fnv1a: expected });
    }
  });
});

/** The float input that the model's first QUANTIZE turns back into the pattern. */
function realInput(graph: ReturnType<typeof compile>['imported'], pattern: Uint8Array): Uint8Array {
  const quantize = graph.nodes.find((node) => node.ins[0] === graph.inputs[0])!;
  const type = requireValue(graph, quantize.outs[0]!);
  const real = Float32Array.from(new Int8Array(pattern.buffer), (q) =>
    Math.fround((q - zeroPointOf(type)) * scaleOf(type)),
  );
  return asBytes(real);
}
