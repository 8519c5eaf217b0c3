/** Derivatives of operators that map one byte to one byte. */
import type { NodeAttributes } from '../ir/attributes.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Node, Value } from '../ir/types.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';

/** Fraction bits of a derivative: 127 stands for almost 2, and no activation is steeper. */
const FRACTION = 6;

/** dy/dx in real numbers, by real x; undefined for operators that are no function of one element. */
function derivativeOf(node: Node, y: Value): ((x: number) => number) | undefined {
  switch (node.op) {
    case 'relu': {
      const [lowest, highest] = node.attrs.clamp.map((raw) => (raw - zeroPointOf(y)) * scaleOf(y)) as [
        number,
        number,
      ];
      return (x) => (x > lowest && x < highest ? 1 : 0);
    }
    case 'leaky_relu':
      return (x) => (x > 0 ? 1 : node.attrs.alpha);
    case 'hard_swish':
      return (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6);
    case 'logistic':
      return (x) => 1 / (2 + Math.exp(x) + Math.exp(-x));
    case 'tanh':
      return (x) => 1 - Math.tanh(x) ** 2;
    case 'quantize':
      return () => 1;
    default:
      return undefined;
  }
}

/** The table of `unary_gradient` for a node, or null. */
export function derivativeTable(builder: GraphBuilder, node: Node): NodeAttributes['unary_gradient'] | null {
  const y = builder.value(node.outs[0]!);
  const slope = derivativeOf(node, y);
  const x = builder.value(node.ins[0]!);
  if (slope === undefined || x.dtype !== 'int8') return null;
  const derivative = Array.from({ length: 256 }, (_, i) => {
    const real = (i - 128 - zeroPointOf(x)) * scaleOf(x);
    return Math.max(-127, Math.min(127, Math.round(slope(real) * 2 ** FRACTION)));
  });
  return { derivative, fraction: FRACTION };
}

/** The table of a function of the byte itself that is 0 or 1. */
export function stepTable(isOne: (raw: number) => boolean): NodeAttributes['unary_gradient'] {
  const derivative = Array.from({ length: 256 }, (_, i) => (isOne(i - 128) ? 2 ** FRACTION : 0));
  return { derivative, fraction: FRACTION };
}
