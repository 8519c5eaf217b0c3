/**
 * What learns in integers on the device, in real numbers: the same operators on dequantised weights, without rounding and
 * without the ends of int8. What accuracy integers cost shows in comparison with it.
 */
import { fail } from '../core/diagnostics.ts';
import type { Clamp } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { type Graph, type Node, requireValue, type Shape, type Value, type ValueId } from '../ir/types.ts';
import { UNBOUNDED } from '../ops/float.ts';
import { isPerTensor, scaleOf, zeroPointOf } from '../ops/quantization.ts';

export interface FloatTwin {
  /** Inputs: the features, float32 with `batch` images, and `label`, int32 [batch]. Outputs: logits and `loss`. */
  readonly graph: Graph;
  /** Weights of which only some channels are trained: the others must be put back after every step. */
  readonly partly: readonly PartlyTrained[];
}

export interface PartlyTrained {
  readonly state: string;
  /** Length of the last dimension of the weights. */
  readonly channels: number;
  readonly trained: ReadonlySet<number>;
}

/** Operators without parameters that mean the same on float32. */
const PLAIN = new Set<Node['op']>([
  ...(['add', 'sub', 'mul', 'maximum', 'minimum', 'mean', 'average_pool2d', 'max_pool2d'] as const),
  ...(['reshape', 'transpose', 'concat', 'slice', 'resize_nearest', 'resize_bilinear'] as const),
  ...(['softmax', 'logistic', 'tanh', 'relu', 'leaky_relu', 'prelu', 'hard_swish'] as const),
]);

/** Operators with weights, and what they are in real numbers. */
const WEIGHTED = {
  conv2d: 'conv2d',
  trained_conv2d: 'conv2d',
  depthwise_conv2d: 'depthwise_conv2d',
  trained_depthwise_conv2d: 'depthwise_conv2d',
  transpose_conv2d: 'transpose_conv2d',
  fully_connected: 'fully_connected',
} as const;
type Weighted = (typeof WEIGHTED)[keyof typeof WEIGHTED];

/**
 * @param inference the learning part of a training graph, up to its logits: see `inferencePart`
 * @throws RivuletError RV2002 for an operator that has no twin
 */
export function floatTwin(inference: Graph, batch: number): FloatTwin {
  const builder = new GraphBuilder(`${inference.name} in real numbers`);
  const ids = new Map<ValueId, ValueId>();
  const partly: PartlyTrained[] = [];
  const of = (id: ValueId): Value => requireValue(inference, id);
  const mapped = (id: ValueId): ValueId => ids.get(id) ?? constant(id);
  const constant = (id: ValueId): ValueId => {
    const value = of(id);
    const data = realValues(value, value.data as Int8Array, scalesOf(value));
    return builder.constant(value.name, { shape: value.shape, dtype: 'float32' }, data);
  };
  const result = (id: ValueId): ValueId => {
    const { name, shape } = of(id);
    const made = builder.activation(name, { shape: inBatch(shape, batch), dtype: 'float32' });
    ids.set(id, made);
    return made;
  };

  for (const id of inference.inputs) {
    const { name, shape } = of(id);
    ids.set(id, builder.input(name, { shape: inBatch(shape, batch), dtype: 'float32' }));
  }
  const label = builder.input('label', { shape: [batch], dtype: 'int32' });

  const weighted = (node: Node, op: Weighted): void => {
    const isTrained = node.op.startsWith('trained_');
    const [x, weights, bias, trained, channels] = node.ins.map((id) => (id == null ? null : of(id)));
    const units = scalesOf(weights!).map((scale) => scale * scaleOf(x!));
    const count = bias?.shape[0] ?? 0;
    const own = (value: Value, data: Float32Array, isState: boolean): ValueId =>
      builder[isState ? 'state' : 'constant'](value.name, { shape: value.shape, dtype: 'float32' }, data);
    const real = realValues(weights!, weights!.data as Int8Array, scalesOf(weights!));
    const filter = own(
      { ...weights!, name: trained?.name ?? weights!.name },
      real,
      trained !== null && trained !== undefined,
    );
    if (trained && channels) {
      const list = new Set(channels.data as Int32Array);
      partly.push({ state: trained.name, channels: weights!.shape.at(-1)!, trained: list });
    }
    const offsets =
      bias && Float32Array.from(bias.data as Int32Array, (b, o) => b * units[o % units.length]!);
    const ins = [mapped(x!.id), filter, ...(bias ? [own(bias, offsets!, isTrained && count > 0)] : [])];
    const { clamp } = node.attrs as { clamp: Clamp };
    const attrs = {
      ...(node.attrs as Extract<Node, { op: 'conv2d' }>['attrs']),
      clamp: realBounds(clamp, of(node.outs[0]!)),
    };
    builder.node(op, attrs, ins, [result(node.outs[0]!)], node.origin);
  };

  for (const node of inference.nodes) {
    if (Object.hasOwn(WEIGHTED, node.op)) weighted(node, WEIGHTED[node.op as keyof typeof WEIGHTED]);
    else if (node.op === 'pad') {
      const x = of(node.ins[0]!);
      const attrs = { ...node.attrs, value: (node.attrs.value - zeroPointOf(x)) * scaleOf(x) };
      builder.node('pad', attrs, [mapped(x.id)], [result(node.outs[0]!)], node.origin);
    } else if (node.op === 'quantize') {
      ids.set(node.outs[0]!, mapped(node.ins[0]!));
    } else if (PLAIN.has(node.op)) {
      const ins = node.ins.map((id) => (id === null ? null : mapped(id)));
      const attrs =
        'clamp' in node.attrs
          ? { ...node.attrs, clamp: realBounds(node.attrs.clamp, of(node.outs[0]!)) }
          : node.attrs;
      builder.push({ ...node, attrs, ins, outs: [result(node.outs[0]!)] } as Node);
    } else {
      fail('RV2002', `${node.op} has no float32 twin`, { origin: node.origin.name });
    }
  }
  const { origin } = inference.nodes.at(-1)!;
  const last = ids.get(inference.outputs[0]!)!;
  const shape = [batch, builder.value(last).shape.at(-1)!];
  const logits = builder.activation('logits/flat', { shape, dtype: 'float32' });
  builder.node('reshape', {}, [last], [logits], origin);
  const loss = builder.activation('loss', { shape: [1], dtype: 'float32' });
  builder.node('softmax_cross_entropy', { smoothing: 0 }, [logits, label], [loss], origin);
  return { graph: builder.build([logits, loss]), partly };
}

function inBatch([first = 1, ...rest]: Shape, batch: number): Shape {
  return [first * batch, ...rest];
}

function scalesOf({ quantization }: Value): readonly number[] {
  return quantization!.scales;
}

/** Quantised values as real numbers. */
function realValues(value: Value, data: Int8Array, scales: readonly number[]): Float32Array {
  if (isPerTensor(value)) {
    const zeroPoint = zeroPointOf(value);
    return Float32Array.from(data, (q) => (q - zeroPoint) * scales[0]!);
  }
  const { axis } = value.quantization!;
  const inner = value.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return Float32Array.from(data, (q, i) => q * scales[Math.floor(i / inner) % scales.length]!);
}

/** Bounds of an activation function; those that only are the ends of int8 bound nothing in real numbers. */
function realBounds([least, most]: Clamp, output: Value): Clamp {
  const zero = zeroPointOf(output);
  if (least < zero) return UNBOUNDED;
  return [(least - zero) * scaleOf(output), (most - zero) * scaleOf(output)];
}
