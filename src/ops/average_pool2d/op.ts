import type { OpDef } from '../definition.ts';
import { poolProblem } from '../pooling.ts';
import { averagePool2dKernels } from './kernels.ts';
import { averagePool2dReference } from './reference.ts';

export const averagePool2d: OpDef<'average_pool2d'> = {
  name: 'average_pool2d',
  verify: poolProblem,
  macs: () => 0,
  reference: averagePool2dReference,
  kernels: averagePool2dKernels,
};
