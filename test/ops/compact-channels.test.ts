/** Records of seven or eight bytes a channel give the outputs of the multipliers they stand for. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantizeMultiplier, requantize } from '../../src/core/fixedpoint.ts';
import { createRandom } from '../../src/core/random.ts';
import { type CompactRecords, compactRecords } from '../../src/ops/compact-channels.ts';
import type { Channels } from '../../src/ops/fast-requantize.ts';

const IN_ZERO_POINT = -5;

/** Random channels of `taps` weights with real multipliers between scale / 20 and scale. */
function layerOf(count: number, taps: number, seed: number, scale: number): Channels {
  const random = createRandom(seed);
  const multipliers = Array.from({ length: count }, () =>
    quantizeMultiplier(scale * (0.05 + 0.95 * random())),
  );
  return {
    weights: Int8Array.from({ length: count * taps }, () => Math.floor(random() * 255) - 127),
    bias: Int32Array.from({ length: count }, () => Math.floor((random() - 0.5) * 60000)),
    multiplier: Int32Array.from(multipliers, (m) => m.multiplier),
    shift: Int8Array.from(multipliers, (m) => m.shift),
  };
}

/** What the kernels read of a channel: see rv_load_compact. */
function decode({ records, geometry }: CompactRecords, c: number) {
  const { record_bytes, least_e, e_mask } = geometry;
  const record = new DataView((records.data as Int8Array).buffer, c * record_bytes, record_bytes);
  const multiplier = record.getInt32(0, true);
  const e = record_bytes === 8 ? record.getInt8(7) : least_e + (multiplier & e_mask);
  return { multiplier, bias: record.getInt32(3, true) >> 8, shift: -e };
}

/** The smallest sum in [low, high] whose output is at least `value`, high + 1 if none is: outputs rise with sums. */
function firstSum(low: number, high: number, value: number, output: (sum: number) => number): number {
  let [below, from] = [low, high + 1];
  while (below < from) {
    const middle = Math.floor((below + from) / 2);
    if (output(middle) >= value) from = middle;
    else below = middle + 1;
  }
  return from;
}

it('outputs change at the same sums, over all that a channel can reach', () => {
  const [count, taps] = [40, 200];
  const sizes = new Set<number>();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1 << 30 }),
      fc.double({ min: 1e-4, max: 0.01, noNaN: true }),
      fc.integer({ min: -128, max: 127 }),
      (seed, scale, outZeroPoint) => {
        const channels = layerOf(count, taps, seed, scale);
        const compact = compactRecords(channels, IN_ZERO_POINT, outZeroPoint, [-128, 127]);
        if (typeof compact === 'string') return;
        sizes.add(compact.geometry.record_bytes);
        for (let c = 0; c < count; ++c) {
          const exact = { multiplier: channels.multiplier[c]!, shift: channels.shift[c]! };
          const decoded = decode(compact, c);
          expect(decoded.bias).toBe(channels.bias[c]);
          const reach = channels.weights
            .subarray(c * taps, (c + 1) * taps)
            .reduce((sum, w) => sum + 132 * Math.abs(w), 0);
          const [low, high] = [decoded.bias - reach, decoded.bias + reach];
          for (let raw = -127; raw <= 127; ++raw) {
            const changes = [decoded, exact].map((m) =>
              firstSum(low, high, raw - outZeroPoint, (sum) => requantize(sum, m)),
            );
            // Beyond what this test takes for reachable, the compiler knows better.
            if (changes[0] !== changes[1] && Math.abs(changes[1]!) < reach / 2)
              expect.fail(`channel ${c} of seed ${seed} reaches ${raw} at ${changes}`);
          }
        }
      },
    ),
    { numRuns: 20 },
  );
  expect([...sizes].sort()).toEqual([7, 8]);
});

it('a bias of more than 24 bits and a shift to the left have no record', () => {
  const channel = {
    weights: new Int8Array(1),
    multiplier: Int32Array.of(1 << 30),
    shift: Int8Array.of(-3),
  };
  const wide = { ...channel, bias: Int32Array.of(1 << 24) };
  expect(compactRecords(wide, 0, 0, [-128, 127])).toMatch(/24 bits/);
  const left = { ...channel, bias: Int32Array.of(1), shift: Int8Array.of(2) };
  expect(compactRecords(left, 0, 0, [-128, 127])).toMatch(/shift of 2/);
});
