/** Operators that are a function of one 8-bit element: 256 results, computed once by the compiler. */
import { clamp } from '../../core/fixedpoint.ts';
import type { NodeAttributes, OpName } from '../../ir/attributes.ts';
import { elementCount, type TensorType } from '../../ir/types.ts';
import { byteRange, isByteType } from '../bytes.ts';
import type { CallSpec, Kernel, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { int8Problem } from '../quantization.ts';
import { eachRow } from '../rows.ts';
import { sameShape } from '../strided.ts';

export interface Lookup<K extends OpName> {
  readonly name: K;
  /** What is wrong with attributes or scales, given int8 input and output of one shape. */
  problem(attrs: NodeAttributes[K], x: TensorType, y: TensorType): Problem | undefined;
  /** The raw result, not yet clamped to the output's type, of a raw input. */
  evaluate(attrs: NodeAttributes[K], x: TensorType, y: TensorType): (raw: number) => number;
}

/** The definition of an operator from int8 to int8 that is nothing but a table. */
export function lookupOperator<K extends OpName>(lookup: Lookup<K>): OpDef<K> {
  return {
    name: lookup.name,
    verify({ attrs, ins, outs }: NodeView<K>): Problem | undefined {
      const [x, y] = [ins[0], outs[0]];
      if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
      return (
        sameShapeProblem(x, y) ??
        int8Problem(x, 'the input') ??
        int8Problem(y, 'the output') ??
        lookup.problem(attrs, x, y)
      );
    },
    macs: () => 0,
    reference: (view) => lookupReference(lookup, view),
    kernels: lookupKernels(lookup),
  };
}

export function sameShapeProblem(x: TensorType, y: TensorType): Problem | undefined {
  if (sameShape(x.shape, y.shape)) return undefined;
  return { code: 'RV2005', message: `the output is [${y.shape}] where the input is [${x.shape}]` };
}

export function lookupReference<K extends OpName>(
  lookup: Lookup<K>,
  { attrs, ins, outs }: ReferenceView<K>,
): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const [lowest] = byteRange(x);
  const table = tableOf(lookup, attrs, x, y);
  for (let i = 0; i < y.data.length; ++i) y.data[i] = table[(x.data[i] as number) - lowest]!;
}

/** Tried in order; see `Kernel`. */
export function lookupKernels<K extends OpName>(lookup: Lookup<K>): readonly Kernel<K>[] {
  const common: Pick<Kernel<K>, 'refuses' | 'bind'> = {
    refuses: ({ ins, outs }) =>
      isByteType(ins[0]!.dtype) && isByteType(outs[0]!.dtype) ? undefined : 'the elements are not 8-bit',
    bind: (view) => bindLookup(lookup, view),
  };
  return [
    {
      name: 'lut_mve_s8',
      isa: 'mve',
      shared: true,
      why: 'sixteen results at a time from a table',
      ...common,
    },
    { name: 'lut_s8', isa: 'portable', why: 'a table of all 256 results', ...common },
  ];
}

/** Results by raw - lowest. */
function tableOf<K extends OpName>(
  lookup: Lookup<K>,
  attrs: NodeAttributes[K],
  x: TensorType,
  y: TensorType,
): number[] {
  const [lowestIn] = byteRange(x);
  const [lowest, highest] = byteRange(y);
  const evaluate = lookup.evaluate(attrs, x, y);
  return Array.from({ length: 256 }, (_, i) => clamp(evaluate(lowestIn + i), lowest, highest));
}

function bindLookup<K extends OpName>(lookup: Lookup<K>, { attrs, ins, outs }: NodeView<K>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const [lowest] = byteRange(x);
  const byBits = new Uint8Array(256);
  tableOf(lookup, attrs, x, y).forEach((result, i) => {
    byBits[(lowest + i) & 255] = result;
  });
  const output = eachRow(y);
  return [
    {
      geometry: { size: elementCount(y.shape) / output.rows.length },
      data: { table: { role: 'table', data: byBits } },
      firings: output.rows.length,
      slots: [{ operand: 0, ...eachRow(x) }],
      output,
      inPlace: x.data === undefined ? [0] : [],
    },
  ];
}
