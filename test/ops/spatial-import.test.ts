/** TFLite importers of convolutions, pools, mean, softmax and fully connected: canonical attributes and rejections. */
import { describe, expect, it } from 'vitest';
import type { OpName, OptionsOf } from '../../src/formats/tflite/schema.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, TensorType, Value } from '../../src/ir/types.ts';
import { type CaseOperand, int8, weights } from '../../src/ops/case.ts';
import { ImportContext, Rejection, type TfliteImporter } from '../../src/ops/import-context.ts';
import { TFLITE_IMPORTERS } from '../../src/ops/tflite-importers.ts';
import { verifyGraph } from '../../src/ops/verify.ts';
import { runReference } from '../../src/run/reference.ts';
import { inputsFor } from '../support/inputs.ts';

type Name = OpName & keyof typeof TFLITE_IMPORTERS;

function importOne<N extends Name>(
  name: N,
  options: OptionsOf<N>,
  operands: readonly CaseOperand[],
  output: TensorType,
): Graph {
  const builder = new GraphBuilder(name);
  const ins = operands.map((operand, i): Value | null => {
    if (operand === null) return null;
    const { data, ...type } = operand;
    return builder.value(
      data === undefined ? builder.input(`x${i}`, type) : builder.constant(`c${i}`, type, data),
    );
  });
  const y = builder.value(builder.activation('y', output));
  const context = new ImportContext(builder, ins, [y], { index: 0, op: name, name: 'y' }, []);
  const importer = TFLITE_IMPORTERS[name] as unknown as TfliteImporter<N>;
  const operator = { name, options, opcode: 0, inputs: [], outputs: [], intermediates: [] };
  importer(operator as unknown as Parameters<TfliteImporter<N>>[0], context);
  return builder.build([y.id]);
}

/** The code of the rejection that `action` ends with. */
function rejection(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Rejection) return error.code;
    throw error;
  }
  return 'accepted';
}

const int32 = (...data: number[]) => ({
  shape: [data.length],
  dtype: 'int32' as const,
  data: Int32Array.from(data),
});
const attrsOf = (graph: Graph) => graph.nodes.map(({ op, attrs }) => ({ op, ...attrs }));

describe('TRANSPOSE_CONV', () => {
  const options = {
    padding: 'SAME',
    strideW: 2,
    strideH: 2,
    activation: 'RELU6',
    quantizedBiasType: 'FLOAT32',
  } as const;
  const filter = weights([2, 3, 3, 5], 0, 1);
  const x = int8([1, 4, 3, 5]);
  const y = int8([1, 8, 6, 2], 0.1, -100);

  it('pads as the forward convolution from output to input and honours the activation', () => {
    const graph = importOne('TRANSPOSE_CONV', options, [int32(1, 8, 6, 2), filter, x], y);
    expect(attrsOf(graph)).toEqual([
      { op: 'transpose_conv2d', stride: [2, 2], padding: [0, 1, 0, 1], clamp: [-100, -40] },
    ]);
    expect(verifyGraph(graph)).toEqual([]);
  });

  it('needs an output shape that is constant and agrees', () => {
    const computed = { shape: [4], dtype: 'int32' } as const;
    expect(rejection(() => importOne('TRANSPOSE_CONV', options, [computed, filter, x], y))).toBe('RV2008');
    expect(rejection(() => importOne('TRANSPOSE_CONV', options, [int32(1, 8, 7, 2), filter, x], y))).toBe(
      'RV2005',
    );
  });

  it('rejects a stride of 0', () => {
    const still = { ...options, strideH: 0 };
    expect(rejection(() => importOne('TRANSPOSE_CONV', still, [int32(1, 8, 6, 2), filter, x], y))).toBe(
      'RV2002',
    );
  });
});

describe('MEAN', () => {
  const mean = (shape: number[], axes: number[], output: number[]) =>
    importOne('MEAN', { keepDims: false }, [int8(shape, 0.05, 3), int32(...axes)], int8(output, 0.04, -5));

  it('sorts axes, counts negative ones from the end and drops repetitions', () => {
    expect(attrsOf(mean([1, 4, 3, 5], [-2, 1, 1], [1, 5]))).toEqual([{ op: 'mean', axes: [1, 2] }]);
  });

  it('joins axes over dimensions of size 1', () => {
    const graph = mean([2, 4, 1, 5], [1, 3], [2, 1]);
    expect(attrsOf(graph)).toEqual([{ op: 'mean', axes: [1, 2, 3] }]);
    expect(verifyGraph(graph)).toEqual([]);
  });

  it('brings other axes together by a transpose, with the same result', () => {
    const shape = [2, 4, 3, 5] as const;
    const graph = mean([...shape], [1, 3], [2, 3]);
    expect(attrsOf(graph)).toEqual([
      { op: 'transpose', permutation: [0, 2, 1, 3] },
      { op: 'mean', axes: [2, 3] },
    ]);
    expect(verifyGraph(graph)).toEqual([]);
    const input = inputsFor(graph, 3);
    const raw = new Int8Array(input[0]!.buffer, input[0]!.byteOffset, input[0]!.length);
    const expected = Array.from({ length: 6 }, (_, i) => {
      const [n, w] = [Math.floor(i / 3), i % 3];
      let sum = 0;
      for (let h = 0; h < 4; ++h) {
        for (let c = 0; c < 5; ++c) sum += (raw[((n * 4 + h) * 3 + w) * 5 + c]! - 3) * 0.05;
      }
      return sum / 20 / 0.04 - 5;
    });
    const output = new Int8Array(runReference(graph, input)[0]!.buffer);
    output.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1);
    });
  });

  it('rejects axes that do not exist or are none', () => {
    expect(rejection(() => mean([1, 4, 3, 5], [4], [1]))).toBe('RV2002');
    expect(rejection(() => mean([1, 4, 3, 5], [], [1, 4, 3, 5]))).toBe('RV2002');
  });
});

