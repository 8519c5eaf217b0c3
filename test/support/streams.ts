/** Frames for models over time. */
import { createRandom } from '../../src/core/random.ts';
import { framePort, type Program } from '../../src/program/types.ts';

/** Frames of uniform bytes. */
export function randomFrames(program: Program, count: number, seed: number): Uint8Array[] {
  const random = createRandom(seed);
  const { bytes } = framePort(program);
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)),
  );
}

/**
 * Frames like those of a spectrogram: bands that swell and fade slowly, a tone that glides across them, a little noise,
 * and a silence of frames that are all alike.
 */
export function soundFrames(program: Program, count: number, seed: number): Uint8Array[] {
  const random = createRandom(seed);
  const { bytes } = framePort(program);
  const phases = Array.from({ length: bytes }, () => 6 * random());
  return Array.from({ length: count }, (_, t) => {
    const silent = t % 40 >= 30;
    return Uint8Array.from({ length: bytes }, (_, band) => {
      if (silent) return 0x80;
      const tone = 90 * Math.exp(-((band - bytes * (0.5 + 0.4 * Math.sin(t / 9))) ** 2));
      return Math.round(tone + 30 * Math.sin(t / 7 + phases[band]!) + 6 * random()) & 0xff;
    });
  });
}
