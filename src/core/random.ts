/** Seeded generators: everything random in Rivulet is repeatable from a number. */

/** mulberry32: uniform floats in [0, 1). Small state, good enough for tests, search and data order. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The byte pattern used for repeatable network inputs: x = x * 1664525 + 1013904223 (mod 2^32), starting from `seed`;
 * each byte is x >> 24 after the step, read as int8.
 */
export function patternBytes(length: number, seed = 1): Int8Array {
  const bytes = new Int8Array(length);
  let x = seed >>> 0;
  for (let i = 0; i < length; ++i) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** FNV-1a, 32 bits: a fast fingerprint of bytes; `start` is that of the bytes before. */
export function fnv1a(bytes: Uint8Array, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < bytes.length; ++i) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}
