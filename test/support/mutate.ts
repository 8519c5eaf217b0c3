import { createRandom } from '../../src/core/random.ts';

export interface Mutation {
  /** What was done, to repeat it by hand. */
  readonly description: string;
  readonly bytes: Uint8Array;
}

/** Values at the edges of 32-bit arithmetic and of the checks around it. */
const EXTREMES = [0, 1, 2, 3, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];

/** `count` damaged copies of `bytes`, each with one to four faults; the same seed gives the same copies. */
export function* mutations(bytes: Uint8Array, seed: number, count: number): Generator<Mutation> {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let i = 0; i < count; ++i) {
    const faults: string[] = [];
    let damaged: Uint8Array = bytes.slice();
    for (let faultsLeft = 1 + below(4); faultsLeft > 0 && damaged.length > 0; --faultsLeft) {
      const mutator = MUTATORS[below(MUTATORS.length)]!;
      const at = below(damaged.length);
      faults.push(`${mutator.name} at ${at}`);
      damaged = mutator(damaged, at, below);
    }
    yield { description: `seed ${seed}, copy ${i}: ${faults.join(', ')}`, bytes: damaged };
  }
}

/** Changes `bytes` (ours to write to) near `at` or returns another array. */
type Mutator = (bytes: Uint8Array, at: number, below: (limit: number) => number) => Uint8Array;

const flipBit: Mutator = (bytes, at, below) => {
  bytes[at]! ^= 1 << below(8);
  return bytes;
};

const setByte: Mutator = (bytes, at, below) => {
  bytes[at] = [0, 0xff, below(256)][below(3)]!;
  return bytes;
};

const setWord: Mutator = (bytes, at, below) => {
  const aligned = at & ~3;
  if (aligned + 4 > bytes.length) return bytes;
  const nearEnd = bytes.length - aligned - below(8);
  const value = below(4) === 0 ? nearEnd : EXTREMES[below(EXTREMES.length)]!;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(aligned, value, true);
  return bytes;
};

/** Offsets that move by a little point into the middle of other parts, which is harder to notice than nonsense. */
const nudgeWord: Mutator = (bytes, at, below) => {
  const aligned = at & ~3;
  if (aligned + 4 > bytes.length) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(aligned, view.getUint32(aligned, true) + 4 * (below(65) - 32), true);
  return bytes;
};

const truncate: Mutator = (bytes, at) => bytes.slice(0, at);

/** Overwrites bytes from `at` on with a copy of other bytes of the file. */
const splice: Mutator = (bytes, at, below) => {
  const from = below(bytes.length);
  bytes.copyWithin(at, from, from + 1 + below(64));
  return bytes;
};

const remove: Mutator = (bytes, at, below) => {
  const rest = bytes.slice(at + 1 + below(16));
  bytes.set(rest, at);
  return bytes.slice(0, at + rest.length);
};

const scramble: Mutator = (bytes, at, below) => {
  const end = Math.min(bytes.length, at + 1 + below(32));
  for (let i = at; i < end; ++i) bytes[i] = below(256);
  return bytes;
};

const MUTATORS: readonly Mutator[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setWord,
  setWord,
  nudgeWord,
  nudgeWord,
  truncate,
  splice,
  remove,
  scramble,
];
