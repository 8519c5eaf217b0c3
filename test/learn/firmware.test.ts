/** Steps on the device equal the rehearsal byte for byte: loss, logits, and every state. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/import/model.ts';
import { prepareForTraining } from '../../src/learn/compile-training.ts';
import { compareSteps } from '../support/training-steps.ts';

const digits = prepareForTraining(
  importModel(new Uint8Array(readFileSync('examples/digits/digits.tflite')), 'digits.tflite').graph,
);
const BACKBONE = '../shared/models/mcunet-5fps';

const everything = {
  biases: 4,
  weights: [
    { layer: 1, ratio: 0.5 },
    { layer: 2, ratio: 1 },
  ],
};

describe('ten steps of the digits network', () => {
  it.each([
    ['host', 'resident', { ...everything, classes: 4 }],
    ['host', 'rows', { ...everything, momentum: 0.9, residualBits: 8 }],
    ['cortex-m4', 'rows', everything],
    ['cortex-m4', 'resident', { ...everything, batch: 3, qas: false, residualBits: 0 }],
    ['cortex-m3', 'rows', { classes: 2 }],
  ] as const)('on %s, %s: %o', async (core, inputMode, scheme) => {
    const rates = [0.01, 0.001, 0, 10];
    const training = {
      graph: digits,
      scheme,
      core,
      inputMode,
      steps: 10,
      rates,
    } as const;
    const losses = await compareSteps(training);
    expect(new Set(losses).size).toBeGreaterThan(5);
  });
});

describe('ten steps of which the power fails in every one', () => {
  it.each([
    ['host', 'resident', { ...everything, momentum: 0.9, residualBits: 8 }],
    ['cortex-m4', 'rows', { ...everything, batch: 3 }],
    ['cortex-m4', 'resident', { ...everything, classes: 4 }],
  ] as const)('on %s, %s: %o', async (core, inputMode, scheme) => {
    const rates = [0.01, 0.001, 0, 10];
    await compareSteps({
      ...{ graph: digits, scheme, core, inputMode, rates },
      steps: 10,
      powerFails: true,
    });
  });
});

describe.skipIf(!existsSync(`${BACKBONE}.json`))(
  'ten steps of mcunet-5fps by the published 49KB scheme',
  () => {
    it.each(['cortex-m4', 'cortex-m7'])('on %s', async (core) => {
      const scheme = JSON.parse(readFileSync('examples/schemes/mcunet-5fps-49KB.json', 'utf8')) as object;
      const [description, tensors] = ['json', 'safetensors'].map(
        (end) => new Uint8Array(readFileSync(`${BACKBONE}.${end}`)),
      );
      const model = { description: description!, tensors: tensors! };
      await compareSteps({
        graph: prepareForTraining(importModel(model, 'mcunet-5fps.json').graph),
        scheme,
        core,
        inputMode: 'rows',
        steps: 10,
        rates: [0.01],
      });
    });
  },
);
