import type { TfliteImporter } from '../import-context.ts';

export const importResizeNearest: TfliteImporter<'RESIZE_NEAREST_NEIGHBOR'> = ({ options }, context) => {
  const { alignCorners, halfPixelCenters } = options;
  context.node(
    'resize_nearest',
    { alignCorners, halfPixelCenters },
    [context.operand(0)],
    [context.result()],
  );
};

export const importResizeBilinear: TfliteImporter<'RESIZE_BILINEAR'> = ({ options }, context) => {
  const { alignCorners, halfPixelCenters } = options;
  context.node(
    'resize_bilinear',
    { alignCorners, halfPixelCenters },
    [context.operand(0)],
    [context.result()],
  );
};
