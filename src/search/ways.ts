/**
 * The joint choice of MCUNetV2 (arXiv 2110.15352): a network of the search is a network with the schedule that suits it
 * best. Schedules are not genes: for each network all are gone through, the fastest first, until one keeps all limits.
 */
import { type Compilation, type CompileOptions, compile } from '../compile.ts';
import type { NetworkCost } from '../nas/costs.ts';
import { exceeded, type LimitName, type Limits } from './limits.ts';

export const WAY_NAMES = ['whole', 'stream', 'rows', 'recompute'] as const;
export type WayName = (typeof WAY_NAMES)[number];

/** How a network may be scheduled. */
interface Way {
  readonly name: WayName;
  /** `auto` behind `whole` streams, within the limit on SRAM, of which the rest goes to faster kernels. */
  readonly options: Pick<CompileOptions, 'schedule' | 'inputMode' | 'maxExtraMacs'>;
  /** Bytes of SRAM, as far as can be told without compiling; for what is not worth trying. */
  estimate(cost: NetworkCost, inputBytes: number): number;
}

/** Share of extra multiply-accumulates that `recompute` may spend, percent. */
const MAX_EXTRA_MACS = 25;

/**
 * By latency: layer by layer nothing is done twice and rows need no bookkeeping; streamed, the same multiply-accumulates;
 * with rows pushed the same again, but whoever fills the input has to deal them out; then what computes twice.
 */
const WAYS: readonly Way[] = [
  { name: 'whole', options: { schedule: 'whole' }, estimate: ({ sramWhole }) => sramWhole },
  {
    name: 'stream',
    options: { schedule: 'auto' },
    estimate: ({ sramRows }, inputBytes) => Math.max(sramRows, inputBytes),
  },
  {
    name: 'rows',
    options: { schedule: 'auto', inputMode: 'rows' },
    estimate: ({ sramRows }) => sramRows,
  },
  {
    name: 'recompute',
    options: { schedule: 'auto', maxExtraMacs: MAX_EXTRA_MACS },
    // How much is gained is not known before it is tried; a half has not been seen.
    estimate: ({ sramRows }, inputBytes) => Math.max(sramRows / 2, inputBytes),
  },
];

/** What of a network is decided before it is trained. */
export type Cost = {
  readonly way: WayName;
  readonly macs: number;
  /** Bytes, exactly as linked. */
  readonly sram: number;
  /** Bytes; the code is an estimate, see docs/benchmarks.md. */
  readonly flash: number;
  /** Milliseconds, the compiler's estimate; null for a core without measured kernels. */
  readonly latency: number | null;
};

/** The options of `compile` that give a way within limits. */
export function wayOptions(name: WayName, target: string, limits: Limits): CompileOptions {
  const { options } = WAYS.find((way) => way.name === name)!;
  return { ...options, target, maxSram: limits.sram };
}

/** The limit that a network exceeds whatever its schedule, judging by its estimated cost; null if it is worth compiling. */
export function refusedByEstimate(
  cost: NetworkCost,
  inputBytes: number,
  allowed: readonly WayName[],
  limits: Limits,
): LimitName | null {
  const ways = WAYS.filter(({ name }) => allowed.includes(name));
  const sram = Math.min(...ways.map((way) => way.estimate(cost, inputBytes)));
  return exceeded(limits, { ...cost, sram });
}

/** The cost with the fastest schedule that keeps all limits, or the limit that the last one exceeds. */
export function exactCost(
  model: Uint8Array,
  target: string,
  allowed: readonly WayName[],
  limits: Limits,
): Cost | LimitName {
  let refused: LimitName = 'sram';
  for (const { name } of WAYS.filter((way) => allowed.includes(way.name))) {
    const cost = costOf(compile(model, wayOptions(name, target, limits)), name);
    const limit = exceeded(limits, cost);
    if (limit === null) return cost;
    refused = limit;
    // No schedule makes the weights smaller by much, nor saves multiply-accumulates.
    if (limit === 'macs') break;
  }
  return refused;
}

export function costOf({ report }: Compilation, way: WayName): Cost {
  const { macs, sram, flash, latency } = report;
  return { way, macs, sram: sram.total, flash: flash.total, latency: latency?.milliseconds ?? null };
}
