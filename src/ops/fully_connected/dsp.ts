/** The kernels of FULLY_CONNECTED for the DSP extension; see "Sums of products" in runtime/rivulet_dsp.h. */
import type { Value } from '../../ir/types.ts';
import { biasOf } from '../convolution.ts';
import type { CallSpec, Kernel, NodeView } from '../definition.ts';
import { fastRequantizeProblem, largestSum } from '../fast-requantize.ts';
import { multiplierConstants, zeroPointOf } from '../quantization.ts';
import { bindVectors } from './bind.ts';
import { fullyConnectedMultipliers } from './multipliers.ts';

/** Outputs that are computed together. */
const GROUP = 4;
/** Inputs in a word. */
const WORD = 4;
/** Products are summed in units of 1/256 in int32. */
const UNIT = 256;
const LARGEST_SUM = 2 ** 31 / UNIT;
/** Inputs at even places are multiplied less this, so that pairs of int16 just hold them. */
const EVEN_OFFSET = 127;

export const fullyConnectedDspKernels: readonly Kernel<'fully_connected'>[] = [
  {
    name: 'fully_connected_dsp_wide_s8',
    isa: 'dsp',
    why: 'four outputs at a time share inputs that were widened once',
    roomy: true,
    shared: true,
    refuses: problem,
    bind: (view) => bindGroups(view, 2 * WORD * Math.ceil(shapeOf(view).inputs / WORD)),
  },
  {
    name: 'fully_connected_dsp_s8',
    isa: 'dsp',
    why: 'four outputs at a time share every input they widen',
    shared: true,
    refuses: problem,
    bind: (view) => bindGroups(view, 0),
  },
];

function problem(view: NodeView<'fully_connected'>): string | undefined {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const { inputs, outputs } = shapeOf(view);
  if (outputs < GROUP) return `fewer than ${GROUP} outputs`;
  const data = weights.data as Int8Array;
  const unpackable = data.some((weight, i) => weight === -128 && (i % inputs) % 2 === 0);
  if (unpackable) return 'a weight of -128 does not fit into a pair';
  const products = largestProducts(data, outputs);
  if (products >= LARGEST_SUM) return `sums of products reach ${products}, too large for 24 bits`;
  const { multiplier, shift } = multiplierConstants(fullyConnectedMultipliers(x, weights, view.outs[0]!));
  return fastRequantizeProblem(
    largestSum(data, biasOf(bias, outputs), zeroPointOf(x)),
    multiplier.data as Int32Array,
    shift.data as Int8Array,
  );
}

/** The largest |sum of w * x| over all outputs and any int8 x, less `EVEN_OFFSET` at even places. */
function largestProducts(weights: Int8Array, outputs: number): number {
  const inputs = weights.length / outputs;
  let most = 0;
  for (let o = 0; o < outputs; ++o) {
    let [least, greatest] = [0, 0];
    for (let i = 0; i < inputs; ++i) {
      const offset = i % 2 === 0 ? EVEN_OFFSET : 0;
      const weight = weights[o * inputs + i]!;
      const [a, b] = [weight * (-128 - offset), weight * (127 - offset)];
      least += Math.min(a, b);
      greatest += Math.max(a, b);
    }
    most = Math.max(most, -least, greatest);
  }
  return most;
}

function bindGroups(view: NodeView<'fully_connected'>, scratchBytes: number): CallSpec[] {
  const [x, weights, bias] = view.ins as [Value, Value, Value | null | undefined];
  const { outputs } = shapeOf(view);
  const packed = packGroups(weights.data as Int8Array, biasOf(bias, outputs), zeroPointOf(x));
  const call = bindVectors(view, { weights: { role: 'weights', data: packed } });
  return [scratchBytes === 0 ? call : { ...call, scratchBytes }];
}

/**
 * For each group of outputs: for each word of inputs a word of weights for each output, two int16, 256 w[i] + w[i + 1] and
 * 256 w[i + 2] + w[i + 3], zeros beyond the last input; then twice their biases, with zero point and `EVEN_OFFSET` folded
 * in. The last group overlaps the one before it where the outputs are no multiple of a group.
 */
function packGroups(weights: Int8Array, bias: Int32Array, zeroPoint: number): Int32Array {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const words = Math.ceil(inputs / WORD);
  const packed = new Int32Array(Math.ceil(outputs / GROUP) * GROUP * (words + 1));
  for (let row = 0; row * (words + 1) < packed.length; ++row) {
    const member = row % GROUP;
    const o = Math.min(row - member, outputs - GROUP) + member;
    const start = (row - member) * (words + 1) + member;
    const weight = (i: number): number => (i < inputs ? weights[o * inputs + i]! : 0);
    let sum = bias[o]!;
    for (let word = 0; word < words; ++word) {
      const i = word * WORD;
      const [even, odd] = [weight(i) + weight(i + 2), weight(i + 1) + weight(i + 3)];
      const [low, high] = [UNIT * weight(i) + weight(i + 1), UNIT * weight(i + 2) + weight(i + 3)];
      packed[start + word * GROUP] = (low & 0xffff) | (high << 16);
      sum += (EVEN_OFFSET - zeroPoint) * even - zeroPoint * odd;
    }
    packed[start + words * GROUP] = 2 * sum;
  }
  return packed;
}

function shapeOf({ ins }: NodeView<'fully_connected'>): { inputs: number; outputs: number } {
  const [outputs, inputs] = ins[1]!.shape as [number, number];
  return { inputs, outputs };
}
