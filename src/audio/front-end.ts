/**
 * What turns sound into the rows of a network's input: frames of samples, their spectra, the energies of mel bands,
 * logarithms and, on demand, cepstral coefficients (MFCC). This is the one definition; `tables.ts` makes integers of it,
 * `features.ts` and runtime/rivulet_audio.h compute with those. docs/audio.md describes each step.
 */
import { fail } from '../core/diagnostics.ts';
import { type JsonDialect, type JsonObject, parseJsonObject } from '../formats/json.ts';

export interface FrontEnd {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of a frame; the transform is the next power of two long. */
  readonly window: number;
  /** Samples from one frame to the next, at most `window`. */
  readonly hop: number;
  /** Rows of the network's input. */
  readonly frames: number;
  /** Mel bands. */
  readonly bands: number;
  /** Lower end of the lowest band and upper end of the highest, in Hz. */
  readonly low: number;
  readonly high: number;
  /** x[n] - preEmphasis * x[n - 1]; 0 for none. */
  readonly preEmphasis: number;
  /** What is summed over a band: squares of the spectrum's magnitudes, or the magnitudes. */
  readonly spectrum: 'power' | 'magnitude';
  /** Added to each band before the logarithm; a sample of full scale is 1. */
  readonly floor: number;
  /** Cepstral coefficients of a frame, from the 0th on; 0: the logarithms themselves. */
  readonly coefficients: number;
}

/** What is not given. */
const DEFAULTS = { preEmphasis: 0, spectrum: 'power', floor: 1e-6, coefficients: 0 } as const;

const DIALECT: JsonDialect = { code: 'RV4007', maxBytes: 1 << 16 };
const FIELDS = [
  'rate',
  'window',
  'hop',
  'frames',
  'bands',
  'low',
  'high',
  'preEmphasis',
  'spectrum',
  'floor',
  'coefficients',
] as const satisfies readonly (keyof FrontEnd)[];

const MAX_WINDOW = 4096;
const MAX_BANDS = 128;
const MAX_FRAMES = 4096;

/**
 * Reads a definition from JSON.
 * @param origin names the text in diagnostics
 * @throws RivuletError RV4007
 */
export function parseFrontEnd(bytes: Uint8Array, origin: string): FrontEnd {
  const json = parseJsonObject(bytes, DIALECT, origin);
  const unknown = json.keys().find((key) => !FIELDS.some((field) => field === key));
  if (unknown !== undefined) json.refuse(unknown, `there is no such field, but ${FIELDS.join(', ')}`);
  const optional = <T>(key: keyof typeof DEFAULTS, read: (json: JsonObject) => T, standard: T): T =>
    json.has(key) ? read(json) : standard;
  return checkFrontEnd(
    {
      rate: json.integer('rate', 1000, 192_000),
      window: json.integer('window', 16, MAX_WINDOW),
      hop: json.integer('hop', 1, MAX_WINDOW),
      frames: json.integer('frames', 1, MAX_FRAMES),
      bands: json.integer('bands', 2, MAX_BANDS),
      low: json.number('low'),
      high: json.number('high'),
      preEmphasis: optional('preEmphasis', (j) => j.number('preEmphasis'), DEFAULTS.preEmphasis),
      spectrum: optional<FrontEnd['spectrum']>('spectrum', spectrumOf, DEFAULTS.spectrum),
      floor: optional('floor', (j) => j.number('floor'), DEFAULTS.floor),
      coefficients: optional(
        'coefficients',
        (j) => j.integer('coefficients', 0, MAX_BANDS),
        DEFAULTS.coefficients,
      ),
    },
    origin,
  );
}

function spectrumOf(json: JsonObject): FrontEnd['spectrum'] {
  const text = json.text('spectrum');
  return text === 'power' || text === 'magnitude'
    ? text
    : json.refuse('spectrum', `"${text}" where power or magnitude belongs`);
}

/**
 * What a definition's fields must hold together.
 * @throws RivuletError RV4007
 */
export function checkFrontEnd(frontEnd: FrontEnd, origin: string): FrontEnd {
  const { rate, window, hop, bands, low, high, preEmphasis, floor, coefficients } = frontEnd;
  const require = (holds: boolean, field: keyof FrontEnd, message: string): void => {
    if (!holds) fail('RV4007', message, { origin: `${origin}: ${field}` });
  };
  require(hop <= window, 'hop', `frames of ${window} samples every ${hop} leave samples out`);
  require(low >= 0 && low < high, 'low', `bands from ${low} to ${high} Hz`);
  require(high <= rate / 2, 'high', `${high} Hz are above half the rate, ${rate / 2} Hz`);
  require(preEmphasis >= 0 && preEmphasis < 1, 'preEmphasis', `${preEmphasis} is not from 0 to below 1`);
  require(floor > 0 && floor <= 1, 'floor', `${floor} is not above 0 and at most 1`);
  require(coefficients <= bands, 'coefficients', `${coefficients} coefficients of ${bands} bands`);
  const empty = bandEdges(frontEnd).findIndex(
    (_, i, edges) =>
      i + 2 < edges.length && firstBinAbove(frontEnd, edges[i]!) >= binsBelow(frontEnd, edges[i + 2]!),
  );
  require(empty <
    0, 'bands', `band ${empty} lies between two lines of the spectrum, which are ${rate / transformLength(frontEnd)} Hz apart: take fewer bands, a higher low or a longer window`);
  return frontEnd;
}

/** Points of the Fourier transform: the power of two that holds a frame. */
export function transformLength({ window }: FrontEnd): number {
  return 2 ** Math.ceil(Math.log2(window));
}

/** Values of a frame. */
export function frameWidth({ coefficients, bands }: FrontEnd): number {
  return coefficients > 0 ? coefficients : bands;
}

/** Samples that all frames take together. */
export function clipSamples({ window, hop, frames }: FrontEnd): number {
  return window + (frames - 1) * hop;
}

/** HTK's mel scale. */
export function melOf(hertz: number): number {
  return 1127 * Math.log1p(hertz / 700);
}

/** Ends of the bands in mel: band b rises from edge b to b + 1 and falls to b + 2. */
export function bandEdges({ low, high, bands }: FrontEnd): number[] {
  const [first, last] = [melOf(low), melOf(high)];
  return Array.from({ length: bands + 2 }, (_, i) => first + ((last - first) * i) / (bands + 1));
}

/** Mel of a line of the spectrum. */
export function melOfBin(frontEnd: FrontEnd, bin: number): number {
  return melOf((bin * frontEnd.rate) / transformLength(frontEnd));
}

/** The first line above `mel`; line 0 is never looked at. */
function firstBinAbove(frontEnd: FrontEnd, mel: number): number {
  let bin = 1;
  while (melOfBin(frontEnd, bin) <= mel) ++bin;
  return bin;
}

/** The first line that is not below `mel`. */
function binsBelow(frontEnd: FrontEnd, mel: number): number {
  let bin = 1;
  while (melOfBin(frontEnd, bin) < mel) ++bin;
  return bin;
}
