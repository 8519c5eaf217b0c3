import type { TfliteImporter } from '../import-context.ts';
import { importPool } from '../pooling.ts';

export const importAveragePool2d: TfliteImporter<'AVERAGE_POOL_2D'> = ({ options }, context) =>
  importPool('average_pool2d', options, context);
