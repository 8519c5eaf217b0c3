/**
 * What the instructions of a layer grow with, read off its call alone, so that a kernel that was added yesterday can be
 * measured and estimated today.
 *
 * A term is a product of factors, `rows*width/4*depth`. A factor is one of
 * - a quantity of `Work`: `width`;
 * - a quantity over a divisor, rounded up (`width/4`) or down (`width:4`): tiles of four pixels, or full ones;
 * - its remainder, `width%4`, or whether that has a value, `width%4=1`: what is left for smaller tiles;
 * - whether a field of the call's geometry has a value, `field=value`.
 */
import type { Call } from '../program/types.ts';

/** Means over the rows of a call, but for `rows` itself. */
export interface Work {
  /** Firings. */
  readonly rows: number;
  /** Pixels and channels of an output row. */
  readonly width: number;
  readonly channels: number;
  /** Elements of an output row, 0 where a firing writes none. */
  readonly outputs: number;
  /** Multiply-accumulates an output element, as if no row were padding. */
  readonly depth: number;
  /** The same without rows that are padding. */
  readonly live: number;
  /** Input rows that are not padding, and their bytes. */
  readonly taps: number;
  readonly inputs: number;
}

/** A call, with what it needs worked out once. */
export interface WorkingCall {
  readonly work: Work;
  readonly geometry: Readonly<Record<string, number>>;
}

export function workingCall(call: Call): WorkingCall {
  const { firings: rows, geometry, slots, output } = call;
  const taps = mean(slots, rows, () => 1);
  const width = widthOf(call);
  const written = output.rows.reduce((sum, row) => sum + (row < 0 ? 0 : 1), 0);
  const elements = output.rowBytes * written;
  const depth = elements === 0 ? 0 : call.macs / elements;
  return {
    work: {
      ...{ rows, width, taps, depth },
      channels: output.rowBytes / width,
      outputs: elements / rows,
      live: slots.length === 0 ? depth : (depth * taps) / slots.length,
      inputs: mean(slots, rows, ({ rowBytes }) => rowBytes),
    },
    geometry,
  };
}

/**
 * Pixels of an output row as the kernel sees them: an element-wise one may take a row for a single pixel. Not from the
 * tensor's shape, which a streamed call does not have.
 */
function widthOf({ geometry, output }: Call): number {
  const width = geometry.out_width ?? geometry.width ?? 1;
  return output.rowBytes % width === 0 ? width : 1;
}

/** The sum of `value` over the slots that have a row, a firing. */
function mean(slots: Call['slots'], firings: number, value: (slot: Call['slots'][number]) => number): number {
  let sum = 0;
  for (const slot of slots) for (const row of slot.rows) if (row >= 0) sum += value(slot);
  return sum / firings;
}

const FACTOR = /^(\w+)(?:([/:%])(\d+))?(?:=(-?\d+))?$/;

/** The value of a term; 1 for the empty one. */
export function termValue(term: string, call: WorkingCall): number {
  return term.split('*').reduce((product, factor) => product * factorValue(factor, call), 1);
}

function factorValue(factor: string, { work, geometry }: WorkingCall): number {
  if (factor === '') return 1;
  const [, name, operator, divisor, wanted] = FACTOR.exec(factor)!;
  const value = parted(work[name as keyof Work] ?? geometry[name!]!, operator, Number(divisor));
  return wanted === undefined ? value : Number(value === Number(wanted));
}

function parted(quantity: number, operator: string | undefined, divisor: number): number {
  if (operator === '/') return Math.ceil(quantity / divisor);
  if (operator === ':') return Math.floor(quantity / divisor);
  return operator === '%' ? quantity % divisor : quantity;
}
