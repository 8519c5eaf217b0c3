/** The networks whose SRAM is measured streamed, what was promised for them, and what other engines need. */
import { writeTflite } from '../src/formats/tflite/writer.ts';
import { zooModel } from '../src/zoo/model.ts';
import { ZOO } from '../src/zoo/networks.ts';
import { type BenchModel, modelsAtHand } from './models.ts';

/** Bytes of SRAM without the stack that a network must not exceed; without extra MACs. */
export interface Bounds {
  readonly stream?: number;
  readonly rows?: number;
}

export const SRAM_BOUNDS: Readonly<Record<string, Bounds>> = {
  vww: { rows: 16_500, stream: 22_500 },
  'mbv2-w0.35-r144': { rows: 27_800, stream: 67_500 },
  'mbv2-w1.0-r224': { rows: 131_000, stream: 197_000 },
  mlperf_vww_96_int8: { rows: 14_500, stream: 29_500 },
  mlperf_kws_int8: { rows: 5_900, stream: 6_300 },
  mlperf_resnet8_int8: { rows: 12_500, stream: 13_500 },
  detection: { rows: 29_500, stream: 75_500 },
  mcunetv2_large: { rows: 243_000 },
};

/** Models at hand, then the zoo; a model is made when it is asked for. */
export function streamedNetworks(): { name: string; bytes: () => Uint8Array }[] {
  const files = modelsAtHand().map(({ name, bytes }: BenchModel) => ({ name, bytes: () => bytes }));
  const zoo = ZOO.map(({ name }) => ({ name, bytes: () => writeTflite(zooModel(name)) }));
  return [...files, ...zoo];
}
