import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { patternBytes } from '../../src/core/random.ts';
import { compareExecutors } from '../../src/run/compare.ts';
import { createExecutor, type Executor } from '../../src/run/executors.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';
import { tinyModelFile } from '../support/models.ts';

const compilation = compile(tinyModelFile(), { file: 'tiny.tflite' });
const inputs = [asBytes(patternBytes(192))];
const canQemu = await canRun(findTarget('cortex-m4').core);
const canNative = await canRun(findTarget('host').core);

/** Like `wasm`, but for one bit. */
async function faulty(where: { call: number; byte: number } | 'output'): Promise<Executor> {
  const sound = await createExecutor('wasm', compilation);
  const flip = (data: Uint8Array, byte: number) => data.map((value, i) => (i === byte ? value ^ 1 : value));
  return {
    ...sound,
    name: 'faulty',
    run: async (samples) => {
      const outputs = await sound.run(samples);
      return where === 'output' ? outputs.map(([first]) => [flip(first!, 2)]) : outputs;
    },
    trace: async (sample) =>
      (await sound.trace(sample)).map(({ call, data }) =>
        where !== 'output' && call === where.call ? { call, data: flip(data, where.byte) } : { call, data },
      ),
  };
}

describe('executors agree on every layer', () => {
  test('reference and wasm', async () => {
    const [a, b] = [
      await createExecutor('reference', compilation),
      await createExecutor('wasm', compilation),
    ];
    expect(await a.run([inputs, inputs])).toEqual(await b.run([inputs, inputs]));
    expect((await a.trace(inputs)).map(({ call }) => call)).toEqual([0, 1]);
    const expected = { identical: true, layers: 2, difference: null };
    expect(await compareExecutors(compilation.program, a, b, inputs)).toEqual(expected);
  });

  test.skipIf(!canNative)('reference and native', async () => {
    const [a, b] = [
      await createExecutor('reference', compilation),
      await createExecutor('native', compilation),
    ];
    expect((await compareExecutors(compilation.program, a, b, inputs)).identical).toBe(true);
  });

  test.skipIf(!canQemu)('reference and QEMU', async () => {
    const a = await createExecutor('reference', compilation);
    const b = await createExecutor('qemu', compilation, { core: 'm4' });
    expect(b.name).toBe('qemu:cortex-m4');
    expect(b.machine).toBe('mps2-an386');
    expect((await compareExecutors(compilation.program, a, b, inputs)).identical).toBe(true);
  });
});

test('the first layer and element that differ are found', async () => {
  const [a, b] = [await createExecutor('wasm', compilation), await faulty({ call: 0, byte: 30 })];
  const { identical, layers, difference } = await compareExecutors(compilation.program, a, b, inputs);
  expect([identical, layers]).toEqual([false, 1]);
  expect(difference).toMatchObject({
    kind: 'layer',
    index: 0,
    name: 'conv',
    op: 'CONV_2D',
    element: 30,
    position: [0, 1, 3, 2],
    differing: 1,
    elements: 64,
  });
  expect(Math.abs(difference!.a - difference!.b)).toBe(1);
});

test('outputs are compared when all layers agree', async () => {
  const [a, b] = [await createExecutor('wasm', compilation), await faulty('output')];
  const { difference } = await compareExecutors(compilation.program, a, b, inputs);
  expect(difference).toMatchObject({ kind: 'output', index: 0, name: 'dense', element: 2, position: [0, 2] });
});

test('an emulator needs a microcontroller core', async () => {
  await expect(createExecutor('qemu', compilation)).rejects.toThrow('RV3001');
});
