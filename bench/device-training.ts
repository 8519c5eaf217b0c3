/** What training on a device is allowed to cost, as last recorded: mcunet-5fps by the published 49KB scheme. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { emitProject } from '../src/emit/project.ts';
import { importModel } from '../src/import/model.ts';
import { compileTraining, prepareForTraining } from '../src/learn/compile-training.ts';
import { parseScheme } from '../src/learn/scheme.ts';
import { requireCompiler } from '../src/run/toolchain.ts';
import { profileTraining } from '../src/run/training-firmware.ts';
import { findTarget } from '../src/targets/index.ts';

/** Relative to the repository's root, as all paths here. */
export const TRAINING_FILE = 'test/ratchet/training.json';

export const TRAINING_CORE = 'cortex-m4';

const BACKBONE = '../shared/models/mcunet-5fps';
const SCHEME = 'examples/schemes/mcunet-5fps-49KB.json';

/** SRAM with the stack and flash in bytes; instructions of an inference and of a step. */
export interface TrainingCost {
  readonly sram: number;
  readonly flash: number;
  readonly inference: number;
  readonly step: number;
}

export interface TrainingBudget {
  /** The first line of its `--version`: another one makes other code. */
  readonly compiler: string;
  readonly cost: TrainingCost;
}

export function hasBackbone(): boolean {
  return existsSync(`${BACKBONE}.json`);
}

/** 128x128, rows pushed, 10 classes, batch 1, for speed. Needs the cross-compiler, the emulator and `hasBackbone`. */
export async function measureDeviceTraining(): Promise<TrainingCost> {
  const [description, tensors] = ['json', 'safetensors'].map(
    (end) => new Uint8Array(readFileSync(`${BACKBONE}.${end}`)),
  );
  const { graph } = importModel({ description: description!, tensors: tensors! }, 'mcunet-5fps.json');
  const scheme = parseScheme(readFileSync(SCHEME, 'utf8'), SCHEME);
  const kernels = { isas: findTarget(TRAINING_CORE).core.isas, optimize: 'speed' } as const;
  const { program, plan } = compileTraining(prepareForTraining(graph), { scheme, kernels });
  const made = { name: 'net', program, plan, core: TRAINING_CORE, optimize: 'speed' } as const;
  const project = emitProject(program, plan, { ...made, provenance: 'a benchmark' });
  const image = new Uint8Array(program.inputs[0]!.bytes).map((_, i) => i * 37 + 11);
  const profile = await profileTraining({ ...made, project }, { image, label: 0, rate: 0.001 });
  const { forward, step } = profile.instructions;
  return { sram: profile.sram.total, flash: profile.flash.total, inference: forward, step };
}

/** Measures and records. */
export async function writeTrainingBudget(): Promise<void> {
  const { version } = await requireCompiler(findTarget(TRAINING_CORE).core);
  const budget: TrainingBudget = { compiler: version, cost: await measureDeviceTraining() };
  writeFileSync(TRAINING_FILE, `${JSON.stringify(budget, null, 2)}\n`);
  console.log('training', budget.cost);
}