describe('AVERAGE_POOL_2D', () => {
  const options = {
    padding: 'SAME',
    strideW: 2,
    strideH: 1,
    filterWidth: 3,
    filterHeight: 2,
    activation: 'RELU',
  } as const;

  it('reads width before height', () => {
    const graph = importOne('AVERAGE_POOL_2D', options, [int8([1, 4, 6, 2])], int8([1, 4, 3, 2]));
    expect(attrsOf(graph)).toEqual([
      { op: 'average_pool2d', kernel: [2, 3], stride: [1, 2], padding: [0, 1, 0, 1], clamp: [0, 127] },
    ]);
    expect(verifyGraph(graph)).toEqual([]);
  });

  it('does not rescale', () => {
    const graph = importOne('AVERAGE_POOL_2D', options, [int8([1, 4, 6, 2])], int8([1, 4, 3, 2], 0.06));
    expect(verifyGraph(graph).map(({ code }) => code)).toEqual(['RV2004']);
  });

  it('rejects an empty window', () => {
    const empty = { ...options, filterHeight: 0 };
    expect(
      rejection(() => importOne('AVERAGE_POOL_2D', empty, [int8([1, 4, 6, 2])], int8([1, 4, 3, 2]))),
    ).toBe('RV2002');
  });
});

describe('SOFTMAX', () => {
  const probabilities = int8([3, 40], 1 / 256, -128);

  it('takes a beta of 0 for 1', () => {
    const graph = importOne('SOFTMAX', { beta: 0 }, [int8([3, 40])], probabilities);
    expect(attrsOf(graph)).toEqual([{ op: 'softmax', beta: 1 }]);
  });

  it('is within one step of the real function', () => {
    const graph = importOne('SOFTMAX', { beta: 1.5 }, [int8([3, 40], 0.04)], probabilities);
    const input = inputsFor(graph, 9);
    const raw = new Int8Array(input[0]!.buffer, input[0]!.byteOffset, input[0]!.length);
    const output = new Int8Array(runReference(graph, input)[0]!.buffer);
    for (let row = 0; row < 3; ++row) {
      const exponentials = Array.from(raw.subarray(row * 40, row * 40 + 40), (q) => Math.exp(q * 0.04 * 1.5));
      const sum = exponentials.reduce((total, e) => total + e, 0);
      exponentials.forEach((e, i) => {
        const expected = Math.min(127, (e / sum) * 256 - 128);
        expect(Math.abs(output[row * 40 + i]! - expected)).toBeLessThanOrEqual(1);
      });
    }
  });

  it('needs the scale and zero point of probabilities', () => {
    const graph = importOne('SOFTMAX', { beta: 1 }, [int8([3, 40])], int8([3, 40], 1 / 255, -128));
    expect(verifyGraph(graph).map(({ code }) => code)).toEqual(['RV2004']);
  });
});

describe('FULLY_CONNECTED', () => {
  const options = {
    activation: 'NONE',
    weightsFormat: 'DEFAULT',
    keepNumDims: false,
    asymmetricQuantizeInputs: false,
    quantizedBiasType: 'FLOAT32',
  } as const;
  const operands = [int8([2, 3, 4]), weights([5, 12], null, 1)];

  it('flattens its input', () => {
    expect(verifyGraph(importOne('FULLY_CONNECTED', options, operands, int8([2, 5])))).toEqual([]);
  });

  it('rejects shuffled weights and shapes that do not fit', () => {
    const shuffled = { ...options, weightsFormat: 'SHUFFLED4x16INT8' } as const;
    expect(rejection(() => importOne('FULLY_CONNECTED', shuffled, operands, int8([2, 5])))).toBe('RV2002');
    const graph = importOne('FULLY_CONNECTED', options, operands, int8([3, 5]));
    expect(verifyGraph(graph).map(({ code }) => code)).toEqual(['RV2005']);
  });
});

describe('DEPTHWISE_CONV_2D', () => {
  it('takes the channel multiplier from the shapes', () => {
    const options = {
      padding: 'VALID',
      strideW: 1,
      strideH: 2,
      depthMultiplier: 0,
      activation: 'NONE',
      dilationW: 1,
      dilationH: 2,
      quantizedBiasType: 'FLOAT32',
    } as const;
    const operands = [int8([1, 7, 5, 3]), weights([1, 3, 3, 6], 3, 1)];
    const graph = importOne('DEPTHWISE_CONV_2D', options, operands, int8([1, 2, 3, 6]));
    expect(attrsOf(graph)).toEqual([
      {
        op: 'depthwise_conv2d',
        stride: [2, 1],
        dilation: [2, 1],
        padding: [0, 0, 0, 0],
        clamp: [-128, 127],
      },
    ]);
    expect(verifyGraph(graph)).toEqual([]);
  });
});
