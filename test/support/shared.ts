/** Development models and golden files; a user's checkout does not have them, and tests then say so by skipping. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { patternBytes } from '../../src/core/random.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/models');

export const HAS_SHARED = existsSync(FOLDER);

/** Small enough for every emulated core. */
export const SMALL_MODELS = [
  'mlperf_ad_int8',
  'mlperf_kws_int8',
  'mlperf_resnet8_int8',
  'mlperf_vww_96_int8',
  'vww',
  'detection',
];
export const ALL_MODELS = [...SMALL_MODELS, 'mcunetv2_large'];

export function modelBytes(name: string): Uint8Array {
  return readFileSync(join(FOLDER, `${name}.tflite`));
}

/** Expected int8 outputs, concatenated, by the seed of the input pattern. */
export function goldenOutputs(name: string): Map<number, number[]> {
  const { seeds } = readGolden(`${name}.seeds.json`) as { seeds: Record<string, number[]> };
  return new Map(Object.entries(seeds).map(([seed, values]) => [Number(seed), values]));
}

/** FNV-1a of each operator's first output, in file order, for seed 1. */
export function goldenLayers(name: string): { index: number; op: string; fnv1a: number }[] {
  const { ops } = readGolden(`${name}.layers.json`) as { ops: { i: number; op: string; fnv1a: number }[] };
  return ops.map(({ i, op, fnv1a }) => ({ index: i, op, fnv1a }));
}

export function patternInput(bytes: number, seed: number): Uint8Array {
  return new Uint8Array(patternBytes(bytes, seed).buffer);
}

function readGolden(file: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, 'golden', file), 'utf8'));
}
