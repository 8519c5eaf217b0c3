/** A small network of int8 blocks with every operator, made on the spot. */
import { asBytes, type TypedArray } from '../../src/core/dtype.ts';
import { createRandom } from '../../src/core/random.ts';
import type { SafeDType, SafeTensor, SafeTensors } from '../../src/formats/safetensors/model.ts';
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts';
import type { BlocksFiles } from '../../src/import/int8-blocks.ts';

/** Plain JSON: tests change single fields. */
export type Entry = Record<string, unknown>;

export interface SmallNetwork {
  readonly description: Entry & { input: Entry; ops: Entry[] };
  readonly tensors: Map<string, SafeTensor>;
}

export function safeTensor(dtype: SafeDType, shape: readonly number[], data: TypedArray): SafeTensor {
  return { dtype, shape, bytes: asBytes(data) };
}

const quantization = {
  image: [1 / 127.5, 0],
  'first.out': [6 / 255, -128],
  'deep.out': [0.021, 5],
  'sum.out': [0.043, -7],
  'pool.out': [0.043, -7],
  logits: [0.05, 3],
} as const;

type Tensor = keyof typeof quantization;

const side = (name: 'input' | 'output', of: Tensor) => ({
  [`${name}_scale`]: quantization[of][0],
  [`${name}_zero`]: quantization[of][1],
});

/** [1, 3, 6, 5] -> conv 3x3 stride 2 -> [4, 3, 3] -> depthwise 3x3 -> added to itself -> pool -> conv -> 5 logits. */
export function smallNetwork(): SmallNetwork {
  const random = createRandom(5);
  const tensors = new Map<string, SafeTensor>();
  const convolution = (
    id: string,
    op: 'conv2d' | 'depthwise_conv2d',
    [input, output]: readonly [Tensor, Tensor],
    [out, depth, kernel]: readonly [number, number, number],
    geometry: Entry,
  ): Entry => {
    const integers = (length: number, half: number) =>
      Array.from({ length }, () => Math.floor((2 * random() - 1) * half));
    const shape = [out, depth, kernel, kernel];
    tensors.set(
      `${id}.weight`,
      safeTensor('I8', shape, Int8Array.from(integers(out * depth * kernel ** 2, 127))),
    );
    tensors.set(`${id}.bias`, safeTensor('I32', [out], Int32Array.from(integers(out, 3000))));
    const scales = Float32Array.from({ length: out }, () => 0.002 + 0.004 * random());
    tensors.set(`${id}.weight_scale`, safeTensor('F32', [out], scales));
    const names = { weight: `${id}.weight`, bias: `${id}.bias`, weight_scale: `${id}.weight_scale` };
    const shared = { kernel: [kernel, kernel], out_channels: out, groups: 1, stride: 1, padding: [0, 0] };
    return {
      ...{ id, op, input, output, ...shared, weight_zero: 0, ...geometry, ...names },
      ...side('input', input),
      ...side('output', output),
    };
  };
  const first = convolution('first', 'conv2d', ['image', 'first.out'], [4, 3, 3], {
    ...{ stride: 2, padding: [1, 1], out_hw: [3, 3] },
  });
  const deep = convolution('deep', 'depthwise_conv2d', ['first.out', 'deep.out'], [4, 1, 3], {
    ...{ groups: 4, padding: [1, 1], out_hw: [3, 3] },
  });
  const sum: Entry = {
    ...{ id: 'sum', op: 'add', inputs: ['first.out', 'deep.out'], output: 'sum.out' },
    input_scales: [quantization['first.out'][0], quantization['deep.out'][0]],
    input_zeros: [quantization['first.out'][1], quantization['deep.out'][1]],
    ...side('output', 'sum.out'),
  };
  const pool = { id: 'pool', op: 'global_avg_pool', input: 'sum.out', output: 'pool.out' };
  const last = convolution('last', 'conv2d', ['pool.out', 'logits'], [5, 4, 1], { out_hw: [1, 1] });
  return {
    description: {
      ...{ format: 'int8-mobilenet-blocks', version: 1, output: 'logits' },
      input: { id: 'image', shape: [1, 3, 6, 5], dtype: 'int8', scale: 1 / 127.5, zero: 0 },
      ops: [first, deep, sum, pool, last],
    },
    tensors,
  };
}

export function filesOf({ description, tensors }: SmallNetwork): BlocksFiles {
  const safe: SafeTensors = { tensors, metadata: new Map([['licence', 'none']]) };
  return {
    description: new TextEncoder().encode(JSON.stringify(description)),
    tensors: writeSafetensors(safe),
  };
}
