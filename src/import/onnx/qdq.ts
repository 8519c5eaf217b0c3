/**
 * QuantizeLinear and DequantizeLinear: between the two a file says how a value is quantised. Both vanish, what they say is
 * kept, and the float32 graph with it becomes an int8 graph.
 */

import { errorDiagnostic, RivuletError } from '../../core/diagnostics.ts';
import { clamp } from '../../core/fixedpoint.ts';
import { convert } from '../../integer/convert.ts';
import { fuseBounds } from '../../integer/fuse-bounds.ts';
import { ALL, FIXED, ONE } from '../../integer/sharing.ts';
import { isWeighted } from '../../integer/weights.ts';
import type { OpName } from '../../ir/attributes.ts';
import {
  describeOrigin,
  elementCount,
  type Graph,
  type Quantization,
  requireValue,
  type ValueId,
} from '../../ir/types.ts';
import { type OnnxContext, type Quantized, reject } from './context.ts';

/** uint8 becomes int8 with the same scale: q - 128. */
const UINT8_OFFSET = 128;

const RANGES = { int8: [-128, 127], uint8: [0, 255], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;
type Raw = keyof typeof RANGES;

interface Parameters extends Quantization {
  readonly raw: Raw;
}

/** Scale and zero point; the type of the zero point is that of the raw values. */
function parametersOf(context: OnnxContext, given?: Raw): Parameters {
  const scales = [...context.known(1, 'the scale').values].map(Math.fround);
  const zero = context.has(2) ? context.known(2, 'the zero point') : undefined;
  const dtype = zero?.dtype ?? given ?? 'uint8';
  if (dtype !== 'int8' && dtype !== 'uint8' && dtype !== 'int32') {
    return reject('RV2003', `raw values are ${dtype}, not int8`);
  }
  const zeros = zero === undefined ? scales.map(() => 0) : [...zero.values];
  if (zeros.length !== scales.length || scales.length === 0 || scales.some((s) => !(s > 0 && s < Infinity))) {
    reject('RV2004', `${scales.length} scales with ${zeros.length} zero points, or one that is not positive`);
  }
  return { raw: dtype, scales, zeroPoints: zeros, axis: context.int('axis', 1) };
}

/** The same on int8. */
function onInt8({ raw, scales, zeroPoints, axis }: Parameters): Quantization {
  const offset = raw === 'uint8' ? UINT8_OFFSET : 0;
  return { scales, zeroPoints: zeroPoints.map((zero) => zero - offset), axis };
}

export function importQuantize(context: OnnxContext): void {
  const own = parametersOf(context);
  if (context.isKnown(0)) {
    const x = context.known(0, 'the constant');
    const [lowest, highest] = RANGES[own.raw];
    const at = channelAt(context, x.shape, own);
    const values = Float64Array.from(x.values, (value, i) =>
      clamp(halfEven(value / own.scales[at(i)]!) + own.zeroPoints[at(i)]!, lowest, highest),
    );
    context.result({ known: { shape: x.shape, dtype: own.raw, values } });
    return;
  }
  const { id } = context.computed(0);
  if (own.scales.length !== 1) reject('RV2004', `an activation with ${own.scales.length} scales`);
  requireSame(context, id, onInt8(own));
  context.quantized.set(id, onInt8(own));
  context.alias();
}

export function importDequantize(context: OnnxContext): void {
  if (!context.isKnown(0)) {
    const { id } = context.computed(0);
    if (!context.quantized.has(id)) reject('RV2004', 'the operand is not quantised');
    requireSame(context, id, onInt8(parametersOf(context)));
    context.alias();
    return;
  }
  const x = context.known(0, 'the constant');
  const own = parametersOf(context, x.dtype as Raw);
  const at = channelAt(context, x.shape, own);
  const values = Float32Array.from(x.values, (q, i) => own.scales[at(i)]! * (q - own.zeroPoints[at(i)]!));
  context.result({ known: { shape: x.shape, dtype: 'float32', values, quantization: onInt8(own) } });
}

function requireSame({ quantized }: OnnxContext, id: ValueId, other: Quantization): void {
  const known = quantized.get(id);
  if (known === undefined || same(known, other)) return;
  reject(
    'RV2004',
    `one value has scale ${known.scales[0]} and zero point ${known.zeroPoints[0]}, and ${other.scales[0]} and ${other.zeroPoints[0]}`,
  );
}

function same(a: Quantization, b: Quantization): boolean {
  return a.scales[0] === b.scales[0] && a.zeroPoints[0] === b.zeroPoints[0];
}

/** The scale of each element. */
function channelAt(
  context: OnnxContext,
  shape: readonly number[],
  { scales, axis }: Quantization,
): (index: number) => number {
  if (scales.length === 1) return () => 0;
  const d = context.axis(axis, shape.length);
  if (shape[d] !== scales.length) reject('RV2005', `${scales.length} scales for [${shape}]`);
  const inner = elementCount(shape.slice(d + 1));
  return (index) => Math.floor(index / inner) % scales.length;
}

/** To nearest, halves to even numbers, as ONNX has it. */
function halfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** @throws RivuletError RV2004 for values without a scale, and for weights with a zero point */
export function integerGraph(graph: Graph, quantized: Quantized): Graph {
  const fused = fuseBounds(graph, (id) => quantized.has(id));
  const all = completed(fused, quantized);
  const problems = fused.nodes.flatMap((node) => {
    const origin = describeOrigin(node.origin);
    const parameters = new Set(isWeighted(node) ? node.ins.slice(1) : []);
    const bare = [...node.ins, ...node.outs].filter(
      (id) => id !== null && !parameters.has(id) && !all.has(id),
    );
    const weights = isWeighted(node) ? all.get(node.ins[1]!) : undefined;
    return [
      ...bare.map((id) =>
        errorDiagnostic('RV2004', `"${requireValue(fused, id!).name}" has no scale`, { origin }),
      ),
      ...(weights?.zeroPoints.some((zero) => zero !== 0)
        ? [errorDiagnostic('RV2004', 'the weights have a zero point other than 0', { origin })]
        : []),
    ];
  });
  if (problems.length > 0) throw new RivuletError(problems);
  const weightScales = new Map([...all].map(([id, { scales }]) => [id, scales]));
  const sharing = {
    converts: (op: OpName, id: ValueId, out: ValueId): boolean =>
      (ONE.has(op) || ALL.has(op)) && !same(all.get(id)!, all.get(out)!),
  };
  return convert(fused, sharing, (id) => all.get(id)!, { weightScales }).graph;
}

/** Operators that move elements pass scales on, to where the file says none; some results have one by definition. */
function completed({ nodes }: Graph, quantized: Quantized): Quantized {
  const all = new Map(quantized);
  for (const { op, outs } of nodes) {
    const fixed = FIXED[op];
    if (fixed !== undefined) all.set(outs[0]!, fixed);
  }
  const pass = (from: ValueId | null | undefined, to: ValueId | null | undefined): void => {
    const known = from == null ? undefined : all.get(from);
    if (known !== undefined && to != null && !all.has(to)) all.set(to, known);
  };
  for (const { op, ins, outs } of nodes) if (ONE.has(op) || ALL.has(op)) pass(ins[0], outs[0]);
  for (const { op, ins, outs } of nodes.toReversed()) {
    if (ONE.has(op) || ALL.has(op)) for (const id of ins) pass(outs[0], id);
  }
  return all;
}
