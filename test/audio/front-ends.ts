/** Front-ends that tests try: each exercises another corner of the arithmetic. */
import { checkFrontEnd, type FrontEnd } from '../../src/audio/front-end.ts';

/** The parameters of MLPerf Tiny's keyword spotting: tf.signal's definition with magnitudes. */
const keywords: FrontEnd = {
  rate: 16000,
  window: 480,
  hop: 320,
  frames: 6,
  bands: 40,
  low: 20,
  high: 4000,
  preEmphasis: 0,
  spectrum: 'magnitude',
  floor: 1e-6,
  coefficients: 10,
};

export const FRONT_ENDS: Readonly<Record<string, FrontEnd>> = {
  keywords,
  digits: {
    ...keywords,
    ...{
      rate: 8000,
      window: 256,
      hop: 128,
      low: 60,
      bands: 32,
      preEmphasis: 0.97,
      spectrum: 'power',
      coefficients: 0,
    },
  },
  // As many bands as lines allow: logarithms lie close behind the lines that are read.
  dense: {
    ...keywords,
    ...{ window: 64, hop: 64, bands: 15, low: 0, high: 8000, spectrum: 'power', coefficients: 15, floor: 1 },
  },
  long: {
    ...keywords,
    ...{
      rate: 48000,
      window: 4095,
      hop: 4095,
      frames: 3,
      bands: 128,
      high: 24000,
      low: 200,
      preEmphasis: 0.9,
    },
  },
  short: { ...keywords, window: 17, hop: 3, frames: 40, bands: 2, low: 300, high: 8000, coefficients: 2 },
};

for (const [name, frontEnd] of Object.entries(FRONT_ENDS)) checkFrontEnd(frontEnd, name);
