/** From the winner of a search to a firmware: fine-tuned, quantised, exported, compiled, verified. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Compilation, compile } from '../compile.ts';
import { fail } from '../core/diagnostics.ts';
import type { Dataset } from '../data/dataset.ts';
import { inputsOf, SYMMETRIC } from '../data/inputs.ts';
import { sample } from '../data/split.ts';
import { writeTflite } from '../export/tflite.ts';
import { importModel } from '../import/model.ts';
import { inputType, type Measured, measure } from '../quantize/measure.ts';
import { type Choice, quantize } from '../quantize/quantize.ts';
import { contentHash } from '../run/cache.ts';
import type { EngineHost } from '../run/engine/engine.ts';
import { type HostName, openHost } from '../run/engine/host.ts';
import { createExecutor } from '../run/executors.ts';
import { canRun } from '../run/toolchain.ts';
import type { Target } from '../targets/index.ts';
import { type NetworkDescription, networkOf } from '../train/blocks.ts';
import type { States, Trainable } from '../train/evaluation.ts';
import { inferenceGraph } from '../train/inference.ts';
import type { Recipe } from '../train/recipe.ts';
import { readStates, writeStates } from '../train/trained.ts';
import { type TrainOptions, train } from '../train/trainer.ts';
import { VERSION } from '../version.ts';
import { type Linked, linkedBytes } from './honesty.ts';
import { exceeded, type LimitName, type Limits } from './limits.ts';
import { type Cost, costOf, type WayName, wayOptions } from './ways.ts';

export interface FinishRequest {
  readonly network: NetworkDescription;
  /** What fine-tuning begins with. */
  readonly states: States;
  readonly train: Dataset;
  /** Looked at once, at the end. */
  readonly test: Dataset | undefined;
  readonly recipe: Recipe;
  readonly target: Target;
  readonly limits: Limits;
  readonly way: WayName;
  readonly host: EngineHost;
  readonly hostName: HostName;
  readonly folder: string;
  /** What the model is called, also in C. */
  readonly name: string;
  readonly progress: Pick<TrainOptions, 'onEpoch' | 'onProgress' | 'signal'>;
}

export interface Finished {
  /** float32 and int8, on the part for testing; null where the data have none. */
  readonly test: (Measured & { readonly count: number }) | null;
  readonly quantized: Choice & { readonly sqnr: number };
  /** What the compiler says of the trained network. */
  readonly cost: Cost;
  /** A limit that it exceeds after all: scales of trained weights can ask for other kernels, some hundred bytes of code. */
  readonly exceeds: LimitName | null;
  /** Of the linked program; null where there is no toolchain for the target. */
  readonly linked: Linked | null;
  /** Inputs for which the emulated chip gave the same bytes as the definition; null where there is no emulator. */
  readonly verified: number | null;
  readonly files: readonly string[];
}

/** Items to calibrate with, and inputs to verify with. */
const CALIBRATION = 256;
const VERIFIED = 3;

/** @throws RivuletError RV9004 if the emulated chip disagrees with the definition; as `train`, `quantize` and `compile` */
export async function finish(request: FinishRequest): Promise<Finished> {
  const { network, folder, name, target, limits, way, test } = request;
  const build: Trainable = (how) => networkOf(network, how);
  const states = await tuned(request, build);
  const float = inferenceGraph(build, states);
  const calibration = sample(request.train, CALIBRATION, request.recipe.seed);
  const toFloat = inputsOf(calibration, inputType(float, 'float32'), SYMMETRIC);
  const samples = Array.from(
    { length: calibration.length },
    (_, i) => toFloat(calibration.item(i).values) as Float32Array,
  );
  const wasm = await openHost('wasm');
  const made = quantize(float, samples, {
    host: wasm,
    ...(calibration.kind === 'pixels' && { input: { scale: SYMMETRIC.scale, zeroPoint: 0 } }),
  });
  const model = writeTflite(made.graph, `${name}, found by Rivulet ${VERSION} for ${target.name}`);
  const options = { ...wayOptions(way, target.name, limits), file: `${name}.tflite`, name };
  const compilation = compile(model, options);
  const int8 = importModel(model, `${name}.tflite`).graph;
  const files: [string, string | Uint8Array][] = [
    [`${name}.tflite`, model],
    ...[...compilation.project].map(([file, text]): [string, string] => [join('firmware', file), text]),
    [join('firmware', 'report.json'), `${JSON.stringify(compilation.report, null, 2)}\n`],
  ];
  for (const [file, content] of files) await write(join(folder, file), content);
  const cost = costOf(compilation, way);
  const canEmulate = target.core.name !== 'host' && (await canRun(target.core));
  return {
    test: test ? { ...measure({ float, int8 }, test, SYMMETRIC, request.host), count: test.length } : null,
    quantized: { ...made.choice, sqnr: made.sqnr },
    cost,
    exceeds: exceeded(limits, cost),
    linked: canEmulate ? await linkedBytes(compilation) : null,
    verified: canEmulate ? await verify(compilation, int8, test ?? request.train) : null,
    files: [`${name}.json`, `${name}.safetensors`, `${name}.tflite`, 'firmware'].map((file) =>
      join(folder, file),
    ),
  };
}

/** The fine-tuned states; what an earlier run has left is not trained again. */
async function tuned(request: FinishRequest, build: Trainable): Promise<States> {
  const { network, states, recipe, host, hostName, folder, name, progress } = request;
  const identity = contentHash([
    'finish',
    JSON.stringify([network, recipe, hostName, VERSION]),
    request.train.labels.join(),
    ...[...states].map(([state, values]) => `${state} ${contentHash([values.join()])}`),
  ]);
  const trained = await train(build, request.train, recipe, {
    host,
    shape: network.input,
    states,
    checkpoint: { path: join(folder, `${name}.checkpoint`), identity },
    ...progress,
  });
  const bytes = writeStates(build({ batch: 1, mode: 'run' }), trained.states);
  await write(join(folder, `${name}.safetensors`), bytes);
  await write(join(folder, `${name}.json`), `${JSON.stringify(network, null, 2)}\n`);
  return readStates(network, bytes, `${name}.safetensors`);
}

/** @returns how many inputs gave the same bytes */
async function verify(
  compilation: Compilation,
  int8: Parameters<typeof inputType>[0],
  data: Dataset,
): Promise<number> {
  const toInput = inputsOf(data, inputType(int8, 'int8'), SYMMETRIC);
  const inputs = Array.from({ length: Math.min(VERIFIED, data.length) }, (_, i) => {
    const raw = toInput(data.item(i).values) as Int8Array;
    return [new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)];
  });
  const [definition, chip] = await Promise.all([
    createExecutor('reference', compilation),
    createExecutor('qemu', compilation),
  ]);
  const expected = await definition.run(inputs);
  const outputs = await chip.run(inputs);
  expected.forEach((tensors, i) => {
    const equal = tensors.every((bytes, t) => Buffer.compare(bytes, outputs[i]![t]!) === 0);
    if (!equal) fail('RV9004', `input ${i}: the emulated ${chip.name} disagrees with the definition`);
  });
  return inputs.length;
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: path });
  }
}
