/**
 * Code of a front-end for sound in bytes, with the library functions that it calls: measured, linked by itself, for a
 * front-end with magnitudes and coefficients. One without them takes 200 bytes less; what a network calls too is counted twice.
 */
import type { Optimize } from '../core/isa.ts';

const CODE: Readonly<Record<string, Readonly<Record<Optimize, number>>>> = {
  'cortex-m0plus': { speed: 4056, size: 3688 },
  'cortex-m3': { speed: 2608, size: 2356 },
  'cortex-m4': { speed: 2676, size: 2456 },
  'cortex-m7': { speed: 2700, size: 2468 },
  'cortex-m33': { speed: 2616, size: 2384 },
  'cortex-m55': { speed: 2676, size: 2568 },
  rv32imac: { speed: 2996, size: 2624 },
};

/** Where a core was not measured, and for the host. */
const STAND_IN = 'cortex-m4';

export function frontEndCode(core: string, optimize: Optimize): number {
  return (CODE[core] ?? CODE[STAND_IN]!)[optimize];
}
