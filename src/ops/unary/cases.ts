import type { Shape } from '../../ir/types.ts';
import { constant, int8, type OpCase, opCase } from '../case.ts';

/** Every raw value once, so that a case checks the whole table. */
const ALL: Shape = [1, 4, 8, 8];
/** The only types that logistic and tanh write. */
const LOGISTIC: [scale: number, zeroPoint: number] = [1 / 256, -128];
const TANH: [scale: number, zeroPoint: number] = [1 / 128, 0];

const relu: readonly OpCase[] = [
  opCase('same scale', 'relu', { clamp: [-10, 127] }, [int8(ALL, 0.05, -10)], int8(ALL, 0.05, -10)),
  opCase('rescaled', 'relu', { clamp: [-128, 127] }, [int8(ALL, 0.1, 5)], int8(ALL, 0.04, -128)),
  opCase('six', 'relu', { clamp: [-20, 100] }, [int8(ALL, 0.05, -20)], int8(ALL, 0.05, -20)),
  opCase(
    'one either way, batch 2',
    'relu',
    { clamp: [-19, 21] },
    [int8([2, 3, 5, 7], 0.1, 3)],
    int8([2, 3, 5, 7], 0.05, 1),
  ),
  opCase('vector', 'relu', { clamp: [127, 127] }, [int8([9], 0.05, 127)], int8([9], 0.05, 127)),
  opCase('rank 5', 'relu', { clamp: [0, 127] }, [int8([2, 2, 1, 3, 2])], int8([2, 2, 1, 3, 2])),
  opCase('constant input', 'relu', { clamp: [0, 127] }, [constant(int8([3, 4]), 1)], int8([3, 4])),
];

const LEAKY: readonly (readonly [name: string, alpha: number, x: [number, number], y: [number, number]])[] = [
  ['small slope', 0.1, [0.05, 0], [0.05, 0]],
  ['rescaled', 0.3, [0.07, -128], [0.03, 100]],
  ['slope above one', 1.7, [0.02, 127], [0.05, -3]],
  ['negative slope', -0.25, [0.05, 20], [0.04, -20]],
  ['slope zero', 0, [0.05, 3], [0.05, 3]],
];
const leaky_relu: readonly OpCase[] = LEAKY.map(([name, alpha, x, y]) =>
  opCase(name, 'leaky_relu', { alpha }, [int8(ALL, ...x)], int8(ALL, ...y)),
);

const SWISH: readonly (readonly [name: string, x: [number, number], y: [number, number]])[] = [
  ['usual range', [0.05, -3], [0.03, -115]],
  ['fine input', [0.003, 0], [0.003, -10]],
  ['coarse input', [0.3, -128], [0.3, -128]],
  ['very coarse input', [2.5, 127], [2, 127]],
  ['hardly any range', [0.0002, 4], [0.01, -4]],
];
const hard_swish: readonly OpCase[] = SWISH.map(([name, x, y]) =>
  opCase(name, 'hard_swish', {}, [int8(ALL, ...x)], int8(ALL, ...y)),
);

const INPUTS: readonly (readonly [name: string, scale: number, zeroPoint: number])[] = [
  ['usual range', 0.05, 0],
  ['saturates', 0.2, -20],
  ['very coarse', 7, 127],
  ['very fine', 0.0001, -128],
  ['one side alone', 0.03, 127],
];

function sigmoid(op: 'logistic' | 'tanh', output: [number, number]): readonly OpCase[] {
  return INPUTS.map(([name, scale, zeroPoint]) =>
    opCase(name, op, {}, [int8(ALL, scale, zeroPoint)], int8(ALL, ...output)),
  );
}

export const cases = {
  relu,
  leaky_relu,
  hard_swish,
  logistic: sigmoid('logistic', LOGISTIC),
  tanh: sigmoid('tanh', TANH),
};
