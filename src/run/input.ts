/** Network inputs from what a user has: raw bytes, NumPy arrays, pictures, or the repeatable pattern. */
import { fail } from '../core/diagnostics.ts';
import { allocate, asBytes, DTYPES } from '../core/dtype.ts';
import { clamp, roundHalfAway } from '../core/fixedpoint.ts';
import { patternBytes } from '../core/random.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import type { Port } from '../program/types.ts';
import { readBytes } from './files.ts';
import { readNpy } from './npy.ts';
import { type PictureOptions, readPicture } from './picture.ts';

export type InputOptions = PictureOptions;

const KINDS = 'give a .bin, .npy, .png or .jpg file, or pattern[:SEED]';

/**
 * The raw bytes of each input of a model.
 * @param sources one a port, in the model's order: the path of a .bin (raw bytes in the input's type), .npy (the input's
 * type, or float to be quantised) or .png, .jpg, .jpeg file; or `pattern[:SEED]`, see `patternBytes` (a float input takes
 * the pattern's int8 values / 32). A single pattern fills all inputs, input i from SEED + i.
 * @throws RivuletError RV1006 if a file cannot be read, RV3002 if it does not fit the input
 */
export async function readInputs(
  ports: readonly Port[],
  sources: readonly string[],
  options: InputOptions = {},
): Promise<Uint8Array[]> {
  const [first] = sources;
  const firstSeed = first === undefined ? undefined : patternSeed(first);
  if (sources.length === 1 && firstSeed !== undefined) {
    return ports.map((port, i) => patternFor(port, firstSeed + i));
  }
  if (sources.length !== ports.length) {
    const wanted = ports.map((port) => `"${port.name}" ${describe(port)}`).join(', ');
    fail('RV3002', `the model takes ${ports.length} inputs, ${sources.length} are given`, {
      origin: '--input',
      hint: `name one for each, in this order: ${wanted}; ${KINDS}`,
    });
  }
  return Promise.all(ports.map((port, i) => readInput(port, sources[i]!, options)));
}

async function readInput(port: Port, source: string, options: InputOptions): Promise<Uint8Array> {
  const origin = `--input ${source}`;
  const seed = patternSeed(source);
  if (seed !== undefined) return patternFor(port, seed);
  switch (/\.(\w+)$/.exec(source)?.[1]?.toLowerCase()) {
    case 'bin':
      return requireLength(port, await readBytes(source, origin), origin);
    case 'npy':
      return fromNpy(port, await readBytes(source, origin), origin);
    case 'png':
    case 'jpg':
    case 'jpeg':
      return quantizeReals(
        port,
        await readPicture(await readBytes(source, origin), port, options, origin),
        origin,
      );
    default:
      return fail('RV3002', 'this kind of input is not known', { origin, hint: KINDS });
  }
}

function describe({ dtype, shape }: Port): string {
  return `${dtype} [${shape.join(', ')}]`;
}

/** The seed in `pattern:SEED`, 1 for `pattern`, undefined for anything else. */
function patternSeed(source: string): number | undefined {
  const match = /^pattern(?::(\d+))?$/.exec(source);
  return match === null ? undefined : Number(match[1] ?? 1);
}

function patternFor({ dtype, bytes }: Port, seed: number): Uint8Array {
  if (dtype !== 'float32') return asBytes(patternBytes(bytes, seed));
  return asBytes(Float32Array.from(patternBytes(bytes / DTYPES.float32.bytes, seed), (value) => value / 32));
}

function requireLength(port: Port, bytes: Uint8Array, origin: string): Uint8Array {
  if (bytes.length === port.bytes) return bytes;
  return fail('RV3002', `${bytes.length} bytes where the input "${port.name}" takes ${port.bytes}`, {
    origin,
    hint: `the input is ${describe(port)}, row-major`,
  });
}

function fromNpy(port: Port, bytes: Uint8Array, origin: string): Uint8Array {
  const { shape, dtype, data } = readNpy(bytes, origin);
  const sizes = (dims: readonly number[]) => dims.filter((size) => size !== 1).join(', ');
  if (sizes(shape) !== sizes(port.shape)) {
    fail(
      'RV3002',
      `an array of shape [${shape.join(', ')}] where the input "${port.name}" takes ${describe(port)}`,
      {
        origin,
        hint: 'only dimensions of size 1 may be left out; networks in TFLite have channels last',
      },
    );
  }
  if (dtype === 'float32' || dtype === 'float64')
    return quantizeReals(port, data as Float32Array | Float64Array, origin);
  if (dtype === port.dtype) return asBytes(data);
  return fail('RV3002', `an array of ${dtype} where the input "${port.name}" takes ${describe(port)}`, {
    origin,
    hint: `save it as ${port.dtype}, or as float32 with real values`,
  });
}

/** Ranges of the types that hold quantised values. */
const QUANTIZED = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] } as const;

/**
 * Raw bytes of real values: of a float input themselves, else clamp(round(x / scale) + zeroPoint), the quotient in
 * float32 and halves away from zero, as the operator QUANTIZE computes it.
 */
function quantizeReals(port: Port, reals: ArrayLike<number>, origin: string): Uint8Array {
  const wrong = Array.prototype.findIndex.call(reals, (x: number) => !Number.isFinite(x));
  if (wrong >= 0)
    fail('RV3002', `element ${wrong} is ${reals[wrong]}`, { origin, hint: 'real values must be finite' });
  if (port.dtype === 'float32') return asBytes(Float32Array.from(reals));
  const { dtype } = port;
  if (!(dtype === 'int8' || dtype === 'uint8' || dtype === 'int16') || port.quantization === undefined) {
    return fail(
      'RV3002',
      `real values cannot become the input "${port.name}", ${describe(port)} without a scale`,
      {
        origin,
        hint: 'give it as .bin, or as .npy of its own type',
      },
    );
  }
  const [lowest, highest] = QUANTIZED[dtype];
  const [scale, zeroPoint] = [scaleOf(port), zeroPointOf(port)];
  const raw = allocate(dtype, reals.length);
  for (let i = 0; i < reals.length; ++i) {
    const steps = Math.fround(Math.fround(reals[i]!) / scale);
    raw[i] = clamp(roundHalfAway(steps) + zeroPoint, lowest, highest);
  }
  return asBytes(raw);
}
