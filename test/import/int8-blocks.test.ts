/** Networks of int8 blocks: what a good one becomes, and which diagnostic each mistake gives. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { rangesOf } from '../../src/analysis/ranges.ts';
import { compile } from '../../src/compile.ts';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { patternBytes } from '../../src/core/random.ts';
import { importBlocks } from '../../src/import/int8-blocks.ts';
import { type InspectReport, inspect } from '../../src/inspect.ts';
import { type Graph, requireValue } from '../../src/ir/types.ts';
import { runReference } from '../../src/run/reference.ts';
import {
  BACKBONES,
  backboneFiles,
  backbonePath,
  evaluateHalfEven,
  fileScales,
  HAS_BACKBONES,
} from '../support/blocks-models.ts';
import {
  type Entry,
  filesOf,
  type SmallNetwork,
  safeTensor,
  smallNetwork,
} from '../support/blocks-network.ts';
import { cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';
import { mutations } from '../support/mutate.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

const constantOf = (graph: Graph, name: string) => [...graph.values.values()].find((v) => v.name === name)!;

describe('a network', () => {
  const network = smallNetwork();
  const graph = importBlocks(filesOf(network), 'small.json');

  it('has the operators and types of the file', () => {
    const shown = graph.nodes.map(({ op, outs, origin }) => [
      op,
      requireValue(graph, outs[0]!).shape,
      origin.name,
    ]);
    expect(shown).toEqual([
      ['conv2d', [1, 3, 3, 4], 'first.out'],
      ['depthwise_conv2d', [1, 3, 3, 4], 'deep.out'],
      ['add', [1, 3, 3, 4], 'sum.out'],
      ['average_pool2d', [1, 1, 1, 4], 'pool.out'],
      ['conv2d', [1, 1, 1, 5], 'logits'],
    ]);
    expect(requireValue(graph, graph.inputs[0]!)).toMatchObject({
      name: 'image',
      shape: [1, 6, 5, 3],
      dtype: 'int8',
      quantization: { scales: [Math.fround(1 / 127.5)], zeroPoints: [0] },
    });
    expect(graph.nodes[0]!.attrs).toMatchObject({ stride: [2, 2], padding: [1, 1, 1, 1] });
  });

  it('has weights with the channels last', () => {
    const stored = network.tensors.get('first.weight')!.bytes;
    const weights = constantOf(graph, 'first.weight');
    expect(weights.shape).toEqual([4, 3, 3, 3]);
    const [out, channel, ky, kx] = [2, 1, 0, 2];
    expect(weights.data![((out * 3 + ky) * 3 + kx) * 3 + channel]).toBe(
      new Int8Array(stored.buffer)[((out * 3 + channel) * 3 + ky) * 3 + kx],
    );
    const deep = constantOf(graph, 'deep.weight');
    expect(deep.shape).toEqual([1, 3, 3, 4]);
    expect(deep.quantization!.axis).toBe(3);
    expect(deep.data![(1 * 3 + 2) * 4 + 3]).toBe(
      new Int8Array(network.tensors.get('deep.weight')!.bytes.buffer)[3 * 9 + 1 * 3 + 2],
    );
  });

  it('compiles, and runs within one step of the file’s own arithmetic', () => {
    const files = filesOf(network);
    const { imported } = compile(files, { file: 'small.json' });
    const input = patternBytes(6 * 5 * 3, 9);
    const [output] = runReference(imported, [asBytes(input)]);
    const expected = evaluateHalfEven(imported, input, fileScales(files)).get('logits')!;
    expect(new Set(expected).size).toBeGreaterThan(1);
    new Int8Array(output!.buffer).forEach((q, i) => {
      expect(Math.abs(q - expected[i]!)).toBeLessThanOrEqual(1);
    });
  });

  it('takes uint8 pictures if the file says so', () => {
    const uint8 = smallNetwork();
    Object.assign(uint8.description.input, { dtype: 'uint8', zero: 128 });
    Object.assign(uint8.description.ops[0]!, { input_zero: 128 });
    const converted = importBlocks(filesOf(uint8), 'small.json');
    expect(converted.nodes.map(({ op }) => op)).toEqual(['quantize', ...graph.nodes.map(({ op }) => op)]);
    const pixels = Uint8Array.from({ length: 90 }, (_, i) => (i * 37) % 256);
    const [a] = runReference(converted, [pixels]);
    const [b] = runReference(graph, [pixels.map((p) => p - 128)]);
    expect([...a!]).toEqual([...b!]);
  });

  it('is inspected', () => {
    const report = inspect(filesOf(network), 'small.json');
    expect(report).toMatchObject({ format: 'int8-mobilenet-blocks', compilable: true, unsupported: [] });
    expect(report.macs).toBe(9 * 4 * 27 + 9 * 4 * 9 + 20);
    expect(report.parameters).toBe(4 * 27 + 4 + 4 * 9 + 4 + 20 + 5);
  });
});

/** The field of an operator, by its position. */
const op = (index: number, change: Entry) => (network: SmallNetwork) => {
  Object.assign(network.description.ops[index]!, change);
};
const root = (change: Entry) => (network: SmallNetwork) => {
  Object.assign(network.description, change);
};
const without = (name: string) => (network: SmallNetwork) => {
  network.tensors.delete(name);
};

