import { elementCount } from '../../ir/types.ts';
import type { CallSpec, NodeView, OpDef, Problem, ReferenceView } from '../definition.ts';
import { factorsOf } from '../factors.ts';
import { exponentOf, gradientProblem, gradientScaleProblem, storeGradient, wholeSlot } from '../gradient.ts';
import { firstProblem } from '../quantization.ts';
import { wholeTensor } from '../rows.ts';

type View = NodeView<'mean_gradient'>;

/** Operands: g, its scale, scale of the result. */
export const meanGradient: OpDef<'mean_gradient'> = {
  name: 'mean_gradient',
  verify,
  mutates: [2],
  macs: () => 0,
  reference,
  kernels: [
    {
      name: 'mean_gradient_s8',
      isa: 'portable',
      shared: true,
      why: 'every pixel has the same share',
      refuses: () => undefined,
      bind: (view) => [bind(view)],
    },
  ],
};

function verify({ ins, outs }: View): Problem | undefined {
  const [g, gScale, scale] = ins;
  const dx = outs[0]!;
  if (!g || dx.shape.length !== 4 || elementCount(g.shape) !== dx.shape[3] || dx.shape[0] !== 1) {
    return { code: 'RV2005', message: `a gradient [${g?.shape}] of the mean of an image [${dx.shape}]` };
  }
  return firstProblem(
    gradientProblem(g, g.shape),
    gradientProblem(dx, dx.shape),
    gradientScaleProblem(gScale),
    gradientScaleProblem(scale),
  );
}

/** 1 / pixels as factor * 2^-fraction; exact for a power of two. */
function share(pixels: number): { factor: number; fraction: number } {
  const exact = Math.log2(pixels);
  if (Number.isInteger(exact)) return { factor: 1, fraction: exact };
  const { factors, fraction } = factorsOf([1 / pixels], 1);
  return { factor: factors[0]!, fraction };
}

/** A = g[c] * factor for every pixel of channel c, exponent that of g less the fraction bits. */
function reference({ ins, outs }: ReferenceView<'mean_gradient'>): void {
  const [g, gScale, scale] = ins;
  const dx = outs[0]!;
  const channels = g!.data.length;
  const { factor, fraction } = share(dx.data.length / channels);
  const sums = Array.from(dx.data as Int8Array, (_, i) => Number(g!.data[i % channels]!) * factor);
  storeGradient(sums, exponentOf(gScale!) - fraction, dx, scale!);
}

function bind({ ins, outs }: View): CallSpec {
  const dx = outs[0]!;
  const channels = dx.shape[3]!;
  const pixels = elementCount(dx.shape) / channels;
  return {
    geometry: { pixels, channels, ...share(pixels) },
    data: {},
    firings: 1,
    slots: [0, 1, 2].map((operand) => wholeSlot(ins, operand)),
    output: wholeTensor(dx),
  };
}
