import { elementCount } from '../../ir/types.ts';
import { byteProblem } from '../bytes.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { scaleOf, zeroPointOf } from '../quantization.ts';
import { byteGeometry } from '../quantize/op.ts';
import { eachRow } from '../rows.ts';
import { sameShapeProblem } from '../unary/lookup.ts';

export const dequantize: OpDef<'dequantize'> = {
  name: 'dequantize',
  verify,
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'dequantize_s8_f32',
      isa: 'portable',
      why: 'from int8 or uint8',
      refuses: () => undefined,
      bind,
    },
  ],
};

function verify({ ins, outs }: NodeView<'dequantize'>): Problem | undefined {
  const [x, y] = [ins[0], outs[0]];
  if (!x || !y) return { code: 'RV2005', message: 'an operand is missing' };
  if (y.dtype !== 'float32') return { code: 'RV2003', message: `the output is ${y.dtype}, not float32` };
  return sameShapeProblem(x, y) ?? byteProblem(x, 'the input');
}

/** (float)(S * (q - Z)), the product in double. */
function reference({ ins, outs }: ReferenceView<'dequantize'>): void {
  const [x, y] = [ins[0]!, outs[0]!];
  const [scale, zeroPoint] = [scaleOf(x), zeroPointOf(x)];
  for (let i = 0; i < y.data.length; ++i) y.data[i] = scale * ((x.data[i] as number) - zeroPoint);
}

function bind({ ins, outs }: NodeView<'dequantize'>): CallSpec[] {
  const [x, y] = [ins[0]!, outs[0]!];
  const output = eachRow(y);
  return [
    {
      geometry: { size: elementCount(y.shape) / output.rows.length, ...byteGeometry(x) },
      data: { scale: { role: 'table', data: Float32Array.of(scaleOf(x)) } },
      firings: output.rows.length,
      slots: [{ operand: 0, ...eachRow(x) }],
      output,
    },
  ];
}
