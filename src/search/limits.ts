/** What a network may cost, and whether it does. */

/** The most of each; what is left out is not limited. */
export interface Limits {
  /** Bytes. */
  readonly sram: number;
  /** Bytes. */
  readonly flash: number;
  /** Milliseconds of one inference, by the compiler's estimate. */
  readonly latency?: number;
  /** Multiply-accumulates of one inference. */
  readonly macs?: number;
}

export type LimitName = keyof Limits;

/** What is held against limits. Latency is null for a core without measured kernels: no limit on it can be kept. */
export type Demand = { readonly [name in LimitName]: number | null };

/** Cheapest to mend first: whoever misses several is told of one. */
const ORDER: readonly LimitName[] = ['macs', 'latency', 'flash', 'sram'];

/** The first limit that is exceeded, or null. */
export function exceeded(limits: Limits, demand: Demand): LimitName | null {
  return ORDER.find((name) => (demand[name] ?? 0) > (limits[name] ?? Number.POSITIVE_INFINITY)) ?? null;
}

const UNITS: Readonly<Record<LimitName, string>> = {
  sram: 'bytes of SRAM',
  flash: 'bytes of flash',
  latency: 'ms',
  macs: 'MACs',
};

export function limitText(limits: Limits, name: LimitName): string {
  return `${(limits[name] ?? 0).toLocaleString('en-US')} ${UNITS[name]}`;
}
