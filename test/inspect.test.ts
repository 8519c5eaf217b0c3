import { describe, expect, test } from 'vitest';
import { describeOutputs, run, runReference } from '../src/api.ts';
import { compile } from '../src/compile.ts';
import { RivuletError } from '../src/core/diagnostics.ts';
import { inspect } from '../src/inspect.ts';
import { tinyModelFile, unsupportedModelFile } from './support/models.ts';
import { mutations } from './support/mutate.ts';

describe('inspect', () => {
  test('its MACs are those of the compiler', () => {
    const bytes = tinyModelFile();
    const { report } = compile(bytes);
    const { operators, macs } = inspect(bytes);
    expect(operators.map((operator) => operator.macs)).toEqual(report.layers.map((layer) => layer.macs));
    expect(macs).toBe(report.macs);
  });

  test.each([
    ['tiny', tinyModelFile()],
    ['unsupported', unsupportedModelFile()],
  ])('damaged copies of the %s model never break it', (_, bytes) => {
    let described = 0;
    for (const { description, bytes: damaged } of mutations(bytes, 11, 1500)) {
      try {
        const { unsupported } = inspect(damaged);
        const faults = unsupported.filter(({ code }) => code.startsWith('RV9'));
        expect(faults, description).toEqual([]);
        ++described;
      } catch (error) {
        if (!(error instanceof RivuletError)) throw new Error(description, { cause: error });
      }
    }
    expect(described).toBeGreaterThan(100);
  });
});

test('the library runs what it compiled', async () => {
  const compilation = compile(tinyModelFile());
  const inputs = [Uint8Array.from({ length: 192 }, (_, i) => 7 * i)];
  const outputs = await run(compilation, inputs);
  expect(outputs).toEqual(runReference(compilation, inputs));
  expect(await run(compilation, inputs)).toEqual(outputs);
  const [output] = describeOutputs(compilation, outputs);
  expect(output).toMatchObject({ name: 'dense', dtype: 'int8', values: [...new Int8Array(outputs[0]!)] });
});
