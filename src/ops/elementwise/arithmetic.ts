/**
 * What each operator computes from two int8 elements. docs/numerics.md, section 3; where TFLite and TFLM choose another
 * float width for a multiplier, TFLM's is taken.
 */
import { clamp, type Multiplier, quantizeMultiplier, requantize } from '../../core/fixedpoint.ts';
import type { ClampAttributes } from '../../ir/attributes.ts';
import type { TensorType } from '../../ir/types.ts';
import { clampProblem, sameQuantizationProblem } from '../bytes.ts';
import type { Problem } from '../definition.ts';
import { firstProblem, multiplierProblem, scaleOf, zeroPointOf } from '../quantization.ts';

export type ElementwiseOp = 'add' | 'sub' | 'mul' | 'maximum' | 'minimum' | 'prelu';

/** Types of the operands and the result, and the bounds of the result. */
export interface Operands {
  readonly a: TensorType;
  readonly b: TensorType;
  readonly y: TensorType;
  readonly attrs: Partial<ClampAttributes>;
}

export interface Arithmetic {
  /** What is wrong with scales or bounds, given int8 operands. */
  problem(operands: Operands): Problem | undefined;
  /** Geometry fields of the kernel beyond the shape. */
  parameters(operands: Operands): Readonly<Record<string, number>>;
  /** The result of raw elements a and b. */
  evaluate(operands: Operands): (a: number, b: number) => number;
}

/** Inputs are scaled up by 2^20 before they are brought to a common scale. */
export const INPUT_SCALE = 1 << 20;
const FULL = [-128, 127] as const;

/** y = clamp(MBQM(v_a ± v_b, Mo, so) + Z_out), v = MBQM((q - Z) * 2^20, M, s); scales by `round` after every step. */
function sum(sign: 1 | -1, round: (x: number) => number): Arithmetic {
  const multipliers = (operands: Operands) => sumMultipliers(operands, round);
  return {
    problem(operands) {
      const { out } = multipliers(operands);
      const tooFine = !(quantizeMultiplier(Math.min(out, 2)).shift <= 0);
      return firstProblem(
        clampProblem(operands.attrs.clamp ?? FULL),
        multiplierProblem(Object.values(multipliers(operands))),
        tooFine
          ? {
              code: 'RV2004',
              message: `the output's scale is ${out * INPUT_SCALE} times finer than the inputs'`,
            }
          : undefined,
      );
    },
    parameters(operands) {
      const { a, b, out } = multipliers(operands);
      return {
        ...zeroPoints(operands),
        ...named('a', quantizeMultiplier(a)),
        ...named('b', quantizeMultiplier(b)),
        ...named('out', quantizeMultiplier(out)),
        ...bounds(operands),
      };
    },
    evaluate(operands) {
      const { a, b, out } = multipliers(operands);
      const [scaleA, scaleB, scaleOut] = [a, b, out].map(quantizeMultiplier) as [
        Multiplier,
        Multiplier,
        Multiplier,
      ];
      const [zeroA, zeroB, zeroOut] = [operands.a, operands.b, operands.y].map(zeroPointOf) as [
        number,
        number,
        number,
      ];
      const [lowest, highest] = operands.attrs.clamp ?? FULL;
      return (qa, qb) => {
        const va = requantize((qa - zeroA) * INPUT_SCALE, scaleA);
        const vb = requantize((qb - zeroB) * INPUT_SCALE, scaleB);
        return clamp(requantize(va + sign * vb, scaleOut) + zeroOut, lowest, highest);
      };
    },
  };
}

/** Of both operands, at most 1/2, and of the sum; scales are rounded by `round` after every step. */
export function sumMultipliers(
  { a, b, y }: Operands,
  round = (x: number): number => x,
): { a: number; b: number; out: number } {
  const twice = round(2 * Math.max(scaleOf(a), scaleOf(b)));
  return {
    a: round(scaleOf(a) / twice),
    b: round(scaleOf(b) / twice),
    out: round(twice / round(INPUT_SCALE * scaleOf(y))),
  };
}

