/** The models: equal seeds give equal bytes, all compile, none saturates or dies, and kernels agree with the reference. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { fnv1a, patternBytes } from '../../src/core/random.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { zooModel } from '../../src/zoo/model.ts';
import { ZOO, type ZooNetwork } from '../../src/zoo/networks.ts';

const SMALL = ['mcunet-in0', 'mcunet-in1', 'mcunet-vww0', 'mcunet-vww1'];

/** Seeds of the images: not the one the weights are calibrated on. */
const IMAGES = [1, 2];

function patternImage({ resolution }: ZooNetwork, seed: number): Uint8Array {
  return asBytes(patternBytes(resolution * resolution * 3, seed));
}

describe.each(ZOO)('$name', (network) => {
  const { name, classes } = network;
  it('compiles and computes with every layer', async () => {
    const { program, plan } = compile(writeTflite(zooModel(name)), { file: `${name}.tflite` });
    const executor = await WasmExecutor.create(program, plan);
    const outputs = IMAGES.map((seed) => {
      const layers: string[] = [];
      const [logits] = executor.run([patternImage(network, seed)], (call, bytes) => {
        const complaint = complaintAbout(bytes);
        if (complaint !== undefined) layers.push(`${call.origin.name}: ${complaint}`);
      });
      // Two logits are too few to complain about.
      expect(layers.filter((layer) => classes > 2 || !layer.startsWith('logits'))).toEqual([]);
      return logits!;
    });
    expect(outputs[0]).toHaveLength(classes);
    expect(outputs[0]).not.toEqual(outputs[1]);
  });
});

it.each(SMALL)('%s has the same bytes in every layer on the reference and on WebAssembly', async (name) => {
  const { program, plan, graph } = compile(writeTflite(zooModel(name)));
  const input = patternImage(ZOO.find((network) => network.name === name)!, 1);
  const executor = await WasmExecutor.create(program, plan);
  const [kernels, reference] = [new Map<string, number>(), new Map<string, number>()];
  const outputs = executor.run([input], (call, bytes) => kernels.set(call.origin.name, fnv1a(bytes)));
  const expected = runReference(graph, [input], (node, results) => {
    reference.set(node.origin.name, fnv1a(asBytes(results[0]!.data)));
  });
  expect(outputs).toEqual(expected);
  expect(kernels).toEqual(reference);
  expect(kernels.size).toBeGreaterThan(40);
});

describe('weights', () => {
  it('are a function of name and seed', () => {
    const hash = (seed?: number) => fnv1a(writeTflite(zooModel('mcunet-vww0', seed)));
    expect(hash()).toBe(hash(1));
    expect(hash(2)).not.toBe(hash(1));
  });

  it('are those of earlier versions', () => {
    expect(fnv1a(writeTflite(zooModel('mcunet-in0')))).toBe(1013874082);
  });
});

/** A layer in which an error could hide: few values that differ, or many at the ends of their range. */
function complaintAbout(bytes: Uint8Array): string | undefined {
  const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const distinct = new Set(values).size;
  if (distinct < Math.min(100, values.length / 4)) return `${distinct} distinct values of ${values.length}`;
  const share = (value: number) => values.filter((v) => v === value).length / values.length;
  // -128 is the zero of what RELU6 clamps.
  if (share(-128) > 0.45) return `${share(-128)} of the values are -128`;
  if (share(127) > 0.05) return `${share(127)} of the values are 127`;
  return undefined;
}
