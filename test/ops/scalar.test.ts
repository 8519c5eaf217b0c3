/** Convolutions on cores without SIMD instructions, with and without a 64-bit product, where sums reach furthest. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SOURCES } from '../../src/generated/sources.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph } from '../../src/ir/types.ts';
import { bias, int8, weights } from '../../src/ops/case.ts';
import { scalarKernels } from '../../src/ops/conv2d/scalar.ts';
import { runReference } from '../../src/run/reference.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { hasCommand } from '../support/emitted.ts';
import { KERNEL_SETS, lowered } from '../support/kernel-sets.ts';

const SCALAR = KERNEL_SETS.filter(({ isas }) => isas.includes('scalar'));

interface Layer {
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly zeroPoint: number;
  /** Weights are -128 or 127 with this seed. */
  readonly seed: number;
}

const layer: fc.Arbitrary<Layer> = fc.record({
  width: fc.integer({ min: 1, max: 9 }),
  inputs: fc.integer({ min: 1, max: 70 }),
  outputs: fc.integer({ min: 1, max: 7 }),
  kernel: fc.constantFrom(1, 1, 3),
  zeroPoint: fc.constantFrom(-128, -1, 0, 127),
  seed: fc.integer({ min: 1, max: 1000 }),
});

function caseOf({ width, inputs, outputs, kernel, zeroPoint, seed }: Layer): {
  graph: Graph;
  samples: Uint8Array[];
} {
  const builder = new GraphBuilder('scalar');
  const pad = (kernel - 1) / 2;
  const { data, ...type } = weights([outputs, kernel, kernel, inputs], 0, seed, 0.01);
  const extremes = (data as Int8Array).map((w) => (w < 0 ? -128 : 127));
  const x = builder.input('x', int8([1, kernel, width, inputs], 0.05, zeroPoint));
  const w = builder.constant('w', type, extremes);
  const { data: biases, ...biasType } = bias(outputs, seed);
  const b = builder.constant('b', biasType, biases);
  const y = builder.activation('y', int8([1, kernel, width, outputs], 0.02 * inputs * kernel, 3));
  builder.node(
    'conv2d',
    { stride: [1, 1], dilation: [1, 1], padding: [pad, pad, pad, pad], clamp: [-128, 127] },
    [x, w, b],
    [y],
    { index: 0, op: 'conv2d', name: 'conv' },
  );
  // Of the weights' signs, so that sums grow as far as they can, and of the opposite signs.
  const samples = [1, -1].map((sign) =>
    Uint8Array.from({ length: kernel * width * inputs }, (_, i) =>
      extremes[i % inputs]! * sign > 0 ? 127 : 128,
    ),
  );
  return { graph: builder.build([y]), samples };
}

/** The product of the narrow multiplication against that of the wide one, on the host. */
const NARROW = `
#include <stdio.h>
#include "rivulet.h"
int main(void)
{
    static const int32_t edges[] = {-2147483647 - 1, -2147483647, -1073741824, -65537, -65536, -65535, -32769, -32768,
                                    -1, 0, 1, 32767, 32768, 65535, 65536, 65537, 1073741823, 1073741824, 2147483647};
    uint32_t state = 1;
    for (int32_t i = 0; i < 4000000; ++i) {
        int32_t a, b;
        state = state * 1664525u + 1013904223u;
        a = i < 361 ? edges[i / 19] : (int32_t)(state ^ state >> 15);
        state = state * 1664525u + 1013904223u;
        b = i < 361 ? edges[i % 19] : (int32_t)(state ^ state >> 15);
        if (a == -2147483647 - 1 && a == b) continue;
        if (rv_rounding_doubling_high_mul(a, b) != (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31)) {
            printf("%d * %d", (int)a, (int)b);
            return 1;
        }
    }
    printf("equal");
    return 0;
}
`;

describe.skipIf(!hasCommand('gcc'))('a multiplication of 32 bits', () => {
  it('gives the rounding doubling high product, without undefined behaviour', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rivulet-narrow-'));
    try {
      writeFileSync(join(folder, 'narrow.c'), NARROW);
      writeFileSync(join(folder, 'rivulet.h'), SOURCES['rivulet.h']!);
      const flags = [
        '-std=c99',
        '-O2',
        '-DRV_NARROW_MULTIPLY',
        '-fsanitize=undefined',
        '-fno-sanitize-recover=all',
      ];
      execFileSync('gcc', [...flags, 'narrow.c', '-o', 'narrow'], { cwd: folder });
      expect(execFileSync(join(folder, 'narrow'), { encoding: 'utf8' })).toBe('equal');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('scalar convolutions', () => {
  it('equal the reference for extreme weights and the inputs that suit them', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(layer, async (l) => {
        const { graph, samples } = caseOf(l);
        for (const set of SCALAR) {
          const { program, plan } = lowered(graph, set);
          taken += program.calls.filter(({ kernel }) => scalarKernels.some((k) => k.name === kernel)).length;
          const executor = await WasmExecutor.create(program, plan);
          for (const input of samples) {
            executor.dirty(85);
            expect(executor.run([input]), set.name).toEqual(runReference(graph, [input]));
          }
        }
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(taken).toBeGreaterThan(150);
  });
});
