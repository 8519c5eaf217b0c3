/** Steps on the device equal the rehearsal byte for byte: loss, logits, and every state. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/import/model.ts';
import type { Graph } from '../../src/ir/types.ts';
import { prepareForTraining } from '../../src/learn/compile-training.ts';
import { compareSteps } from '../support/training-steps.ts';

const digits = prepareForTraining(
  importModel(new Uint8Array(readFileSync('examples/digits/digits.tflite')), 'digits.tflite').graph,
);
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
    // A rate of 10 saturates everything: losses behind it are few.
    const rates = [0.01, 0.001, 0, 0.01, 0.001, 10, 0.01, 0.001, 0, 10];
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

const SHARED = '../shared/models';

/** A network of `SHARED`: a .tflite file, or a backbone beside its tensors. */
function prepared(file: string): Graph {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(`${SHARED}/${name}`));
  const model = file.endsWith('.json')
    ? { description: read(file), tensors: read(file.replace('.json', '.safetensors')) }
    : read(file);
  return prepareForTraining(importModel(model, file).graph);
}

describe.skipIf(!existsSync(SHARED))('ten steps of mcunet-5fps by the published 49KB scheme', () => {
  it.each(['cortex-m4', 'cortex-m7'])('on %s', async (core) => {
    const scheme = JSON.parse(readFileSync('examples/schemes/mcunet-5fps-49KB.json', 'utf8')) as object;
    await compareSteps({
      graph: prepared('mcunet-5fps.json'),
      ...{ scheme, core, inputMode: 'rows', steps: 10, rates: [0.01] },
    });
  });
});

describe.skipIf(!existsSync(SHARED))('three steps on a Cortex-M4 with other numbers of classes:', () => {
  it.each([
    ['mbv2-w0.35.json', { classes: 7, biases: 6, weights: [{ layer: 48, ratio: 0.5 }] }],
    ['proxyless-w0.3.json', { classes: 5, biases: 3, weights: [{ layer: 58, ratio: 0.25 }] }],
    ['vww.tflite', { classes: 12, biases: 6, weights: [{ layer: 38, ratio: 0.5 }] }],
  ] as const)('%s', async (file, scheme) => {
    const losses = await compareSteps({
      graph: prepared(file),
      ...{ scheme, core: 'cortex-m4', inputMode: 'rows', steps: 3, rates: [0.1] },
    });
    expect(new Set(losses).size).toBe(3);
  });
});
