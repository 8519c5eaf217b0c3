/** A trained network as a .tflite computes what NAME_run of the firmware that trained it computes, bit for bit. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { patternBytes } from '../../src/core/random.ts';
import { emitProject } from '../../src/emit/project.ts';
import { writeTflite } from '../../src/export/tflite.ts';
import { importModel, type ModelBytes } from '../../src/import/model.ts';
import { compileTraining, prepareForTraining } from '../../src/learn/compile-training.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { decodeSlot, encodeSlot, slotLayoutOf } from '../../src/learn/slot.ts';
import { writeBack } from '../../src/learn/write-back.ts';
import { trainFirmware } from '../../src/run/training-firmware.ts';
import { WasmExecutor } from '../../src/run/wasm.ts';
import { findTarget } from '../../src/targets/index.ts';
import { canRun } from '../support/firmware.ts';

const digits = new Uint8Array(readFileSync('examples/digits/digits.tflite'));
const BACKBONE = '../shared/models/mcunet-5fps';

/** Logits of the firmware and of the export, image by image. */
async function logitsOf(model: ModelBytes, file: string, fields: object, core: string, steps: number) {
  const graph = prepareForTraining(importModel(model, file).graph);
  const scheme = parseScheme(JSON.stringify(fields), 'test');
  const kernels = { isas: findTarget(core).core.isas, optimize: 'speed' } as const;
  const { program, plan, training } = compileTraining(graph, { scheme, kernels });
  const project = emitProject(program, plan, { name: 'net', optimize: 'speed', provenance: 'a test' });
  const { classes } = program.training!;
  const samples = Array.from({ length: 2 * steps }, (_, i) => ({
    image: new Uint8Array(patternBytes(program.inputs[0]!.bytes, i + 1).buffer),
    label: (i * 3) % classes,
    // A rate of 0 leaves parameters as they are: the second half are inferences of what the first half has learnt.
    rate: i < steps ? 0.02 : 0,
  }));
  const request = { name: 'net', project, program, plan, core, optimize: 'speed' } as const;
  const outcomes = await trainFirmware(request, samples);
  const layout = slotLayoutOf(training, scheme);
  const slot = encodeSlot(layout, { steps, states: outcomes[steps - 1]!.states });
  const exported = (bytes: Uint8Array): Uint8Array =>
    writeTflite(writeBack(training, decodeSlot(bytes, layout, 'slot')));
  const { program: inference, plan: placed } = compile(exported(slot), { file: 'trained.tflite' });
  const executor = await WasmExecutor.create(inference, placed);
  const asModel = await WasmExecutor.create(
    ...(({ program: p, plan: q }) => [p, q] as const)(
      compile(writeTflite(training.inference), { file: 'untrained.tflite' }),
    ),
  );
  const run = (on: WasmExecutor) => samples.slice(steps).map(({ image }) => [...on.run([image])[0]!]);
  return {
    firmware: outcomes.slice(steps).map(({ logits }) => [...logits]),
    trained: run(executor),
    untrained: run(asModel),
  };
}

const SCHEMES = {
  'all kinds of layers, some channels': {
    biases: 4,
    weights: [
      { layer: 1, ratio: 0.5 },
      { layer: 2, ratio: 1 },
      { layer: 3, ratio: 0.4 },
    ],
  },
  'a new classifier': { classes: 4, biases: 2 },
};

describe.each(['host', 'cortex-m4'])('digits, trained on %s', (core) => {
  it.skipIf(!canRun(core)).each(Object.entries(SCHEMES))('%s', async (_, scheme) => {
    const { firmware, trained, untrained } = await logitsOf(digits, 'digits.tflite', scheme, core, 12);
    expect(trained).toEqual(firmware);
    expect(untrained).not.toEqual(firmware);
  });
});

describe.skipIf(!existsSync(`${BACKBONE}.json`))('mcunet-5fps by the published 49KB scheme', () => {
  it('goes from JSON and safetensors to a .tflite of the same bytes', async () => {
    const scheme = JSON.parse(readFileSync('examples/schemes/mcunet-5fps-49KB.json', 'utf8')) as object;
    const [description, tensors] = ['json', 'safetensors'].map(
      (end) => new Uint8Array(readFileSync(`${BACKBONE}.${end}`)),
    );
    const model = { description: description!, tensors: tensors! };
    const { firmware, trained, untrained } = await logitsOf(model, 'mcunet-5fps.json', scheme, 'host', 6);
    expect(trained).toEqual(firmware);
    expect(untrained).not.toEqual(firmware);
  });
});
