/** Which values share a scale and zero point, because an operator moves or compares raw bytes. */
import type { OpName } from '../ir/attributes.ts';
import type { Graph, Quantization, ValueId } from '../ir/types.ts';

/** What these operators write is fixed by the TFLite specification. */
export const FIXED: Partial<Record<OpName, Quantization>> = {
  softmax: { scales: [1 / 256], zeroPoints: [-128], axis: 0 },
  logistic: { scales: [1 / 256], zeroPoints: [-128], axis: 0 },
  tanh: { scales: [1 / 128], zeroPoints: [0], axis: 0 },
};

/** Operators whose result has the quantisation of their operand. */
export const ONE: ReadonlySet<OpName> = new Set<OpName>([
  'average_pool2d',
  'max_pool2d',
  'reshape',
  'transpose',
  'pad',
  'slice',
  'resize_nearest',
  'resize_bilinear',
]);
/** Operators whose operands all have the quantisation of the result. */
export const ALL: ReadonlySet<OpName> = new Set<OpName>(['concat', 'maximum', 'minimum']);

export interface Sharing {
  /** The same number for all values that share. */
  classOf(id: ValueId): ValueId;
  /** The quantisation that a class must have. */
  readonly fixed: ReadonlyMap<ValueId, Quantization>;
  /** Whether operand `id` of an operator that writes `out` comes from elsewhere and is converted before it. */
  converts(op: OpName, id: ValueId, out: ValueId): boolean;
}

export function sharingOf(graph: Graph): Sharing {
  const parent = new Map<ValueId, ValueId>();
  const classOf = (id: ValueId): ValueId => {
    const up = parent.get(id);
    return up === undefined ? id : classOf(up);
  };
  const join = (a: ValueId, b: ValueId): void => {
    const [rootA, rootB] = [classOf(a), classOf(b)];
    if (rootA !== rootB) parent.set(rootB, rootA);
  };
  for (const { op, ins, outs } of graph.nodes) if (ONE.has(op)) join(ins[0]!, outs[0]!);
  const fixed = new Map<ValueId, Quantization>();
  for (const { op, outs } of graph.nodes) {
    const quantization = FIXED[op];
    if (quantization !== undefined) fixed.set(classOf(outs[0]!), quantization);
  }
  const fixedBefore = new Set([...graph.values.keys()].filter((id) => fixed.has(classOf(id))));
  for (const { op, ins, outs } of graph.nodes) {
    if (!ALL.has(op)) continue;
    for (const id of ins) if (id !== null && !fixedBefore.has(id)) join(outs[0]!, id);
  }
  return {
    classOf,
    fixed,
    converts: (op, id, out) => ALL.has(op) && classOf(id) !== classOf(out),
  };
}