describe('a description that', () => {
  const mistakes: [string, string, string, string, (network: SmallNetwork) => void][] = [
    [
      'is of another format',
      'RV1008',
      'only int8-mobilenet-blocks',
      'net.json: format',
      root({ format: 'onnx' }),
    ],
    ['is of a later version', 'RV1008', '2 where', 'net.json: version', root({ version: 2 })],
    ['has no operators', 'RV2007', 'no operators', 'net.json', root({ ops: [] })],
    ['has a number among its operators', 'RV1008', '7 where an object', 'ops[0]', root({ ops: [7] })],
    ['has an unknown operator', 'RV2001', 'gelu', 'ops[1].op', op(1, { op: 'gelu' })],
    ['has no kernel', 'RV1008', 'nothing where', 'ops[0].kernel', op(0, { kernel: undefined })],
    ['has a negative stride', 'RV1008', '-1 where', 'ops[0].stride', op(0, { stride: -1 })],
    [
      'has an infinite scale',
      'RV1008',
      'null where',
      'ops[0].output_scale',
      op(0, { output_scale: Infinity }),
    ],
    ['has asymmetric weights', 'RV1008', '3 where', 'ops[0].weight_zero', op(0, { weight_zero: 3 })],
    [
      'has a float input',
      'RV2003',
      'float32 inputs',
      'input.dtype',
      ({ description }) => {
        description.input.dtype = 'float32';
      },
    ],
    [
      'has a huge input',
      'RV2006',
      'bytes',
      'input "image"',
      ({ description }) => {
        description.input.shape = [1, 3, 60000, 60000];
      },
    ],
    ['has a huge result', 'RV2006', 'bytes', 'operator 0', op(0, { out_hw: [60000, 60000] })],
    [
      'has 600 operators',
      'RV2006',
      '600 operators',
      'net.json',
      ({ description }) => {
        description.ops = Array(600).fill(description.ops[3]!);
      },
    ],
    ['has a scale of 0', 'RV2004', 'scale', 'operator', op(4, { output_scale: 0 })],
    ['reads what is not there', 'RV1004', 'before it is computed', 'operator 1', op(1, { input: 'nowhere' })],
    ['reads what comes later', 'RV1004', 'before it is computed', 'operator 0', op(0, { input: 'deep.out' })],
    ['computes a tensor twice', 'RV1004', 'computed twice', 'operator 1', op(1, { output: 'first.out' })],
    ['returns what is not there', 'RV1004', 'never computed', 'net.json', root({ output: 'nothing' })],
    [
      'reads with another scale',
      'RV2004',
      'is read with scale 0.5',
      'operator 4',
      op(4, { input_scale: 0.5 }),
    ],
    ['adds with another zero point', 'RV2004', 'zero point 9', 'operator 2', op(2, { input_zeros: [9, 5] })],
    [
      'adds planes of two sizes',
      'RV2005',
      '',
      'operator 2',
      (n) => {
        Object.assign(n.description.ops[1]!, { padding: [0, 0], out_hw: [1, 1], kernel: [3, 3] });
        Object.assign(n.description.ops[2]!, {
          inputs: ['deep.out', 'image'],
          input_scales: [0.021, 1 / 127.5],
          input_zeros: [5, 0],
        });
      },
    ],
    ['has groups that do not divide', 'RV2002', '2 groups of 3', 'operator 0', op(0, { groups: 2 })],
    ['has a window of another size', 'RV2005', 'first.weight', 'operator 0', op(0, { kernel: [5, 5] })],
    ['has a plane of another size', 'RV2005', 'output', 'operator 0', op(0, { out_hw: [4, 3] })],
    ['lacks a tensor', 'RV1004', 'no tensor "deep.bias"', 'operator 1', without('deep.bias')],
    [
      'has weights of another type',
      'RV2003',
      'U8, not I8',
      'operator 4',
      ({ tensors }) => {
        tensors.set('last.weight', { ...tensors.get('last.weight')!, dtype: 'U8' });
      },
    ],
    [
      'has a scale that is not a number',
      'RV2004',
      'scale of NaN',
      'operator 4',
      ({ tensors }) => {
        tensors.set('last.weight_scale', safeTensor('F32', [5], Float32Array.of(1, 1, Number.NaN, 1, 1)));
      },
    ],
    [
      'has sums beyond int32',
      'RV2004',
      'channel 1',
      'operator 4',
      ({ tensors }) => {
        tensors.set('last.bias', safeTensor('I32', [5], Int32Array.of(0, 2 ** 31 - 1, 0, 0, 0)));
        // The largest sums end at 42.5 steps: 42 for some inputs and 43 for others.
        tensors.set(
          'last.weight_scale',
          safeTensor('F32', [5], new Float32Array(5).fill((42.5 * 0.05) / (2 ** 31 * 0.043))),
        );
        tensors.set('last.weight', safeTensor('I8', [5, 4, 1, 1], new Int8Array(20).fill(127)));
      },
    ],
  ];
  it.each(mistakes)('%s is refused', (_, code, says, at, change) => {
    const network = smallNetwork();
    change(network);
    const diagnostics = diagnosticsOf(network);
    const found = diagnostics.find((d) => d.code === code && d.message.includes(says));
    expect(found, JSON.stringify(diagnostics)).toMatchObject({ origin: expect.stringContaining(at) });
  });

  it('has several mistakes gets them all', () => {
    const network = smallNetwork();
    without('first.bias')(network);
    without('last.bias')(network);
    op(3, { input: 'nowhere' })(network);
    expect(diagnosticsOf(network).map(({ code, origin }) => [code, origin!.slice(0, 10)])).toEqual([
      ['RV1004', 'operator 0'],
      ['RV1004', 'operator 3'],
    ]);
  });

  it('is damaged is read or refused, at once', () => {
    const { description, tensors } = filesOf(smallNetwork());
    let refused = 0;
    for (const { description: what, bytes } of mutations(description, 1, 3000)) {
      const start = performance.now();
      refused += diagnosticsOf({ description: bytes, tensors }, what).length > 0 ? 1 : 0;
      expect(performance.now() - start, what).toBeLessThan(1000);
    }
    expect(refused).toBeGreaterThan(1500);
  });
});

