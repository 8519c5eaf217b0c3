import { INT32_MAX } from '../../core/fixedpoint.ts';
import type { ReferenceView, Tensor } from '../definition.ts';
import { scaleOf } from '../quantization.ts';
import { exponentials, FRACTION_BITS, logitStep } from './table.ts';

/** Fraction bits of the loss, of its logarithm to base 2, and of ln 2. */
const LOSS_BITS = 16;
const LOG_BITS = 20;
const LN2_BITS = 30;
const LN2 = Math.round(Math.LN2 * 2 ** LN2_BITS);

interface Softmax {
  readonly values: Int8Array;
  readonly largest: number;
  /** exp(scale * (q - largest)) by logit, 24 fraction bits. */
  readonly exponentials: readonly number[];
  readonly sum: number;
}

function softmaxOf(logits: Tensor): Softmax {
  const values = logits.data as Int8Array;
  const table = exponentials(scaleOf(logits));
  const largest = values.reduce((most, value) => Math.max(most, value));
  const terms = Array.from(values, (value) => table[largest - value]!);
  return { values, largest, exponentials: terms, sum: terms.reduce((total, term) => total + term, 0) };
}

/** -ln(softmax(scale * q)[label]) with 16 fraction bits, rounded and saturated, as float32; -1 for a label outside. */
export function lossReference({ ins, outs }: ReferenceView<'softmax_cross_entropy_loss'>): void {
  const [logits, label] = [ins[0]!, Number(ins[1]!.data[0]!)];
  const { values, largest, sum } = softmaxOf(logits);
  if (label < 0 || label >= values.length) {
    outs[0]!.data[0] = -1;
    return;
  }
  const distance = Math.floor(((largest - values[label]!) * logitStep(scaleOf(logits)) + 128) / 256);
  outs[0]!.data[0] = Math.fround(Math.min(logarithm(sum) + distance, INT32_MAX)) / 2 ** LOSS_BITS;
}

/** ln(sum / 2^24) with 16 fraction bits, for 2^24 <= sum < 2^40: log2 bit by bit, each from a square. */
function logarithm(sum: number): number {
  const exponent = Math.floor(Math.log2(sum));
  let mantissa = BigInt(Math.floor(sum * 2 ** (30 - exponent)));
  let log = BigInt(exponent - FRACTION_BITS);
  for (let bit = 0; bit < LOG_BITS; ++bit) {
    mantissa = (mantissa * mantissa) >> 30n;
    const carry = mantissa >> 31n;
    mantissa >>= carry;
    log = 2n * log + carry;
  }
  const surplus = BigInt(LOG_BITS + LN2_BITS - LOSS_BITS);
  return Number((log * BigInt(LN2) + (1n << (surplus - 1n))) >> surplus);
}

/** softmax - (1 at the label) with 24 fraction bits, of all logits; zeros for a label outside. */
export function accumulatorsOf(logits: Tensor, label: number): number[] {
  const { values, exponentials, sum } = softmaxOf(logits);
  if (label < 0 || label >= values.length) return exponentials.map(() => 0);
  const one = 2 ** FRACTION_BITS;
  return exponentials.map(
    (e, j) => Math.floor((e * one + Math.floor(sum / 2)) / sum) - (j === label ? one : 0),
  );
}
