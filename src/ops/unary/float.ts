import type { ClampAttributes, NodeAttributes } from '../../ir/attributes.ts';
import { elementCount } from '../../ir/types.ts';
import { at } from '../conv2d/float.ts';
import type { NodeView, OpDef, Problem } from '../definition.ts';
import { type FloatMeaning, floatKernel, operandsProblem, shapeProblem } from '../float.ts';
import { clampReal } from '../taps.ts';

type UnaryOp = 'relu' | 'logistic' | 'tanh' | 'hard_swish' | 'leaky_relu';

interface UnaryFunction<K extends UnaryOp> {
  /** Its number in activation_f32. */
  readonly number: number;
  evaluate(x: number, attrs: NodeAttributes[K]): number;
  parameters(attrs: NodeAttributes[K]): Iterable<number>;
}

const FUNCTIONS: { readonly [K in UnaryOp]: UnaryFunction<K> } = {
  relu: {
    number: 0,
    evaluate: (x, { clamp }: ClampAttributes) => clampReal(x, clamp),
    parameters: ({ clamp }: ClampAttributes) => clamp,
  },
  logistic: { number: 1, evaluate: (x) => 1 / (1 + Math.exp(-x)), parameters: () => [0] },
  tanh: { number: 2, evaluate: Math.tanh, parameters: () => [0] },
  hard_swish: {
    number: 3,
    evaluate: (x) => (x * clampReal(x + 3, [0, 6])) / 6,
    parameters: () => [0],
  },
  leaky_relu: {
    number: 4,
    evaluate: (x, { alpha }) => (x < 0 ? x * alpha : x),
    parameters: ({ alpha }) => [alpha],
  },
};

/** A function of one float32 element. */
export function unaryFloat<K extends UnaryOp>(name: K): FloatMeaning<K> {
  const { number, evaluate, parameters }: UnaryFunction<K> = FUNCTIONS[name];
  return {
    verify: sameShapes,
    reference({ attrs, ins, outs }) {
      const [x, y] = [ins[0]!, outs[0]!];
      for (let i = 0; i < y.data.length; ++i) y.data[i] = evaluate(at(x, i), attrs);
    },
    kernels: [
      floatKernel('activation_f32', 'element by element', ({ attrs, outs }) => ({
        geometry: { function: number, size: elementCount(outs[0]!.shape) },
        data: { numbers: parameters(attrs) },
      })),
    ],
  };
}

function sameShapes(view: NodeView<UnaryOp>): Problem | undefined {
  return operandsProblem(view, 1) ?? shapeProblem(view.outs[0]!, view.ins[0]!.shape);
}

export const clampGradient: OpDef<'clamp_gradient'> = {
  name: 'clamp_gradient',
  verify: (view) =>
    operandsProblem(view, 2) ??
    shapeProblem(view.ins[1]!, view.ins[0]!.shape) ??
    shapeProblem(view.outs[0]!, view.ins[0]!.shape),
  macs: () => 0,
  /** dy where lowest < y < highest, or y is not a number; else 0. */
  reference({ attrs: { clamp }, ins, outs }) {
    const [y, dy, dx] = [ins[0]!, ins[1]!, outs[0]!];
    for (let i = 0; i < dx.data.length; ++i) {
      dx.data[i] = at(y, i) <= clamp[0] || at(y, i) >= clamp[1] ? 0 : at(dy, i);
    }
  },
  kernels: [
    floatKernel('clamp_gradient_f32', 'element by element', ({ attrs, outs }) => ({
      geometry: { size: elementCount(outs[0]!.shape) },
      data: { bounds: attrs.clamp },
    })),
  ],
};
