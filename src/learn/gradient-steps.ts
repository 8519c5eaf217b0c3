/** Nodes that make gradients in integers, and what is composed of them. */
import type { NodeAttributes, OpName } from '../ir/attributes.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { elementCount, type Origin, type Shape, type ValueId } from '../ir/types.ts';
import { sameShape } from '../ops/strided.ts';

/** An int8 tensor and the state that holds its exponent: real = value * 2^exponent. */
export interface Gradient {
  readonly value: ValueId;
  readonly scale: ValueId;
}

/** What a gradient's exponent and the shift expected for it begin with. */
const FIRST_SCALE = [0, 8];

/** A pooling that changes nothing: its gradient is what a mask lets through. */
export const ONE_PIXEL = {
  kernel: [1, 1],
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  clamp: [-128, 127],
} as const;

/** What stands for 1 where sums are taken: large enough that what is cut off of sums of many is small. */
const ONE = 64;

/** Any shape as one image: leading dimensions become rows. */
export function imageOf(shape: Shape): Shape {
  const [width, channels] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return [1, elementCount(shape) / (width * channels), width, channels];
}

export class GradientSteps {
  readonly builder: GraphBuilder;
  private readonly gradientsOf = new Map<string, number>();

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  shapeOf(id: ValueId): Shape {
    return this.builder.value(id).shape;
  }

  /** An operator whose last operand is the state of the scale of the gradient that it makes, one of `of`. */
  make<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    operands: readonly (ValueId | null)[],
    of: ValueId,
    origin: Origin,
    shape: Shape = this.shapeOf(of),
  ): Gradient {
    return this.makeNamed(op, attrs, operands, this.builder.value(of).name, origin, shape);
  }

  /** What several readers of a value send back adds up. */
  sum(a: Gradient, b: Gradient, of: ValueId, origin: Origin): Gradient {
    const { shape, name } = this.builder.value(of);
    const operands = [a.value, a.scale, b.value, b.scale];
    return this.makeNamed('gradient_sum', {}, operands, `${name}, summed`, origin, shape);
  }

  /** An operator that moves elements, and has nothing to round: the scale stays. */
  move<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    g: Gradient,
    shape: Shape,
    origin: Origin,
    what = `${this.builder.value(g.value).name}/${op}`,
  ): Gradient {
    const value = this.builder.activation(what, { shape, dtype: 'int8' });
    this.builder.node(op, attrs, [g.value], [value], gradientOrigin(origin));
    return { value, scale: g.scale };
  }

  asShape(g: Gradient, shape: Shape, origin: Origin): Gradient {
    if (sameShape(this.shapeOf(g.value), shape)) return g;
    return this.move('reshape', {}, g, shape, origin, `${this.builder.value(g.value).name}/reshaped`);
  }

  asImage(g: Gradient, origin: Origin): Gradient {
    return this.asShape(g, imageOf(this.shapeOf(g.value)), origin);
  }

  /** `g`, a gradient of `of`, where the mask lets it through. */
  masked(g: Gradient, mask: ValueId | null, of: ValueId, origin: Origin): Gradient {
    if (mask === null) return g;
    const { value, scale } = this.asImage(g, origin);
    const operands = [value, scale, mask];
    const op = 'quantized_average_pool2d_gradient';
    return this.make(op, ONE_PIXEL, operands, of, origin, this.shapeOf(value));
  }

  /** Times a number for each channel, or for all elements an int8 value: the one is summed over pixels if `shape` says so. */
  times(
    g: Gradient,
    other: ValueId,
    mask: ValueId | null,
    of: ValueId,
    origin: Origin,
    shape: Shape,
  ): Gradient {
    return this.make('mul_gradient', {}, [other, g.value, g.scale, mask], of, origin, shape);
  }

  /** The gradient of `of`, with a sign, which was broadcast to the shape of `g`. */
  summedTo(g: Gradient, of: ValueId, origin: Origin, sign: 1 | -1 = 1): Gradient {
    const [from, to] = [this.shapeOf(g.value), this.shapeOf(of)];
    const repeated = from.flatMap((size, d) => {
      return size > 1 && (to[d - from.length + to.length] ?? 1) === 1 ? [d] : [];
    });
    if (repeated.length === 0 && sign === 1) return this.asShape(g, to, origin);
    const count = elementCount(to);
    const all = elementCount(from) / count;
    const seen = repeated.length === 0 ? imageOf(from) : [1, all, 1, count];
    const first = this.asShape(this.toFront(g, repeated, origin), seen, origin);
    const channels = seen.at(-1)!;
    const factor = this.factors(new Array(channels).fill(sign), origin);
    const summed = this.times(first, factor, null, of, origin, repeated.length === 0 ? seen : [channels]);
    return this.asShape(summed, to, origin);
  }

  /** Times `unit`: -1, 0 or 1, as an int8 constant that cuts little off sums of many. */
  factors(values: readonly number[], origin: Origin, unit = 1): ValueId {
    const quantization = { scales: [unit / ONE], zeroPoints: [0], axis: 0 };
    const type = { shape: [values.length], dtype: 'int8', quantization } as const;
    return this.builder.constant(
      `${origin.name}/factors`,
      type,
      Int8Array.from(values, (v) => v * ONE),
    );
  }

  /** The dimensions `first` before the others. */
  private toFront(g: Gradient, first: readonly number[], origin: Origin): Gradient {
    const shape = this.shapeOf(g.value);
    const isLeading = first.every((d) =>
      shape.slice(0, d).every((size, i) => size === 1 || first.includes(i)),
    );
    if (isLeading) return g;
    const permutation = [...first, ...[...shape.keys()].filter((d) => !first.includes(d))];
    return this.move(
      'transpose',
      { permutation },
      g,
      permutation.map((d) => shape[d]!),
      origin,
    );
  }

  /** Several readers of a value, and a mask, make several gradients of one name: a number tells the later ones apart. */
  private makeNamed<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    operands: readonly (ValueId | null)[],
    of: string,
    origin: Origin,
    shape: Shape,
  ): Gradient {
    const { builder } = this;
    const count = (this.gradientsOf.get(of) ?? 0) + 1;
    this.gradientsOf.set(of, count);
    const name = count === 1 ? of : `${of}, ${count}`;
    const value = builder.activation(`gradient of ${name}`, { shape, dtype: 'int8' });
    const scale = builder.state(
      `scale of the gradient of ${name}`,
      { shape: [2], dtype: 'int32' },
      Int32Array.from(FIRST_SCALE),
    );
    builder.node(op, attrs, [...operands, scale], [value], gradientOrigin(origin));
    return { value, scale };
  }
}

function gradientOrigin(origin: Origin): Origin {
  return { ...origin, op: `${origin.op} gradient` };
}
