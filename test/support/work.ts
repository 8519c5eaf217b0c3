/** What tests of workers work on. */
import { join } from 'node:path';
import { createRandom } from '../../src/core/random.ts';
import type { Kind } from '../../src/workers/workers.ts';

export const BUILT = join(import.meta.dirname, '../../dist/src');
export const REGISTRY = new URL('./work-kinds.mjs', import.meta.url).href;

type Nothing = { readonly [key: string]: never };

interface WorkKinds {
  readonly mix: Kind<{ readonly from: number; readonly rounds: number }, { from: number; hash: number }>;
  readonly look: Kind<Nothing, { shared: boolean; objects: number; first: number }>;
  readonly wait: Kind<{ readonly milliseconds: number; readonly job: number }, number>;
  readonly refuse: Kind<{ readonly item: number }, number>;
  readonly stumble: Kind<Nothing, number>;
  readonly poison: Kind<Nothing, boolean>;
  readonly leave: Kind<Nothing, number>;
}

export const { KINDS } = (await import(REGISTRY)) as { readonly KINDS: WorkKinds };

const random = createRandom(11);
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random() * 256);
export const BLOBS = { left: bytes(5000), right: bytes(70_000) };

/** So many that a worker can be killed in their middle. */
export const MIXES = Array.from({ length: 60 }, (_, i) => ({ from: i, rounds: 400_000 }));
