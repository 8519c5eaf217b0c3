/** Float32 graph and the quantisation of each value -> int8 graph. */
import { fail } from '../core/diagnostics.ts';
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import type { Clamp, OpName } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  type Graph,
  type Node,
  type Quantization,
  requireValue,
  type TensorType,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import type { Sharing } from './sharing.ts';
import { affineOf, channelAxis, type IntegerWeights, integerWeights, isWeighted } from './weights.ts';

/** Operators that mean the same on int8, apart from those with weights. */
const KNOWN: ReadonlySet<OpName> = new Set<OpName>([
  'add',
  'sub',
  'mul',
  'maximum',
  'minimum',
  'prelu',
  'average_pool2d',
  'max_pool2d',
  'mean',
  'pad',
  'reshape',
  'transpose',
  'concat',
  'slice',
  'resize_nearest',
  'resize_bilinear',
  'softmax',
  'logistic',
  'tanh',
  'relu',
  'leaky_relu',
  'hard_swish',
]);

export interface Conversion {
  readonly graph: Graph;
  /** int8 values by the float32 values that they stand for. */
  readonly values: ReadonlyMap<ValueId, ValueId>;
}

export interface ConvertOptions {
  /**
   * Means of the last dimension of each value: biases make up for the mean error of rounded weights; see
   * docs/quantization.md.
   */
  readonly means?: ReadonlyMap<ValueId, Float64Array>;
  /** Scales of weights that have some, one or one for each output channel. */
  readonly weightScales?: ReadonlyMap<ValueId, readonly number[]>;
}

/** @param quantizationOf of each value; those that share have the same */
export function convert(
  graph: Graph,
  sharing: Pick<Sharing, 'converts'>,
  quantizationOf: (id: ValueId) => Quantization,
  options: ConvertOptions = {},
): Conversion {
  return new Converter(graph, sharing, quantizationOf, options).run();
}

class Converter {
  private readonly graph: Graph;
  private readonly sharing: Pick<Sharing, 'converts'>;
  private readonly quantizationOf: (id: ValueId) => Quantization;
  private readonly options: ConvertOptions;
  private readonly builder: GraphBuilder;
  private readonly values = new Map<ValueId, ValueId>();

  constructor(
    graph: Graph,
    sharing: Pick<Sharing, 'converts'>,
    quantizationOf: (id: ValueId) => Quantization,
    options: ConvertOptions,
  ) {
    this.graph = graph;
    this.sharing = sharing;
    this.quantizationOf = quantizationOf;
    this.options = options;
    this.builder = new GraphBuilder(graph.name);
  }

  run(): Conversion {
    for (const id of this.graph.inputs) {
      const { name } = requireValue(this.graph, id);
      this.values.set(id, this.builder.input(name, this.typeOf(id)));
    }
    for (const node of this.graph.nodes) this.convert(node);
    const graph = this.builder.build(this.graph.outputs.map((id) => this.values.get(id)!));
    return { graph, values: this.values };
  }

  private convert(node: Node): void {
    const out = node.outs[0]!;
    const type = this.typeOf(out);
    const ins = isWeighted(node) ? this.weighted(node, type) : this.operands(node, out);
    const id = this.builder.activation(requireValue(this.graph, out).name, type);
    this.values.set(out, id);
    this.builder.push({ ...node, attrs: rawAttributes(node, type), ins, outs: [id] } as Node);
  }

  private operands(node: Node, out: ValueId): (ValueId | null)[] {
    if (!KNOWN.has(node.op)) {
      fail('RV2001', `${node.op} has no meaning on int8`, { origin: describeOrigin(node.origin) });
    }
    return node.ins.map((id) => {
      if (id === null) return null;
      const value = requireValue(this.graph, id);
      if (value.data !== undefined) return this.constant(value);
      const own = this.values.get(id)!;
      if (!this.sharing.converts(node.op, id, out)) return own;
      const converted = this.builder.activation(`${value.name}/converted`, {
        ...this.typeOf(id),
        quantization: this.quantizationOf(out),
      });
      this.builder.node('quantize', {}, [own], [converted], node.origin);
      return converted;
    });
  }

