/**
 * The layers that `npm run bench:kernels` measures, and what a study of hand-written kernels reached on the same shapes
 * before this code existed. Four rows each, of the widths that networks for microcontrollers have.
 */
import type { OpCase } from '../../src/ops/case.ts';
import { add, convolution, dense, depthwise, mean, pool, scale } from './layers.ts';

export interface KernelShape {
  readonly layer: OpCase;
  /** What instructions are divided by. */
  readonly unit: 'MAC' | 'element';
  /** Instructions a unit in the study, by core: for one row, without what a layer does for each row. */
  readonly study?: Readonly<Record<string, string>>;
  /** Measured on cores without special instructions too. */
  readonly everywhere?: boolean;
}

const ROWS = 4;

type Study = readonly [m4: string, m55?: string];

const studied = (study: Study | undefined) =>
  study && {
    study: { 'cortex-m4': study[0], ...(study[1] !== undefined && { 'cortex-m55': study[1] }) },
  };

function pointwise(from: number, to: number, width: number, study: Study): KernelShape {
  const relu = to >= from;
  const name = `1x1 ${from}→${to}, ${width} wide${relu ? '' : ', linear'}`;
  return {
    layer: convolution({ name, rows: ROWS, width, from, to, relu }),
    unit: 'MAC',
    ...studied(study),
  };
}

function window(side: number, stride: number, width: number, to: number, study?: Study): KernelShape {
  const name = `depthwise ${side}x${side}${stride > 1 ? ` stride ${stride}` : ''}, ${width} wide, ${to} channels`;
  return {
    layer: depthwise({ name, rows: ROWS, width, to, side, stride }),
    unit: 'MAC',
    ...studied(study),
  };
}

function square(from: number, to: number, width: number, study?: Study): KernelShape {
  const stride = from === 3 ? 2 : 1;
  const name = `3x3 ${from}→${to}${stride > 1 ? ' stride 2' : ''}, ${width} wide`;
  return {
    layer: convolution({ name, rows: ROWS, width, from, to, side: 3, stride }),
    unit: 'MAC',
    ...studied(study),
  };
}

const plane = { rows: ROWS, width: 20, to: 24 };

const everywhere = (shape: KernelShape): KernelShape => ({ ...shape, everywhere: true });

/** Of two figures of the study the first is specialised for the shape, the second reads it at run time. */
export const KERNEL_SHAPES: readonly KernelShape[] = [
  pointwise(8, 48, 40, ['1.468, 1.899', '0.557']),
  everywhere(pointwise(16, 48, 20, ['1.154, 1.367', '0.279'])),
  pointwise(48, 16, 20, ['1.036, 1.126', '0.244']),
  pointwise(24, 144, 10, ['1.091, 1.331', '0.392']),
  everywhere(pointwise(144, 24, 10, ['0.977, 1.051', '0.214'])),
  pointwise(40, 240, 5, ['1.056, 1.167', '0.403']),
  pointwise(240, 40, 5, ['0.979, 0.996', '0.261']),
  pointwise(96, 480, 9, ['0.940, 0.969', '0.234']),
  pointwise(480, 96, 9, ['0.909, 0.910', '0.201']),
  pointwise(64, 64, 25, ['0.951, 0.990', '0.221']),
  window(3, 1, 40, 16, ['1.733', '0.55 to 1.0']),
  everywhere(window(3, 1, 20, 48, ['1.661', '0.55 to 1.0'])),
  window(3, 2, 20, 48, ['1.994', '0.55 to 1.0']),
  window(3, 1, 10, 144, ['1.669', '0.55 to 1.0']),
  window(3, 1, 5, 240, ['1.782', '0.55 to 1.0']),
  window(3, 1, 3, 480, ['1.892', '0.55 to 1.0']),
  window(5, 1, 10, 144, ['1.285', '0.36 to 0.47']),
  window(5, 2, 3, 240, ['1.615', '0.36 to 0.47']),
  window(7, 2, 5, 144, ['1.270', '0.28 to 0.38']),
  everywhere(window(7, 1, 5, 240, ['1.127', '0.28 to 0.38'])),
  window(7, 1, 3, 288, ['1.300', '0.28 to 0.38']),
  everywhere(square(3, 16, 40, ['1.147; 0.980 with int16 weights'])),
  everywhere(square(16, 16, 32, ['0.934; Winograd 0.617'])),
  square(32, 32, 16, ['Winograd 0.546']),
  square(64, 64, 8, ['0.863; Winograd 0.507']),
  everywhere({
    layer: dense({ name: 'fully connected 640→128', rows: 1, from: 640, to: 128 }),
    unit: 'MAC',
    ...studied(['1.167']),
  }),
  {
    layer: dense({ name: 'fully connected 64→12, linear', rows: 1, from: 64, to: 12, relu: false }),
    unit: 'MAC',
    ...studied(['1.445']),
  },
  everywhere({
    layer: add({ name: 'add, 20 wide, 24 channels', ...plane }),
    unit: 'element',
    ...studied(['9.6 with a table, 15.3 without']),
  }),
  { layer: scale({ name: 'multiply by channel, 20 wide, 24 channels', ...plane }), unit: 'element' },
  {
    layer: pool('average_pool2d', { name: 'average 2x2, 20 wide, 24 channels', ...plane, side: 2 }),
    unit: 'element',
  },
  {
    layer: pool('max_pool2d', { name: 'maximum 2x2, 20 wide, 24 channels', ...plane, side: 2 }),
    unit: 'element',
  },
  { layer: mean({ name: 'mean over 4x20, 24 channels', ...plane }), unit: 'element' },
];
