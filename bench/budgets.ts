/** What the models are allowed to cost, as last recorded, and what they are meant to reach. */
import type { Optimize } from '../src/core/isa.ts';
import type { Footprint } from './footprint.ts';

/** Relative to the repository's root. */
export const BUDGET_FILE = 'test/ratchet/budgets.json';

export const BUDGET_CORE = 'cortex-m4';

export interface Budgets {
  /** The first line of its `--version`: another one makes other code. */
  readonly compiler: string;
  /** By model, compiled for BUDGET_CORE and for speed. */
  readonly models: Readonly<Record<string, Footprint>>;
  readonly reach: readonly Reach[];
}

/** A bound that was set beforehand, beside what is measured. */
export interface Reach {
  readonly model: string;
  readonly core: string;
  readonly optimize: Optimize;
  readonly figure: 'instructions' | 'flash';
  readonly bound: number;
  /** Known not to be reached; docs/status.md says why. Taken away by hand when it is. */
  readonly missed?: true;
  /** As last recorded; null: never. */
  readonly measured: number | null;
}

export function describeReach({ model, core, optimize, figure, bound }: Reach): string {
  return `${model} on ${core} for ${optimize}: at most ${bound} ${figure === 'flash' ? 'bytes of flash' : figure}`;
}
