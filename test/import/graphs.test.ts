/** Mistakes in the file, the graph and its shapes: which diagnostic each gives, where, and what it advises. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import type { TfliteModel } from '../../src/formats/tflite/model.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import {
  diagnosticsOf,
  itRefuses,
  moved,
  relus,
  withOptions,
  withScale,
  withTensor,
} from '../support/mistakes.ts';
import { OPERATOR_MODELS } from '../support/operator-models.ts';
import { ModelBuilder, oneOperator } from '../support/tflite-models.ts';

describe('the file', () => {
  itRefuses({
    'is empty': {
      of: new Uint8Array(0),
      code: 'RV1001',
      says: 'the file',
      at: 'net.tflite',
      advises: '.tflite',
    },
    'is something else': {
      of: new TextEncoder().encode('{"class_name": "Sequential", "config": []}'),
      code: 'RV1001',
      says: 'identifier',
      at: 'net.tflite',
      advises: '.tflite',
    },
    'is cut short': {
      of: writeTflite(OPERATOR_MODELS.get('conv2d')!).slice(0, 300),
      code: 'RV1002',
      says: '',
      at: 'net.tflite',
    },
    'is too large': {
      of: new Uint8Array((1 << 26) + 1),
      code: 'RV2006',
      says: 'bytes, the limit is',
      at: 'net.tflite',
      advises: 'microcontrollers',
    },
  });
});

describe('the graph', () => {
  itRefuses({
    'has no operators': {
      of: relus(1, [], [[0], [0]]),
      code: 'RV2007',
      says: '0 operators',
      at: 'net.tflite',
    },
    'has no inputs': {
      of: relus(2, [[0, 1]], [[], [1]]),
      code: 'RV2007',
      says: '0 inputs',
      at: 'net.tflite',
    },
    'has no outputs': {
      of: relus(2, [[0, 1]], [[0], []]),
      code: 'RV2007',
      says: '0 outputs',
      at: 'net.tflite',
    },
    'has an output that is never computed': {
      of: relus(3, [[0, 1]], [[0], [2]]),
      code: 'RV1004',
      says: 'before it is computed',
      at: 'output 2',
    },
    'is out of order': {
      of: relus(
        3,
        [
          [1, 2],
          [0, 1],
        ],
        [[0], [2]],
      ),
      code: 'RV1004',
      says: 'tensor 1 "t1" is used',
      at: 'operator 0 (RELU) "t2"',
    },
    'has a cycle': {
      of: relus(
        3,
        [
          [2, 1],
          [1, 2],
        ],
        [[0], [2]],
      ),
      code: 'RV1004',
      says: 'before it is computed',
      at: 'operator 0 (RELU)',
    },
    'reads what it computes': {
      of: relus(2, [[1, 1]], [[0], [1]]),
      code: 'RV1004',
      says: 'before it is computed',
      at: 'operator 0 (RELU)',
    },
    'computes a tensor twice': {
      of: relus(
        2,
        [
          [0, 1],
          [0, 1],
        ],
        [[0], [1]],
      ),
      code: 'RV1004',
      says: 'computed twice',
      at: 'operator 1 (RELU)',
    },
    'has an input twice': {
      of: relus(2, [[0, 1]], [[0, 0], [1]]),
      code: 'RV1004',
      says: 'twice',
      at: 'tensor 0 "t0"',
    },
    'has only an input as output': {
      of: relus(2, [[0, 1]], [[0], [0]]),
      code: 'RV2007',
      says: 'nothing is left to compute',
      at: 'net.tflite',
      advises: 'at least one other operator',
    },
    'only reshapes': {
      of: moved('RESHAPE', [32]),
      code: 'RV2007',
      says: 'nothing is left to compute',
      at: 'net.tflite',
    },
    'gives the same output whatever the input': {
      of: constantOutput(),
      code: 'RV2007',
      says: '"t2" is the same for every input',
      at: 'net.tflite',
      advises: 'constants alone',
    },
    'has too many operators': {
      of: relus(
        1001,
        Array.from({ length: 1000 }, (_, i) => [i, i + 1] as const),
        [[0], [1000]],
      ),
      code: 'RV2006',
      says: '1000 operators, the limit is',
      at: 'net.tflite',
      advises: 'fewer layers',
    },
    'has an operator with two results where one belongs': {
      of: oneRelu([0], [1, 2]),
      code: 'RV1004',
      says: 'RELU has 2 results',
      at: 'operator 0 (RELU)',
    },
    'has an operator without operands': {
      of: oneRelu([], [1]),
      code: 'RV1004',
      says: 'operand 0 is missing',
      at: 'operator 0 (RELU)',
    },
    'has variable tensors': {
      of: withTensor('relu', 0, { isVariable: true }),
      code: 'RV2001',
      says: 'variable tensors',
      at: 'tensor 0 "t0"',
    },
  });

  it('lists every unsupported operator at once, custom ones by their name', () => {
    const b = new ModelBuilder();
    for (let i = 0; i < 5; ++i) b.tensor([1, 4]);
    b.operator('GELU', [0], [1])
      .operator('RELU', [1], [2])
      .operator('CUSTOM', [2], [3])
      .operator('EXP', [3], [4]);
    const diagnostics = diagnosticsOf(b.model([0], [4]));
    expect(diagnostics.map(({ code, message, origin }) => [code, message, origin])).toEqual([
      ['RV2001', 'GELU is not supported', 'operator 0 (GELU) "t1"'],
      ['RV2001', 'CUSTOM Twist is not supported', 'operator 2 (CUSTOM Twist) "t3"'],
      ['RV2001', 'EXP is not supported', 'operator 3 (EXP) "t4"'],
    ]);
    for (const { hint } of diagnostics) expect(hint).toContain('docs/operators.md');
  });

  it('names each mistake of an operator once', () => {
    const model = relus(
      3,
      [
        [2, 1],
        [2, 1],
      ],
      [[0], [1]],
    );
    const texts = diagnosticsOf(model).map(({ message, origin }) => `${origin}: ${message}`);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('shapes', () => {
  itRefuses({
    'are dynamic in height': {
      of: withTensor('relu', 0, { shapeSignature: [1, -1, 4, 2] }),
      code: 'RV2005',
      says: 'is dynamic',
      at: 'tensor 0 "t0"',
      advises: 'fixed input size',
    },
    'are empty': {
      of: withTensor('relu', 0, { shape: [1, 0, 4, 2] }),
      code: 'RV2005',
      says: 'empty',
      at: 'tensor 0',
    },
    overflow: {
      of: patched('relu', [1, 4, 4, 2], [65536, 65536, 65536, 2]),
      code: 'RV1003',
      says: 'elements',
      at: 'tensor 0',
    },
    'are just representable': {
      of: withTensor('relu', 0, { shape: [1, 2 ** 31 - 1, 1, 1] }),
      code: 'RV2006',
      says: 'bytes in [1,2147483647,1,1]',
      at: 'tensor 0 "t0"',
      advises: 'smaller input',
    },
    'have too many dimensions': {
      of: withTensor('relu', 0, { shape: Array(9).fill(1) }),
      code: 'RV2006',
      says: '9 dimensions',
      at: 'tensor 0',
    },
    'have too many rows together': {
      of: oneOperator('RELU', { x: [1, 1 << 17, 8, 1], y: [1, 1 << 17, 8, 1] }),
      code: 'RV2006',
      says: 'pairs of rows',
      at: 'net.tflite',
      advises: 'exchange rows and columns',
    },
  });

  it('a dynamic batch is understood as 1', () => {
    expect(diagnosticsOf(withTensor('relu', 0, { shapeSignature: [-1, 4, 4, 2] }))).toEqual([]);
  });
});

describe('what is odd but right', () => {
  it('several subgraphs: the first is compiled', () => {
    const model = OPERATOR_MODELS.get('conv2d')!;
    const other = OPERATOR_MODELS.get('relu')!.subgraphs[0]!;
    const empty = { ...other, tensors: [], operators: [], inputs: [], outputs: [] };
    expect(diagnosticsOf({ ...model, subgraphs: [...model.subgraphs, empty] })).toEqual([]);
  });

  it.each([
    ['the same tensor as two outputs', relus(2, [[0, 1]], [[0], [1, 1]])],
    ['an input among the outputs', relus(2, [[0, 1]], [[0], [0, 1]])],
    ['an input that nothing reads', relus(3, [[0, 1]], [[0, 2], [1]])],
    [
      'an output that is read as well',
      relus(
        3,
        [
          [0, 1],
          [1, 2],
        ],
        [[0], [1, 2]],
      ),
    ],
    [
      'an operator that nothing reads',
      relus(
        3,
        [
          [0, 1],
          [0, 2],
        ],
        [[0], [1]],
      ),
    ],
    ['negative axes', withOptions('concatenation', { axis: -1 })],
    ['scale 0 of weights', withScale('conv2d', 1, 0)],
    ['a denormal scale of weights', withScale('conv2d', 1, 1e-45)],
  ])('%s', (_, model) => {
    expect(diagnosticsOf(model)).toEqual([]);
  });

  it('names in the model cannot leave their C comments', () => {
    const name = 'x */ int evil; /* \\\n??/ "';
    const { project } = compile(writeTflite(withTensor('conv2d', 4, { name })));
    for (const text of project.values()) {
      expect(text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/"[^"\n]*"/g, '')).not.toContain('evil');
    }
  });
});

/** A file in which the first shape that equals `before` is `after`, which the writer would refuse. */
function patched(operator: string, before: readonly number[], after: readonly number[]): Uint8Array {
  const bytes = writeTflite(OPERATOR_MODELS.get(operator)!);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 * before.length <= bytes.length; at += 4) {
    if (before.some((size, i) => view.getInt32(at + 4 * i, true) !== size)) continue;
    after.forEach((size, i) => {
      view.setInt32(at + 4 * i, size, true);
    });
    return bytes;
  }
  throw new Error('the shape is not in the file');
}

/** One RELU among three tensors. */
function oneRelu(inputs: readonly number[], outputs: readonly number[]): TfliteModel {
  const b = new ModelBuilder();
  for (let i = 0; i < 3; ++i) b.tensor([1, 4]);
  return b.operator('RELU', inputs, outputs).model([0], [1]);
}

function constantOutput(): TfliteModel {
  const b = new ModelBuilder();
  const [x, y, table] = [b.tensor([1, 4]), b.tensor([1, 4]), b.tensor([1, 4])];
  b.operator('RELU', [x], [y]).operator('RELU', [b.weights([1, 4], { scale: 0.5 })], [table]);
  return b.model([x], [y, table]);
}
