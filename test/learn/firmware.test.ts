/** Steps on the device equal the rehearsal byte for byte: loss, logits, and every state. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { patternBytes } from '../../src/core/random.ts';
import { emitProject } from '../../src/emit/project.ts';
import { importModel, type ModelBytes } from '../../src/import/model.ts';
import { compileTraining, prepareForTraining } from '../../src/learn/compile-training.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { chooseHost } from '../../src/run/engine/host.ts';
import { Rehearsal } from '../../src/run/rehearsal.ts';
import { type TrainingFirmwareRequest, trainFirmware } from '../../src/run/training-firmware.ts';
import { findTarget } from '../../src/targets/index.ts';

const digits = new Uint8Array(readFileSync('examples/digits/digits.tflite'));
const BACKBONE = '../shared/models/mcunet-5fps';

interface Training {
  readonly model: ModelBytes;
  readonly file: string;
  readonly scheme: object;
  readonly core: string;
  readonly inputMode: 'rows' | 'resident';
  readonly steps: number;
  readonly rates: readonly number[];
  /** With a power cut after every step: test/learn/power-cuts.c. */
  readonly powerFails?: boolean;
}

async function compare({
  model,
  file,
  scheme: fields,
  core,
  inputMode,
  steps,
  rates,
  powerFails = false,
}: Training): Promise<number[]> {
  const graph = prepareForTraining(importModel(model, file).graph);
  const scheme = parseScheme(JSON.stringify(fields), 'test');
  const kernels = { isas: findTarget(core).core.isas, optimize: 'speed' } as const;
  const { program, plan, training } = compileTraining(graph, { scheme, kernels, inputMode });
  const project = emitProject(program, plan, { name: 'net', optimize: 'speed', provenance: 'a test' });
  const image = training.graph.values.get(training.graph.inputs[0]!)!;
  const bytes = image.shape.reduce((product, size) => product * size, 1);
  const classes = program.training!.classes;
  const samples = Array.from({ length: steps }, (_, i) => ({
    image: new Uint8Array(patternBytes(bytes, i + 1).buffer),
    label: (i * 3) % classes,
    rate: rates[i % rates.length]!,
  }));
  const made = { name: 'net', project, program, plan, core, optimize: 'speed' } as const;
  const request = powerFails ? withPowerCuts(made) : made;
  const outcomes = await trainFirmware(request, samples);
  for (const { name: hostName, host } of [await chooseHost('wasm'), await chooseHost()]) {
    const rehearsal = Rehearsal.create(graph, scheme, host);
    samples.forEach(({ image, label, rate }, i) => {
      const { loss } = rehearsal.step(rehearsal.features(image), label, rate);
      expect(outcomes[i]!.loss, `loss of step ${i}, ${hostName}`).toBe(loss);
      for (const [name, state] of outcomes[i]!.states)
        expect(state, `${name} after step ${i}, ${hostName}`).toEqual(rehearsal.state(name));
    });
  }
  return outcomes.map(({ loss }) => loss);
}

function withPowerCuts(request: TrainingFirmwareRequest): TrainingFirmwareRequest {
  const { project, program, plan } = request;
  const prototype =
    'int step(const int8_t *image, int32_t label, float rate, float *loss, net_arena *memory);\n';
  const loss = plan.addresses[program.outputs[1]!.buffer]!;
  const files = new Map(project)
    .set('net.h', `${project.get('net.h')}\n#define LOSS_OFFSET ${loss}\n${prototype}`)
    .set('power-cuts.c', readFileSync('test/learn/power-cuts.c', 'utf8'));
  return { ...request, project: files, stepFunction: 'step' };
}

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
      model: digits,
      file: 'digits.tflite',
      scheme,
      core,
      inputMode,
      steps: 10,
      rates,
    } as const;
    const losses = await compare(training);
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
    await compare({
      ...{ model: digits, file: 'digits.tflite', scheme, core, inputMode, rates },
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
      await compare({
        model,
        file: 'mcunet-5fps.json',
        scheme,
        core,
        inputMode: 'rows',
        steps: 10,
        rates: [0.01],
      });
    });
  },
);
