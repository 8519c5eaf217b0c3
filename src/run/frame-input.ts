/** A stream of frames from what a user has: the same files as `readInputs`, with as many frames as they hold. */
import { fail } from '../core/diagnostics.ts';
import { DTYPES } from '../core/dtype.ts';
import { elementCount } from '../ir/types.ts';
import { framePort, type Program } from '../program/types.ts';
import { readBytes } from './files.ts';
import { readInputs } from './input.ts';
import { readNpy } from './npy.ts';

/**
 * The frames in `source`, a .bin or .npy file or `pattern[:SEED]`, for a program over time.
 * @param count frames of a pattern
 * @returns raw bytes of each frame
 * @throws RivuletError RV1006 if the file cannot be read, RV3002 if it does not hold the frames of at least one window
 */
export async function readFrames(program: Program, source: string, count: number): Promise<Uint8Array[]> {
  const frame = framePort(program);
  const { windowFrames } = program.sliding!;
  const frames = await framesIn(source, frame.bytes, DTYPES[frame.dtype].bytes, count);
  if (frames < windowFrames) {
    fail('RV3002', `${frames} frames where the first window takes ${windowFrames}`, {
      origin: `--input ${source}`,
      hint: `a frame is ${frame.dtype} [${frame.shape.join(', ')}]; give at least ${windowFrames}, one after the other`,
    });
  }
  const port = { ...frame, shape: [frames, ...frame.shape], bytes: frames * frame.bytes };
  const [bytes] = await readInputs([port], [source]);
  return Array.from({ length: frames }, (_, i) => bytes!.slice(i * frame.bytes, (i + 1) * frame.bytes));
}

async function framesIn(
  source: string,
  frameBytes: number,
  elementBytes: number,
  count: number,
): Promise<number> {
  const origin = `--input ${source}`;
  if (source.startsWith('pattern')) return count;
  if (/\.bin$/i.test(source)) return Math.floor((await readBytes(source, origin)).length / frameBytes);
  if (/\.npy$/i.test(source)) {
    const { shape } = readNpy(await readBytes(source, origin), origin);
    return Math.floor((elementCount(shape) * elementBytes) / frameBytes);
  }
  return fail('RV3002', 'this kind of input has no frames', {
    origin,
    hint: 'give a .bin or .npy file, or pattern[:SEED]',
  });
}
