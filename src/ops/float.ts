/**
 * Operators on float32, for computers: what they share. A float kernel is one firing over whole tensors, batch and all.
 * Shapes obey the rules of the quantised operator, which are asked with the types replaced.
 */
import { fail } from '../core/diagnostics.ts';
import type { Clamp, NodeAttributes, OpName } from '../ir/attributes.ts';
import { elementCount, type TensorType, type Value } from '../ir/types.ts';
import type { CallSpec, Kernel, NodeView, OpDef, Problem } from './definition.ts';
import { wholeTensor } from './rows.ts';

/** Bounds that bound nothing. */
export const UNBOUNDED: Clamp = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Lanes of the widest vectors that kernels are compiled for (RV_FLOATS of runtime/rivulet_float.h). */
export const MOST_LANES = 16;

/** What an operator is on float32. `verify` comes on top of the quantised rules on shapes, or takes their place. */
export interface FloatMeaning<K extends OpName> extends Pick<OpDef<K>, 'reference' | 'kernels'> {
  readonly verify?: OpDef<K>['verify'];
}

/** The definition of a quantised operator, and of the same on float32; the type of the result tells which is meant. */
export function withFloat<K extends OpName>(quantized: OpDef<K>, float: FloatMeaning<K>): OpDef<K> {
  const verifyFloat =
    float.verify ??
    ((view: NodeView<K>) => floatsProblem(view) ?? boundsProblem(view.attrs) ?? quantized.verify(twin(view)));
  return {
    ...quantized,
    verify: (view) => (isFloat(view) ? verifyFloat(view) : quantized.verify(view)),
    verifyQuantized: (view) => quantized.verify(view),
    reference: (view) => (isFloat(view) ? float.reference(view) : quantized.reference(view)),
    kernels:
      quantized.kernels === 'alias' || float.kernels === 'alias'
        ? 'alias'
        : [
            ...quantized.kernels.map((kernel) => forType(kernel, (view) => !isFloat(view))),
            ...float.kernels.map((kernel) => forType(kernel, isFloat)),
          ],
  };
}

function forType<K extends OpName>(
  kernel: Kernel<K>,
  fits: (view: Pick<NodeView<K>, 'outs'>) => boolean,
): Kernel<K> {
  return {
    ...kernel,
    refuses: (view) => (fits(view) ? kernel.refuses(view) : `the result is ${view.outs[0]!.dtype}`),
  };
}

function isFloat({ outs }: { readonly outs: readonly TensorType[] }): boolean {
  return outs[0]?.dtype === 'float32';
}

/** The first operand, or the result, that is not float32. Operands listed in `others` may have any type. */
export function floatsProblem(
  { ins, outs }: NodeView<OpName>,
  others: readonly number[] = [],
): Problem | undefined {
  const values = [...ins.filter((_, i) => !others.includes(i)), ...outs];
  const bad = values.find((value) => value !== null && value.dtype !== 'float32');
  return bad ? { code: 'RV2003', message: `"${bad.name}" is ${bad.dtype}, not float32` } : undefined;
}

/** float32 operands, all of them there. */
export function operandsProblem(
  view: NodeView<OpName>,
  count: number,
  others: readonly number[] = [],
): Problem | undefined {
  if (view.ins.length !== count || view.ins.includes(null)) {
    return { code: 'RV2005', message: `${count} operands are needed` };
  }
  return floatsProblem(view, others) ?? boundsProblem(view.attrs);
}

/** A value that does not have the shape it must. */
export function shapeProblem(value: Value, shape: readonly number[]): Problem | undefined {
  const same = value.shape.length === shape.length && shape.every((size, d) => size === value.shape[d]);
  return same
    ? undefined
    : { code: 'RV2005', message: `"${value.name}" is [${value.shape}], not [${shape}]` };
}

function boundsProblem(attrs: NodeAttributes[OpName]): Problem | undefined {
  if (!('clamp' in attrs) || attrs.clamp[0] <= attrs.clamp[1]) return undefined;
  return { code: 'RV2002', message: `the output cannot be clamped to [${attrs.clamp}]` };
}

