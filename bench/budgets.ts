/** What the models are allowed to cost, as last recorded. */
import type { Footprint } from './footprint.ts';

/** Relative to the repository's root. */
export const BUDGET_FILE = 'test/ratchet/budgets.json';

export const BUDGET_CORE = 'cortex-m4';

export interface Budgets {
  /** The first line of its `--version`: another one makes other code. */
  readonly compiler: string;
  /** By model, compiled for speed. */
  readonly models: Readonly<Record<string, Footprint>>;
}
