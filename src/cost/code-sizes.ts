/** Written by `npm run measure:code`: bytes of code by core and optimisation, from real builds. */
export interface CodeSizes {
  /** The run function and library code that every project has. */
  readonly base: number;
  /** A layer function and its parameter struct. */
  readonly layer: number;
  /** One kernel function. */
  readonly kernels: Readonly<Record<string, number>>;
}

export const CODE_SIZES: Readonly<Record<string, Readonly<Record<'speed' | 'size', CodeSizes>>>> = {
  'cortex-m4': {
    speed: { base: 200, layer: 90, kernels: { conv2d_s8: 500 } },
    size: { base: 200, layer: 120, kernels: { conv2d_s8: 600 } },
  },
};
