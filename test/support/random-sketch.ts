import type { TypedArray } from '../../src/core/dtype.ts';
import { createRandom } from '../../src/core/random.ts';
import type { Clamp, NodeAttributes, OpName } from '../../src/ir/attributes.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph, Shape, TensorType, ValueId } from '../../src/ir/types.ts';
import { float32, int8 } from '../../src/ops/case.ts';

export const FULL: Clamp = [-128, 127];

/** A graph under construction and the random stream that it is drawn from. */
export class RandomSketch {
  /** Computed values that later layers may read, oldest first. */
  readonly pool: ValueId[] = [];
  private readonly builder: GraphBuilder;
  private readonly random: () => number;
  private readonly batch: number;
  private nodes = 0;

  /** @param input the shape of the only input; without it, one or two of random shapes */
  constructor(seed: number, input?: Shape) {
    this.builder = new GraphBuilder(`random_${seed}`);
    this.random = createRandom(seed);
    if (input !== undefined) {
      this.batch = input[0]!;
      this.pool.push(this.builder.input('x0', this.quantized(input)));
      return;
    }
    this.batch = this.chance(0.15) ? 2 : 1;
    const inputs = this.chance(0.25) ? 2 : 1;
    for (let i = 0; i < inputs; ++i) this.pool.push(this.input(`x${i}`));
  }

  type(id: ValueId): TensorType {
    return this.builder.value(id);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Uniform in [lowest, highest]. */
  integer(lowest: number, highest: number): number {
    return lowest + Math.floor(this.random() * (highest - lowest + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)]!;
  }

  /** A value of the pool, usually a recent one; null when none suits. */
  operand(suits: (type: TensorType) => boolean = () => true): ValueId | null {
    const fitting = this.pool.filter((id) => suits(this.type(id)));
    return fitting.length === 0 ? null : this.pick(this.chance(0.6) ? fitting.slice(-2) : fitting);
  }

  /** An image: four dimensions. */
  image(): ValueId | null {
    return this.operand(({ shape }) => shape.length === 4);
  }

  zeroPoint(): number {
    return this.chance(0.4) ? this.pick([-128, 127, 0]) : this.integer(-128, 127);
  }

  /** Random quantisation with a scale around `scale`. */
  quantized(shape: Shape, scale = 0.05): TensorType {
    return int8(shape, scale * (0.5 + 1.5 * this.random()), this.zeroPoint());
  }

  clamp(): Clamp {
    if (this.chance(0.6)) return FULL;
    const [a, b] = [this.integer(-128, 127), this.integer(-128, 127)];
    return [Math.min(a, b), Math.max(a, b)];
  }

  constant(type: TensorType & { readonly data: TypedArray }): ValueId {
    const { data, ...rest } = type;
    return this.builder.constant(`c${this.nodes}`, rest, data);
  }

  /** A node with one result of the given type. */
  node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    type: TensorType,
  ): ValueId {
    const { shape, dtype, quantization } = type;
    const name = `${op}_${this.nodes++}`;
    const out = this.builder.activation(name, { shape, dtype, ...(quantization && { quantization }) });
    this.builder.node(op, attrs, ins, [out], { index: this.nodes, op, name });
    return out;
  }

  seed(): number {
    return this.integer(1, 1 << 30);
  }

  /** The last value and a few others become outputs, one of them perhaps as floats. */
  finish(random: () => number): Graph {
    const computed = this.pool.filter((id) => !this.builder.value(id).name.startsWith('x'));
    const outputs = new Set(computed.slice(-1));
    for (const id of computed) if (outputs.size < 4 && random() < 0.12) outputs.add(id);
    if (outputs.size === 0)
      outputs.add(this.node('relu', { clamp: FULL }, [this.pool[0]!], this.type(this.pool[0]!)));
    return this.builder.build(
      [...outputs].map((id) =>
        random() < 0.1 ? this.node('dequantize', {}, [id], float32(this.type(id).shape)) : id,
      ),
    );
  }

  private input(name: string): ValueId {
    const shape = [this.batch, this.integer(1, 11), this.integer(1, 11), this.integer(1, 6)];
    if (this.chance(0.9)) return this.builder.input(name, this.quantized(shape));
    const floats = this.builder.input(name, float32(shape));
    return this.node('quantize', {}, [floats], this.quantized(shape));
  }
}
