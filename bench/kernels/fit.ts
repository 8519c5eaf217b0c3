/** From measured calls of one kernel to the few terms of src/cost/work.ts that explain them. */
import type { KernelCost } from '../../src/cost/instructions.ts';
import { termValue, type WorkingCall, workingCall } from '../../src/cost/work.ts';
import { leastSquares } from '../code-size/fit.ts';
import type { MeasuredCall } from './measure.ts';

/** A term is kept only if it takes this share of the squared error away. */
const WORTHWHILE = 0.06;
const MOST_TERMS = 9;
/** Measurements for each term. */
const EVIDENCE = 3;
/** Below this mean error, relative, nothing is left to explain. */
const GOOD_ENOUGH = 0.003;
/** Instructions that count as nothing: without it the smallest layers would decide. */
const TRIFLE = 2000;

const PIXELS = [
  '',
  'width',
  'width/2',
  'width/4',
  'width:4',
  'width%4',
  'width%4=1',
  'width%4=2',
  'width%4=3',
  'width%2',
];
const CHANNELS = ['', 'channels', 'channels/2', 'channels/4', 'channels/16'];
const DEPTHS = ['', 'depth', 'live', 'depth/4', 'depth/16', 'taps'];

/** Terms that may explain any kernel. */
const PRODUCTS = PIXELS.flatMap((p) => CHANNELS.flatMap((c) => DEPTHS.map((d) => product('rows', p, c, d))));
const TERMS = ['', 'outputs', 'rows*inputs', 'rows*inputs*channels', 'rows*outputs', ...PRODUCTS];

/** What a condition of the geometry may make dearer. */
const CONDITIONAL = [
  'rows',
  'rows*width',
  'rows*inputs',
  'rows*width*depth',
  'rows*channels*depth',
  'rows*width*channels',
  'rows*width*channels*depth',
];

/** A field with more values than these is a size, not a mode. */
const MOST_MODES = 4;
/** Sizes and mere numbers, whatever values they have; that a size is 1 matters, loops over it are gone. */
const NO_MODE = /channels$|(?<!kernel_)width$|inputs$|outputs$|zero_point$|multiplier$|shift$|min$|max$/;

function product(...factors: readonly string[]): string {
  return factors.filter((factor) => factor !== '').join('*');
}

/** `field=value` for every mode that some of the calls are in and others are not. */
function conditionsOf(calls: readonly WorkingCall[]): string[] {
  return Object.keys(calls[0]!.geometry).flatMap((field) => {
    const values = [...new Set(calls.map(({ geometry }) => geometry[field]!))];
    const modes = values.length > 1 && values.length <= MOST_MODES && !NO_MODE.test(field) ? values : [1];
    return modes
      .filter((value) => {
        const held = calls.filter(({ geometry }) => geometry[field] === value).length;
        return held >= EVIDENCE && calls.length - held >= EVIDENCE;
      })
      .map((value) => `${field}=${value}`);
  });
}

interface Fitted {
  readonly terms: readonly string[];
  readonly coefficients: readonly number[];
  /** Sum of the squared relative errors. */
  readonly error: number;
}

/** Terms are chosen one at a time by what each explains; none may make a layer cheaper, so that nothing falls below 0. */
export function fitKernel(measured: readonly MeasuredCall[]): KernelCost {
  const calls = measured.map(({ call }) => workingCall(call));
  const weights = measured.map(({ instructions }) => 1 / (instructions + TRIFLE));
  const targets = measured.map(({ instructions }, i) => instructions * weights[i]!);
  const candidates = new Map<string, readonly number[]>();
  const conditional = conditionsOf(calls).flatMap((c) => CONDITIONAL.map((term) => product(c, term)));
  for (const term of [...TERMS, ...conditional]) {
    const column = calls.map((call, i) => termValue(term, call) * weights[i]!);
    if (column.some((x) => x !== 0)) candidates.set(term, column);
  }
  const most = Math.max(1, Math.min(MOST_TERMS, Math.floor(measured.length / EVIDENCE)));
  let best: Fitted = { terms: [], coefficients: [], error: Number.POSITIVE_INFINITY };
  while (best.terms.length < most && best.error > measured.length * GOOD_ENOUGH ** 2) {
    let next = best;
    for (const term of candidates.keys()) {
      if (best.terms.includes(term)) continue;
      const tried = solve([...best.terms, term], candidates, targets);
      if (tried.error < next.error) next = tried;
    }
    if (next === best || next.error > (1 - WORTHWHILE) * best.error) break;
    best = next;
  }
  return Object.fromEntries(
    best.terms.map((term, i) => [term, Number(best.coefficients[i]!.toPrecision(4))]),
  );
}

/** The error is infinite where a coefficient comes out negative. */
function solve(
  terms: readonly string[],
  columns: ReadonlyMap<string, readonly number[]>,
  targets: readonly number[],
): Fitted {
  const chosen = terms.map((term) => columns.get(term)!);
  // Columns of equal length are solved accurately.
  const lengths = chosen.map((column) => Math.hypot(...column));
  const rows = targets.map((_, i) => chosen.map((column, j) => (column[i]! / lengths[j]!) * SCALE));
  const coefficients = leastSquares(rows, targets).map((c, j) => (c * SCALE) / lengths[j]!);
  if (coefficients.some((c) => !(c >= 0))) return { terms, coefficients, error: Number.POSITIVE_INFINITY };
  let error = 0;
  targets.forEach((target, i) => {
    const estimate = chosen.reduce((sum, column, j) => sum + column[i]! * coefficients[j]!, 0);
    error += (estimate - target) ** 2;
  });
  return { terms, coefficients, error };
}

/** Makes the trace of a ridge in `leastSquares` vanish beside the columns. */
const SCALE = 1000;