function diagnosticsOf(
  given: SmallNetwork | ReturnType<typeof filesOf>,
  what = '',
): RivuletError['diagnostics'] {
  const files =
    given.description instanceof Uint8Array
      ? (given as ReturnType<typeof filesOf>)
      : filesOf(given as SmallNetwork);
  try {
    importBlocks(files, 'net.json');
    return [];
  } catch (error) {
    if (error instanceof RivuletError) return error.diagnostics;
    throw new Error(what, { cause: error });
  }
}

describe('rivulet NAME.json', () => {
  const { description, tensors } = filesOf(smallNetwork());
  const path = folder.path('small.json');
  writeFileSync(path, description);
  writeFileSync(folder.path('small.safetensors'), tensors);
  writeFileSync(folder.path('alone.json'), description);
  writeFileSync(folder.path('broken.json'), '{"format": 1}');
  copyFileSync(folder.path('small.safetensors'), folder.path('broken.safetensors'));

  it('reads the tensors beside it', async () => {
    const { code, document } = await cliJson<InspectReport>('inspect', path);
    expect([code, document.compilable, document.operators.length]).toEqual([0, true, 5]);
    const compiled = await cliJson<{ name: string }>('compile', path);
    expect([compiled.code, compiled.document.name]).toEqual([0, 'small']);
    const difference = await cliJson<{ identical: boolean }>('diff', path, '--a', 'wasm', '--b', 'reference');
    expect(difference.document.identical).toBe(true);
  });

  it.each([
    ['alone', 'RV1006', 'there is no file'],
    ['broken', 'RV1008', '1 where a text'],
  ])('%s.json is refused', async (name, code, says) => {
    for (const verb of ['inspect', 'compile', 'pareto']) {
      const { document, code: exit } = await cliJson<ErrorDocument>(verb, folder.path(`${name}.json`));
      expect(exit).toBe(2);
      expect(document.error.diagnostics).toEqual([
        expect.objectContaining({ code, message: expect.stringContaining(says) }),
      ]);
    }
  });
});

/** Channels with one result for all inputs, of which none may overflow: as many as before. */
describe.runIf(HAS_BACKBONES).each(HAS_BACKBONES ? BACKBONES : [])('%s', (name) => {
  it('has no accumulator that the fast kernels cannot hold', () => {
    const graph = importBlocks(backboneFiles(name), name);
    const ranges = rangesOf(graph)!;
    for (const node of graph.nodes)
      expect(ranges.largestAccumulator(node), node.origin.name).toBeLessThan(2 ** 30);
  });

  it('gives the same bytes on WebAssembly as by definition', async () => {
    const { document } = await cliJson<{ identical: boolean }>(
      ...['diff', backbonePath(name), '--a', 'wasm', '--b', 'reference'],
    );
    expect(document.identical).toBe(true);
  }, 120_000);
});
