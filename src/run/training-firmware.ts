/** A training program as firmware: built for a core, run for some steps, measured. */
import { asBytes } from '../core/dtype.ts';
import type { Optimize } from '../core/isa.ts';
import type { Project } from '../emit/project.ts';
import { trainingInputs } from '../emit/training.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';
import { type RunResult, runFirmware } from './execute.ts';
import { buildFirmware, type Firmware } from './firmware.ts';

export interface TrainingFirmwareRequest {
  readonly name: string;
  readonly project: Project;
  readonly program: Program;
  readonly plan: Plan;
  readonly core: string;
  readonly optimize: Optimize;
  /** See `TrainingInterface`. */
  readonly stepFunction?: string;
}

/** A labelled image: raw bytes of the network's input. */
export interface LabelledImage {
  readonly image: Uint8Array;
  readonly label: number;
  readonly rate: number;
}

/** What the device holds after a step. */
export interface StepOutcome {
  readonly logits: Uint8Array;
  readonly loss: number;
  /** Bytes of every state, by name. */
  readonly states: ReadonlyMap<string, Uint8Array>;
}

/** Steps before the one that is measured, and it: a new classifier is 0 at first, and so are the gradients behind it. */
const SETTLING_STEPS = 8;

/** Milliseconds for all steps. */
const TIMEOUT_MS = 1_800_000;

/** @throws RivuletError RV3004, RV3006, RV9004: see `buildFirmware` */
export function buildTraining(
  request: TrainingFirmwareRequest,
  does: 'inference' | 'step',
): Promise<Firmware> {
  const { name, project, program, plan, core, optimize, stepFunction } = request;
  const { image } = trainingInputs(program);
  const states = program.states.map(({ buffer, offset, bytes }) => ({
    at: plan.addresses[buffer]! + offset,
    bytes,
  }));
  const ports = program.outputs.map(({ buffer, bytes }) => ({ at: plan.addresses[buffer]!, bytes }));
  return buildFirmware({
    files: project,
    name,
    inputBytes: does === 'step' ? [4, 4, image.bytes] : [image.bytes],
    outputBytes: program.outputs.map(({ bytes }) => bytes),
    reads: does === 'step' ? [...ports, ...states] : ports.slice(0, 1),
    training: { does, ...(stepFunction !== undefined && { stepFunction }) },
    layers: program.calls.length,
    core,
    optimize,
  });
}

/** Steps one after the other, from the states as they begin. */
export async function trainFirmware(
  request: TrainingFirmwareRequest,
  samples: readonly LabelledImage[],
): Promise<StepOutcome[]> {
  const firmware = await buildTraining(request, 'step');
  const { outputs } = await runFirmware(firmware, samples.map(asSample), { timeoutMs: TIMEOUT_MS });
  return outputs.map(([logits, loss, ...states]) => ({
    logits: logits!,
    loss: new DataView(loss!.buffer, loss!.byteOffset).getFloat32(0, true),
    states: new Map(request.program.states.map(({ name }, i) => [name, states[i]!])),
  }));
}

/** What a training firmware takes on a core. */
export interface TrainingProfile {
  readonly core: string;
  readonly machine: string;
  readonly instructions: { readonly forward: number; readonly step: number };
  /** Bytes; `bss` has the arena in it, `stack` is the deepest use of a step. */
  readonly sram: Record<'data' | 'bss' | 'stack' | 'total', number>;
  readonly flash: Record<'text' | 'rodata' | 'data' | 'total', number>;
  readonly layers: readonly {
    readonly name: string;
    readonly op: string;
    readonly macs: number;
    readonly instructions: number;
  }[];
}

/** What linked training firmware takes: as `profileTraining` has it, of steps that are not counted and sooner done. */
export async function measureTraining(
  request: TrainingFirmwareRequest,
  { image, label, rate }: LabelledImage,
): Promise<Pick<TrainingProfile, 'sram' | 'flash'>> {
  const [inference, step] = [await buildTraining(request, 'inference'), await buildTraining(request, 'step')];
  const options = { timeoutMs: TIMEOUT_MS };
  const forward = await runFirmware(inference, [[image]], options);
  const whole = await runFirmware(step, new Array(2).fill(asSample({ image, label, rate })), options);
  return memoryOf(step, Math.max(whole.stack!, forward.stack!));
}

function memoryOf({ memory }: Firmware, stack: number): Pick<TrainingProfile, 'sram' | 'flash'> {
  const { sram, flash } = memory!;
  const bss = sram.arena + sram.bss;
  return {
    sram: { data: sram.data, bss, stack, total: sram.data + bss + stack },
    flash: { ...flash, total: flash.text + flash.rodata + flash.data },
  };
}

export async function profileTraining(
  request: TrainingFirmwareRequest,
  sample: LabelledImage,
): Promise<TrainingProfile> {
  const [inference, step] = [await buildTraining(request, 'inference'), await buildTraining(request, 'step')];
  const run = (firmware: Firmware, tensors: readonly Uint8Array[], times: number): Promise<RunResult> =>
    runFirmware(firmware, new Array(times).fill(tensors), { profile: true, timeoutMs: TIMEOUT_MS });
  const forward = await run(inference, [sample.image], 1);
  const whole = await run(step, asSample(sample), SETTLING_STEPS);

  const last = whole.profiles!.at(-1)!;
  return {
    core: request.core,
    machine: whole.machine,
    instructions: { forward: forward.profiles!.at(-1)!.total, step: last.total },
    ...memoryOf(step, Math.max(whole.stack!, forward.stack!)),
    layers: request.program.calls.map(({ index, origin, op, macs }) => ({
      name: origin.name,
      op,
      macs,
      instructions: last.perLayer[index]!,
    })),
  };
}

function asSample({ image, label, rate }: LabelledImage): Uint8Array[] {
  return [asBytes(Int32Array.of(label)), asBytes(Float32Array.of(rate)), image];
}