const TWIN = { dtype: 'int8', quantization: { scales: [1], zeroPoints: [0], axis: 0 } } as const;
const TWIN_CLAMP: Clamp = [-128, 127];

/** The same node on int8, with scales of 1, constant weights and an int32 bias. */
export function twin<K extends OpName>({ attrs, ins, outs }: NodeView<K>): NodeView<K> {
  const bounded = 'clamp' in attrs ? { ...attrs, clamp: TWIN_CLAMP } : attrs;
  return {
    attrs: 'value' in bounded ? { ...bounded, value: 0 } : bounded,
    ins: ins.map((value, i): Value | null => {
      if (value === null) return null;
      if (i === 2) {
        const data = new Int32Array(elementCount(value.shape));
        return { ...value, dtype: 'int32', role: 'const', data };
      }
      return i === 1 ? { ...value, ...TWIN, role: 'const' } : { ...value, ...TWIN };
    }),
    outs: outs.map((value) => ({ ...value, ...TWIN })),
  };
}

/** What a float kernel is called with, beside whole tensors. */
export interface FloatCall {
  readonly geometry: Readonly<Record<string, number>>;
  /** Real parameters, by field of the kernel's data struct. */
  readonly data?: Readonly<Record<string, Iterable<number>>>;
  /** Operands in the order of the kernel's inputs; all that there are unless given. */
  readonly operands?: readonly number[];
  /** Floats of scratch. */
  readonly scratch?: number;
}

/** A kernel over whole tensors. */
export function floatKernel<K extends OpName>(
  name: string,
  why: string,
  bind: (view: NodeView<K>) => FloatCall | readonly FloatCall[],
  refuses: Kernel<K>['refuses'] = () => undefined,
): Kernel<K> {
  return {
    name,
    isa: 'simd',
    why,
    shared: true,
    refuses,
    bind: (view) => [bind(view)].flat().map((call) => wholeCall(view, call as FloatCall)),
  };
}

function wholeCall<K extends OpName>(
  { ins, outs }: NodeView<K>,
  { geometry, data = {}, operands, scratch = 0 }: FloatCall,
): CallSpec {
  const present = operands ?? ins.flatMap((value, i) => (value === null ? [] : [i]));
  const constants = Object.entries(data).map(([field, values]) => [
    field,
    { role: 'table' as const, data: Float32Array.from(values) },
  ]);
  return {
    geometry,
    data: Object.fromEntries(constants),
    firings: 1,
    slots: present.map((operand) => ({ operand, ...wholeTensor(ins[operand]!) })),
    output: wholeTensor(outs[0]!),
    scratchBytes: scratch * Float32Array.BYTES_PER_ELEMENT,
  };
}

/** Dimensions of the kernels for tensors of any rank (RV_RANK of runtime/rivulet_float.h). */
const RANK = 6;

/** Fields NAME_0 to NAME_5: one number per dimension, filled up in front. Throws RV2002 where there are more. */
export function perDimension(
  name: string,
  values: readonly number[],
  missing: number,
): Record<string, number> {
  if (values.length > RANK)
    fail('RV2002', `${values.length} dimensions that cannot be joined, at most ${RANK} can be`);
  const filled = [...new Array<number>(Math.max(0, RANK - values.length)).fill(missing), ...values];
  return Object.fromEntries(filled.map((value, d) => [`${name}_${d}`, value]));
}

/** Sizes with as few dimensions as the strides of all operands allow: neighbours that all walk without a gap are one. */
export function joinDimensions(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
): { readonly sizes: readonly number[]; readonly strides: readonly (readonly number[])[] } {
  const kept: { size: number; steps: number[] }[] = [];
  sizes.forEach((size, d) => {
    if (size === 1) return;
    const steps = strides.map((list) => list[d]!);
    const last = kept.at(-1);
    if (last?.steps.every((step, i) => step === steps[i]! * size)) {
      kept[kept.length - 1] = { size: last.size * size, steps };
    } else {
      kept.push({ size, steps });
    }
  });
  return {
    sizes: kept.map(({ size }) => size),
    strides: strides.map((_, i) => kept.map((k) => k.steps[i]!)),
  };
}
