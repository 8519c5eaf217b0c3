/** Steps of a training on a device and in a rehearsal, which must not differ in a byte. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { patternBytes } from '../../src/core/random.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { compileTraining } from '../../src/learn/compile-training.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { chooseHost } from '../../src/run/engine/host.ts';
import { Rehearsal } from '../../src/run/rehearsal.ts';
import { type TrainingFirmwareRequest, trainFirmware } from '../../src/run/training-firmware.ts';
import { findTarget } from '../../src/targets/index.ts';

export interface TrainingSteps {
  /** After `prepareForTraining`. */
  readonly graph: Graph;
  readonly scheme: object;
  readonly core: string;
  readonly inputMode: 'rows' | 'resident';
  readonly steps: number;
  readonly rates: readonly number[];
  /** With a power cut after every step: test/learn/power-cuts.c. */
  readonly powerFails?: boolean;
}

/** @returns the loss of each step */
export async function compareSteps({
  graph,
  scheme: fields,
  core,
  inputMode,
  steps,
  rates,
  powerFails = false,
}: TrainingSteps): Promise<number[]> {
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
