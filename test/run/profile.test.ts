/** The profiler against code whose instructions can be counted by hand. */
import { describe, expect, it, vi } from 'vitest';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware, type FirmwareRequest } from '../../src/run/firmware.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { CORES, type Core } from '../../src/targets/index.ts';

// Compilers and emulators share the computer with whatever else runs on it.
vi.setConfig({ testTimeout: 60_000 });

const HEADER = `#include <stdint.h>
#define EXACT_INPUT_COUNT 1
#define EXACT_INPUT_0_BYTES 4
#define EXACT_INPUT_0_OFFSET 0
#define EXACT_OUTPUT_COUNT 1
#define EXACT_OUTPUT_0_BYTES 4
#define EXACT_OUTPUT_0_OFFSET 0
typedef union { int32_t align; int8_t bytes[4]; } exact_arena;
int exact_run(const int8_t *input_0, int8_t *output_0, exact_arena *arena);
`;

/** An assembly function; `body` ends with its return. */
function assembly(core: Core, symbol: string, body: readonly string[]): string {
  const mode = core.toolchain === 'arm' ? ['.syntax unified', '.thumb_func'] : [];
  const head = ['.pushsection .text', '.balign 4', `.globl ${symbol}`, `.type ${symbol}, %function`, ...mode];
  return `__asm__("${[...head, `${symbol}:`, ...body, '.popsection'].join('\\n')}\\n");\n`;
}

/** A model of two layers in assembly, called one after the other. */
function exactRequest(core: Core, layers: readonly [readonly string[], readonly string[]]): FirmwareRequest {
  const run =
    core.toolchain === 'arm'
      ? ['push {r4, lr}', 'bl exact_layer_0', 'bl exact_layer_1', 'movs r0, #0', 'pop {r4, pc}']
      : ['addi sp, sp, -16', 'sw ra, 0(sp)', 'jal ra, exact_layer_0', 'jal ra, exact_layer_1'].concat([
          'li a0, 0',
          'lw ra, 0(sp)',
          'addi sp, sp, 16',
          'ret',
        ]);
  const source = [
    '#include "exact.h"\n',
    ...layers.map((body, i) => assembly(core, `exact_layer_${i}`, body)),
    assembly(core, 'exact_run', run),
  ].join('');
  const files = new Map([
    ['exact.h', HEADER],
    ['exact.c', source],
  ]);
  return {
    files,
    name: 'exact',
    inputBytes: [4],
    outputBytes: [4],
    layers: 2,
    core: core.name,
    optimize: 'speed',
  };
}

async function perLayer(
  core: Core,
  layers: readonly [readonly string[], readonly string[]],
): Promise<readonly number[]> {
  const firmware = await buildFirmware(exactRequest(core, layers));
  const sample = [new Uint8Array(4)];
  const { profiles } = await runFirmware(firmware, [sample, sample, sample], { profile: true });
  expect(profiles![1]).toEqual(profiles![0]);
  expect(profiles![2]).toEqual(profiles![0]);
  return profiles![0]!.perLayer;
}

/** 2 n + 2 instructions, its return included. */
function countdown(core: Core, n: number): string[] {
  return core.toolchain === 'arm'
    ? [`movs r3, #${n}`, '1: subs r3, r3, #1', 'bne 1b', 'bx lr']
    : [`li t0, ${n}`, '1: addi t0, t0, -1', 'bnez t0, 1b', 'ret'];
}

for (const core of CORES.filter(({ toolchain }) => toolchain !== 'host')) {
  describe.skipIf(!(await canRun(core)))(`instruction counts on ${core.name}`, () => {
    it('are exact to the instruction', async () => {
      const [first, rest] = await perLayer(core, [countdown(core, 200), countdown(core, 10)]);
      // The call of the layer that follows belongs to the layer before.
      expect(first).toBe(2 * 200 + 2 + 1);
      const [again, more] = await perLayer(core, [countdown(core, 200), countdown(core, 250)]);
      expect(again).toBe(first);
      expect(more! - rest!).toBe(2 * 240);
      // After the last layer: the rest of exact_run, and a few instructions up to the end mark.
      expect(rest! - (2 * 10 + 2)).toBeLessThan(core.toolchain === 'arm' ? 6 : 8);
    });

    if (core.toolchain === 'arm' && core.name !== 'cortex-m0plus')
      it('count IT blocks in full', async () => {
        const skipped = [
          'movs r0, #1',
          'cmp r0, #0',
          'ittt eq',
          'addeq r1, #1',
          'addeq r1, #1',
          'addeq r1, #1',
          'bx lr',
        ];
        expect((await perLayer(core, [skipped, ['bx lr']]))[0]).toBe(7 + 1);
      });

    if (core.isas.includes('mve'))
      it('count low-overhead and predicated vector loops', async () => {
        const loop = ['push {r4, lr}', 'movs r3, #100', 'dls lr, r3', '1: nop', 'le lr, 1b', 'pop {r4, pc}'];
        expect((await perLayer(core, [loop, ['bx lr']]))[0]).toBe(3 + 2 * 100 + 1 + 1);
        const vector = [
          'push {r4, lr}',
          'movs r3, #100',
          'dlstp.8 lr, r3',
          '1: vmov.i32 q0, #0',
          'letp lr, 1b',
        ];
        expect((await perLayer(core, [[...vector, 'pop {r4, pc}'], ['bx lr']]))[0]).toBe(3 + 2 * 7 + 1 + 1);
      });
  });
}