  /** A constant operand that is no weight. */
  private constant(value: Value): ValueId {
    const known = this.values.get(value.id);
    if (known !== undefined) return known;
    const type = this.typeOf(value.id);
    const data = Int8Array.from(value.data as Float32Array, (x) => rawOf(x, type));
    const id = this.builder.constant(value.name, type, data);
    this.values.set(value.id, id);
    return id;
  }

  private weighted(node: Node, out: TensorType): ValueId[] {
    const input = node.ins[0]!;
    const { weights, bias, value } = affineOf(this.graph, node);
    if (weights === undefined) {
      fail('RV2008', 'the weights are computed by the model', { origin: describeOrigin(node.origin) });
    }
    const integers = (biases: ArrayLike<number> | undefined): IntegerWeights =>
      integerWeights(
        node,
        weights,
        value.shape,
        biases,
        [scaleOf(this.typeOf(input)), scaleOf(out)],
        this.options.weightScales?.get(value.id),
      );
    const plain = integers(bias);
    const means = node.op === 'transpose_conv2d' ? undefined : this.options.means?.get(input);
    const made =
      means === undefined ? plain : integers(correctedBias(node, weights, value, bias, plain, means));
    const { axis } = channelAxis(node);
    const quantization = { scales: made.scales, zeroPoints: made.scales.map(() => 0), axis };
    const w = this.builder.constant(
      value.name,
      { shape: value.shape, dtype: 'int8', quantization },
      made.weights,
    );
    const scales = made.scales.map((scale) => Math.fround(scale * scaleOf(this.typeOf(input))));
    const b = this.builder.constant(
      `${value.name}/bias`,
      {
        shape: [made.bias.length],
        dtype: 'int32',
        quantization: { scales, zeroPoints: scales.map(() => 0), axis: 0 },
      },
      made.bias,
    );
    return [this.values.get(input)!, w, b];
  }

  private typeOf(id: ValueId): TensorType & { readonly quantization: Quantization } {
    const { shape } = requireValue(this.graph, id);
    return { shape, dtype: 'int8', quantization: this.quantizationOf(id) };
  }
}

/** The bias less the mean of what rounding the weights adds to sums (Nagel and others, 2019, section 4.2). */
function correctedBias(
  node: Node,
  weights: Float32Array,
  { shape }: Value,
  bias: Float32Array | undefined,
  { weights: rounded, scales }: IntegerWeights,
  means: Float64Array,
): Float64Array {
  const axis = channelAxis(node);
  const outputs = shape[axis.axis]!;
  const corrected = Float64Array.from({ length: outputs }, (_, c) => bias?.[c] ?? 0);
  const depth = shape.at(-1)!;
  const depthwise = node.op === 'depthwise_conv2d';
  const groups = depthwise || node.op === 'fully_connected' ? 1 : means.length / depth;
  for (let i = 0; i < weights.length; ++i) {
    const c = axis.channelOf(shape, i);
    const from = depthwise
      ? Math.floor((c * means.length) / outputs)
      : Math.floor((c * groups) / outputs) * depth + (i % depth);
    const error = rounded[i]! * scales[scales.length === 1 ? 0 : c]! - weights[i]!;
    corrected[c]! -= error * means[from % means.length]!;
  }
  return corrected;
}

/** Attributes with real numbers replaced by raw ones. */
function rawAttributes(node: Node, out: TensorType): Node['attrs'] {
  if (node.op === 'pad') return { ...node.attrs, value: rawOf(node.attrs.value, out) };
  if (!('clamp' in node.attrs)) return node.attrs;
  const [low, high] = node.attrs.clamp;
  const bounds: Clamp = [rawOf(low, out), rawOf(high, out)];
  return { ...node.attrs, clamp: bounds } as Node['attrs'];
}

/** clamp(round(float32(real / scale)) + zero point); infinite numbers give the ends of int8. */
function rawOf(real: number, type: TensorType): number {
  if (!Number.isFinite(real)) return real < 0 ? -128 : 127;
  return clamp(roundHalfAway(Math.fround(real / scaleOf(type))) + zeroPointOf(type), -128, 127);
}