/** y = clamp(MBQM((a - Z_a) * (b - Z_b), M, s) + Z_out), m = S_a * S_b / S_out. */
const product: Arithmetic = {
  problem(operands) {
    return firstProblem(
      clampProblem(operands.attrs.clamp ?? FULL),
      multiplierProblem([productMultiplier(operands)]),
    );
  },
  parameters(operands) {
    return {
      ...zeroPoints(operands),
      ...named('out', quantizeMultiplier(productMultiplier(operands))),
      ...bounds(operands),
    };
  },
  evaluate(operands) {
    const multiplier = quantizeMultiplier(productMultiplier(operands));
    const [zeroA, zeroB, zeroOut] = [operands.a, operands.b, operands.y].map(zeroPointOf) as [
      number,
      number,
      number,
    ];
    const [lowest, highest] = operands.attrs.clamp ?? FULL;
    return (a, b) => clamp(requantize((a - zeroA) * (b - zeroB), multiplier) + zeroOut, lowest, highest);
  },
};

/** With d = a - Z_a: MBQM(d, S_a / S_out) for d >= 0, else MBQM(d * (b - Z_b), S_a * S_b / S_out); b is the slope. */
const slope: Arithmetic = {
  problem(operands) {
    return firstProblem(
      multiplierProblem([identityMultiplier(operands) * 2 ** 16]),
      productProblem(operands),
    );
  },
  parameters(operands) {
    return {
      ...zeroPoints(operands),
      ...named('positive', quantizeMultiplier(identityMultiplier(operands))),
      ...named('negative', quantizeMultiplier(productMultiplier(operands))),
    };
  },
  evaluate(operands) {
    const positive = quantizeMultiplier(identityMultiplier(operands));
    const negative = quantizeMultiplier(productMultiplier(operands));
    const [zeroA, zeroB, zeroOut] = [operands.a, operands.b, operands.y].map(zeroPointOf) as [
      number,
      number,
      number,
    ];
    return (a, b) => {
      const d = a - zeroA;
      const scaled = d >= 0 ? requantize(d, positive) : requantize(d * (b - zeroB), negative);
      return clamp(scaled + zeroOut, -128, 127);
    };
  },
};

/** Raw values are compared, so all three tensors must be quantised alike. */
function extremum(pick: (a: number, b: number) => number): Arithmetic {
  return {
    problem({ a, b, y }) {
      return firstProblem(
        sameQuantizationProblem(a, y, 'the first input', 'the output'),
        sameQuantizationProblem(b, y, 'the second input', 'the output'),
      );
    },
    parameters: () => ({}),
    evaluate: () => pick,
  };
}

export const ARITHMETIC: { readonly [K in ElementwiseOp]: Arithmetic } = {
  add: sum(1, (x) => x),
  sub: sum(-1, Math.fround),
  mul: product,
  maximum: extremum(Math.max),
  minimum: extremum(Math.min),
  prelu: slope,
};

/** Products have 16 bits; what they scale to needs room for the zero point. */
function productProblem(operands: Operands): Problem | undefined {
  return multiplierProblem([productMultiplier(operands) * 2 ** 16]);
}

export function productMultiplier({ a, b, y }: Operands): number {
  return (scaleOf(a) * scaleOf(b)) / scaleOf(y);
}

function identityMultiplier({ a, y }: Operands): number {
  return scaleOf(a) / scaleOf(y);
}

export function zeroPoints({ a, b, y }: Operands): Record<string, number> {
  return { a_zero_point: zeroPointOf(a), b_zero_point: zeroPointOf(b), out_zero_point: zeroPointOf(y) };
}

export function bounds({ attrs }: Operands): Record<string, number> {
  const [lowest, highest] = attrs.clamp ?? FULL;
  return { out_min: lowest, out_max: highest };
}

function named(name: string, { multiplier, shift }: Multiplier): Record<string, number> {
  return { [`${name}_multiplier`]: multiplier, [`${name}_shift`]: shift };
}
