/**
 * WAV files: RIFF with a `fmt ` and a `data` chunk, PCM of 8 to 32 bits or float. Source: Microsoft and IBM, "Multimedia
 * Programming Interface and Data Specifications 1.0" (1991), and the later WAVEFORMATEXTENSIBLE.
 */
import { fail } from '../core/diagnostics.ts';

export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** From -1 to 1, all channels mixed to one. */
  readonly samples: Float64Array;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** By format and bits: a sample at a byte, 1 being full scale. */
const READERS: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  [`${PCM} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM} 24`]: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  [`${PCM} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT} 32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT} 64`]: (view, at) => view.getFloat64(at, true),
};

const RATES = [1000, 768_000] as const;
const MAX_CHANNELS = 64;

/**
 * Reads a file and mixes its channels to one, their mean.
 * @param origin names the file in diagnostics
 * @throws RivuletError RV4002 if it is no such file, is cut short, holds no sample or one that is not finite
 */
export function readWav(bytes: Uint8Array, origin: string): Sound {
  const refuse = (message: string): never => fail('RV4002', message, { origin });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (text(0) !== 'RIFF' || text(8) !== 'WAVE') refuse('it is not a WAV file');
  const chunks = new Map<string, { readonly at: number; readonly size: number }>();
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const name = text(at);
    if (!chunks.has(name)) chunks.set(name, { at: at + 8, size });
    if (name === 'data') break;
    // Chunks begin at even bytes.
    at += 8 + size + (size % 2);
  }
  const format = chunks.get('fmt ');
  if (format === undefined || format.size < 16 || format.at + format.size > bytes.length) {
    return refuse('it does not say what its samples are');
  }
  const [tag, channels] = [view.getUint16(format.at, true), view.getUint16(format.at + 2, true)];
  const [rate, bits] = [view.getUint32(format.at + 4, true), view.getUint16(format.at + 14, true)];
  // The extended form has the tag in front of an identifier.
  const kind = tag === EXTENSIBLE && format.size >= 26 ? view.getUint16(format.at + 24, true) : tag;
  const read = READERS[`${kind} ${bits}`];
  if (read === undefined) return refuse(`samples of format ${kind} with ${bits} bits are not read`);
  if (channels < 1 || channels > MAX_CHANNELS) refuse(`it has ${channels} channels`);
  if (rate < RATES[0] || rate > RATES[1]) refuse(`it has ${rate} samples a second`);
  const data = chunks.get('data');
  if (data === undefined) return refuse('it ends before its samples');
  const frame = (channels * bits) / 8;
  const there = bytes.length - data.at;
  // A recorder that does not know the length says 0 or the most there is.
  const size = data.size === 0 || data.size === 0xffffffff ? there : data.size;
  if (size > there) refuse(`it ends after ${there} of ${size} bytes of samples`);
  const samples = new Float64Array(Math.floor(size / frame));
  if (samples.length === 0) refuse('it holds no samples');
  for (let i = 0; i < samples.length; ++i) {
    let sum = 0;
    for (let c = 0; c < channels; ++c) sum += read(view, data.at + i * frame + (c * bits) / 8);
    samples[i] = sum / channels;
  }
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
  if (wrong >= 0) refuse(`sample ${wrong} is ${samples[wrong]}`);
  return { rate, samples };
}
