/** The models that are measured: the example of this repository, and development models where they are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BenchModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Beside the repository; a user's checkout has none of them. */
const DEVELOPMENT = [
  'mlperf_ad_int8',
  'mlperf_kws_int8',
  'mlperf_resnet8_int8',
  'mlperf_vww_96_int8',
  'vww',
  'detection',
  'mcunetv2_large',
];

/** Smallest first. Run from the repository's root. */
export function modelsAtHand(): BenchModel[] {
  return [
    ['digits', 'examples/digits/digits.tflite'] as const,
    ...DEVELOPMENT.map((name) => [name, join('../shared/models', `${name}.tflite`)] as const),
  ]
    .filter(([, path]) => existsSync(path))
    .map(([name, path]) => ({ name, bytes: new Uint8Array(readFileSync(path)) }));
}
