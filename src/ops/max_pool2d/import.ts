import type { TfliteImporter } from '../import-context.ts';
import { importPool } from '../pooling.ts';

export const importMaxPool2d: TfliteImporter<'MAX_POOL_2D'> = ({ options }, context) =>
  importPool('max_pool2d', options, context);
