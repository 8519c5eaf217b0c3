/** int8 networks that learn before and behind one operator: pointwise convolution, the operator, a classifier. */
import { createRandom } from '../../src/core/random.ts';
import type { NodeAttributes, OpName } from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import { elementCount, type Graph, type Shape, type ValueId } from '../../src/ir/types.ts';

export const LINEAR = {
  stride: [1, 1],
  dilation: [1, 1],
  padding: [0, 0, 0, 0],
  clamp: [-128, 127],
} as const;
const ORIGIN = { index: 0, op: 'TEST', name: 'test' };

/** What a middle is built with. */
export class Parts {
  readonly builder = new GraphBuilder('one operator');
  private readonly random = createRandom(5);
  private made = 0;

  /** Of one scale, so that values may be joined. */
  activation(shape: Shape, scale = 0.05, zeroPoint = 3): ValueId {
    const quantization = { scales: [scale], zeroPoints: [zeroPoint], axis: 0 };
    return this.builder.activation(`v${++this.made}`, { shape, dtype: 'int8', quantization });
  }

  constant(shape: Shape, scale = 0.01, zeroPoint = 0): ValueId {
    const quantization = { scales: [scale], zeroPoints: [zeroPoint], axis: 0 };
    const data = Int8Array.from({ length: elementCount(shape) }, () => Math.floor(this.random() * 255) - 127);
    return this.builder.constant(`c${++this.made}`, { shape, dtype: 'int8', quantization }, data);
  }

  op<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    shape: Shape,
    { scale, zeroPoint }: { scale?: number; zeroPoint?: number } = {},
  ): ValueId {
    const y = this.activation(shape, scale, zeroPoint);
    this.builder.node(op, attrs, ins, [y], { ...ORIGIN, name: op });
    return y;
  }

  shape(id: ValueId): Shape {
    return this.builder.value(id).shape;
  }
}

export type Middle = (parts: Parts, y: ValueId) => ValueId;

/** Values of the convolution before the middle: the first is called "y". */
export const SHAPE = [1, 4, 6, 8];

export function networkWith(middle: Middle, shape: Shape = SHAPE): Graph {
  const parts = new Parts();
  const { builder } = parts;
  const quantization = { scales: [0.05], zeroPoints: [3], axis: 0 };
  const image = [...shape.slice(0, -1), 4];
  const x = builder.input('x', { shape: image, dtype: 'int8', quantization });
  const y = builder.activation('y', { shape, dtype: 'int8', quantization });
  const weights = parts.constant([shape.at(-1)!, 1, 1, 4], 0.002);
  builder.node('conv2d', LINEAR, [x, weights, null], [y], { ...ORIGIN, name: 'first' });
  const z = middle(parts, y);
  const size = elementCount(parts.shape(z));
  const flat = parts.builder.activation('flat', { ...builder.value(z), shape: [1, size] });
  builder.node('reshape', {}, [z], [flat], ORIGIN);
  const logits = builder.activation('logits', {
    ...{ shape: [1, 3], dtype: 'int8' },
    quantization: { scales: [0.01], zeroPoints: [0], axis: 0 },
  });
  const classifier = parts.constant([3, size], 0.2 / Math.sqrt(size) / 50);
  builder.node('fully_connected', { clamp: [-128, 127] }, [flat, classifier, null], [logits], ORIGIN);
  return builder.build([logits]);
}
