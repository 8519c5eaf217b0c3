/** What one model costs on one core: from a linked program, run on an emulator. */
import { type Compilation, compile } from '../src/compile.ts';
import type { Optimize } from '../src/core/isa.ts';
import { patternBytes } from '../src/core/random.ts';
import { runFirmware } from '../src/run/execute.ts';
import { firmwareRequest } from '../src/run/executors.ts';
import { buildFirmware, type FirmwareMemory } from '../src/run/firmware.ts';
import type { BenchModel } from './models.ts';

/** All in bytes, but for the instructions of one inference. */
export interface Footprint {
  /** Inputs, outputs, activations, scratch and static data; without the stack. */
  readonly sram: number;
  /** Code, constants and initial values. */
  readonly flash: number;
  /** The deepest use during an inference. */
  readonly stack: number;
  readonly instructions: number;
}

/** Milliseconds: counting instructions slows the emulator several times over. */
const TIMEOUT_MS = 900_000;

export function compileFor({ name, bytes }: BenchModel, core: string, optimize: Optimize): Compilation {
  return compile(bytes, { file: `${name}.tflite`, target: core, optimize });
}

/** A repeatable picture of noise for every input. */
export function patternInputs({ program }: Compilation): Uint8Array[] {
  return program.inputs.map(({ bytes }, i) => new Uint8Array(patternBytes(bytes, 1 + i).buffer));
}

/** Throws RV3004 where compiler or emulator are missing. */
export async function footprint(compilation: Compilation, core: string): Promise<Footprint> {
  const firmware = await buildFirmware(firmwareRequest(compilation, core));
  const run = await runFirmware(firmware, [patternInputs(compilation)], {
    profile: true,
    timeoutMs: TIMEOUT_MS,
  });
  const { arena, data, bss } = firmware.memory!.sram;
  return {
    sram: arena + data + bss,
    flash: flashBytes(firmware.memory!),
    stack: run.stack!,
    instructions: run.instructions!,
  };
}

export function flashBytes({ flash }: FirmwareMemory): number {
  return flash.text + flash.rodata + flash.data;
}

/** Each combination of model, core and optimisation is built and run once. */
export class FootprintCache {
  private readonly known = new Map<string, Promise<Footprint>>();

  of(model: BenchModel, core: string, optimize: Optimize): Promise<Footprint> {
    const key = JSON.stringify([model.name, core, optimize]);
    const found = this.known.get(key) ?? footprint(compileFor(model, core, optimize), core);
    this.known.set(key, found);
    return found;
  }
}
