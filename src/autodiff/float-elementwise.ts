/** Gradients on float32 of operators that work element by element, made of such operators themselves. */
import type { ClampAttributes, NodeAttributes, OpName } from '../ir/attributes.ts';
import type { ValueId } from '../ir/types.ts';
import { UNBOUNDED } from '../ops/float.ts';
import type { GradientContext, GradientRules } from './domain.ts';
import { float, scaled, summedTo } from './float-steps.ts';

type ElementwiseOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'maximum'
  | 'minimum'
  | 'prelu'
  | 'relu'
  | 'leaky_relu'
  | 'hard_swish'
  | 'logistic'
  | 'tanh';

/** Arithmetic on values as large as the result of a node. */
class Steps<K extends ElementwiseOp> {
  private readonly context: GradientContext<K>;

  constructor(context: GradientContext<K>) {
    this.context = context;
  }

  apply<Op extends OpName>(op: Op, attrs: NodeAttributes[Op], ...ins: readonly ValueId[]): ValueId {
    return this.context.emit(op, attrs, ins, float(this.context.out.shape));
  }

  add(a: ValueId, b: ValueId): ValueId {
    return this.apply('add', { clamp: UNBOUNDED }, a, b);
  }

  sub(a: ValueId, b: ValueId): ValueId {
    return this.apply('sub', { clamp: UNBOUNDED }, a, b);
  }

  mul(a: ValueId, b: ValueId): ValueId {
    return this.apply('mul', { clamp: UNBOUNDED }, a, b);
  }

  number(value: number): ValueId {
    return this.context.constant(float([1]), Float32Array.of(value));
  }

  scaled(id: ValueId, factor: number): ValueId {
    return scaled(this.context, id, this.context.out.shape, factor);
  }

  /** `error` where `x` is positive, else 0. */
  wherePositive(x: ValueId, error: ValueId): ValueId {
    return this.apply('clamp_gradient', { clamp: [0, Number.POSITIVE_INFINITY] }, x, error);
  }

  /** What the result's own clamp lets through. */
  beforeClamp({ clamp }: ClampAttributes): ValueId {
    const { error, out } = this.context;
    if (clamp[0] === UNBOUNDED[0] && clamp[1] === UNBOUNDED[1]) return error;
    return this.apply('clamp_gradient', { clamp }, out.id, error);
  }

  /** Contributes what `gradient` gives, summed over what was broadcast, if the operand wants it. */
  contribute(operand: number, gradient: () => ValueId): void {
    const { context } = this;
    if (!context.wants(operand)) return;
    context.contribute(operand, summedTo(context, gradient(), context.out, context.ins[operand]!.shape));
  }
}

/** max(a, b) and min(a, b): the operand that is it gets the gradient; b where they are equal. */
function extremum(context: GradientContext<'maximum' | 'minimum'>, a: ValueId, b: ValueId): void {
  const steps = new Steps(context);
  const ofFirst = steps.wherePositive(steps.sub(a, b), context.error);
  steps.contribute(0, () => ofFirst);
  steps.contribute(1, () => steps.sub(context.error, ofFirst));
}

export const FLOAT_ELEMENTWISE: Pick<GradientRules, ElementwiseOp> = {
  add(context) {
    const steps = new Steps(context);
    const error = steps.beforeClamp(context.attrs);
    steps.contribute(0, () => error);
    steps.contribute(1, () => error);
  },
  sub(context) {
    const steps = new Steps(context);
    const error = steps.beforeClamp(context.attrs);
    steps.contribute(0, () => error);
    steps.contribute(1, () => steps.scaled(error, -1));
  },
  mul(context) {
    const steps = new Steps(context);
    const error = steps.beforeClamp(context.attrs);
    steps.contribute(0, () => steps.mul(error, context.ins[1]!.id));
    steps.contribute(1, () => steps.mul(error, context.ins[0]!.id));
  },
  maximum: (context) => extremum(context, context.ins[0]!.id, context.ins[1]!.id),
  minimum: (context) => extremum(context, context.ins[1]!.id, context.ins[0]!.id),
  /** Of x: the slope where x is negative, 1 elsewhere; of the slope: x where it is negative. */
  prelu(context) {
    const steps = new Steps(context);
    const [x, slope] = [context.ins[0]!.id, context.ins[1]!.id];
    const positive = steps.wherePositive(x, context.error);
    const negative = steps.sub(context.error, positive);
    steps.contribute(0, () => steps.add(positive, steps.mul(negative, slope)));
    steps.contribute(1, () => steps.mul(negative, x));
  },
  relu(context) {
    context.contribute(0, new Steps(context).beforeClamp(context.attrs));
  },
  leaky_relu(context) {
    const steps = new Steps(context);
    const positive = steps.wherePositive(context.ins[0]!.id, context.error);
    const negative = steps.sub(context.error, positive);
    context.contribute(0, steps.add(positive, steps.scaled(negative, context.attrs.alpha)));
  },
  /** x * t / 6 with t = clamp(x + 3, 0, 6): t / 6, and x / 6 where t moves. */
  hard_swish(context) {
    const steps = new Steps(context);
    const x = context.ins[0]!.id;
    const gate = steps.apply('add', { clamp: [0, 6] }, x, steps.number(3));
    const moving = steps.apply('clamp_gradient', { clamp: [0, 6] }, gate, x);
    const slope = steps.scaled(steps.add(gate, moving), 1 / 6);
    context.contribute(0, steps.mul(context.error, slope));
  },
  /** y - y * y */
  logistic(context) {
    const steps = new Steps(context);
    const y = context.out.id;
    context.contribute(0, steps.mul(context.error, steps.sub(y, steps.mul(y, y))));
  },
  /** 1 - y * y */
  tanh(context) {
    const steps = new Steps(context);
    const y = context.out.id;
    context.contribute(0, steps.mul(context.error, steps.sub(steps.number(1), steps.mul(y, y))));
  },
};
