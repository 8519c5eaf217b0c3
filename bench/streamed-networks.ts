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
  vww: { rows: 12_508, stream: 21_248 },
  'mbv2-w0.35-r144': { rows: 21_916, stream: 65_888 },
  'mbv2-w1.0-r224': { rows: 89_884, stream: 179_432 },
  mlperf_vww_96_int8: { rows: 11_500, stream: 28_032 },
  mlperf_kws_int8: { rows: 4_500, stream: 5_000 },
  mlperf_resnet8_int8: { rows: 10_200, stream: 11_500 },
  detection: { rows: 20_440, stream: 70_408 },
  mcunetv2_large: { rows: 239_864, stream: 240_880 },
};

/** Models at hand, then the zoo; a model is made when it is asked for. */
export function streamedNetworks(): { name: string; bytes: () => Uint8Array }[] {
  const files = modelsAtHand().map(({ name, bytes }: BenchModel) => ({ name, bytes: () => bytes }));
  const zoo = ZOO.map(({ name }) => ({ name, bytes: () => writeTflite(zooModel(name)) }));
  return [...files, ...zoo];
}
