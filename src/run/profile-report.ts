/** What a model costs on a core, measured: instructions from an emulator, memory from the linked program. */
import type { Compilation } from '../compile.ts';
import { cyclesEstimate } from '../targets/index.ts';
import { runFirmware } from './execute.ts';
import { firmwareRequest, requireEmulatedCore, type Sample } from './executors.ts';
import { buildFirmware } from './firmware.ts';

export interface ProfileReport {
  readonly core: string;
  /** The emulated machine. */
  readonly machine: string;
  /** Of the target: a board's highest clock, or a typical one of the core. */
  readonly clockHz: number;
  /** Of one inference, without start-up; over time, of one window that follows another: all frames of a hop. */
  readonly instructions: number;
  /** A model of the core's pipeline, not a measurement; see `Core.cyclesPerInstruction`. */
  readonly cyclesEstimate: number;
  readonly latencyEstimateMs: number;
  /** Bytes. `bss` includes the arena, and with it inputs and outputs; `stack` is the deepest use seen. */
  readonly sram: { readonly data: number; readonly bss: number; readonly stack: number };
  /** Bytes; `data` are the initial values of `sram.data`. */
  readonly flash: { readonly text: number; readonly rodata: number; readonly data: number };
  readonly layers: readonly ProfiledLayer[];
}

export interface ProfiledLayer {
  readonly index: number;
  readonly name: string;
  readonly op: string;
  readonly macs: number;
  readonly instructions: number;
}

/** Milliseconds: counting slows the emulator several times over. */
const TIMEOUT_MS = 1_800_000;

/**
 * Builds the firmware for the core of the compilation's target and runs it under QEMU.
 * @param samples one inference; over time, frames of which the last completes a window that is not the first
 * @returns the report, and the raw bytes of each output
 * @throws RivuletError RV3001 (no emulator for the core), RV3004 (no toolchain here), RV3006 (too large for any machine)
 */
export async function profile(
  compilation: Compilation,
  samples: readonly Sample[],
): Promise<{ report: ProfileReport; outputs: Uint8Array[] }> {
  const { target, program } = compilation;
  const firmware = await buildFirmware(firmwareRequest(compilation, requireEmulatedCore(target.core.name)));
  const result = await runFirmware(firmware, samples, { profile: true, timeoutMs: TIMEOUT_MS });
  const { sram, flash } = firmware.memory!;
  const profiles = result.profiles!.slice(-(program.sliding?.hopFrames ?? 1));
  const instructions = profiles.reduce((sum, { total }) => sum + total, 0);
  const cycles = cyclesEstimate(target.core, instructions);
  const report: ProfileReport = {
    core: target.core.name,
    machine: result.machine,
    clockHz: target.clockHz,
    instructions,
    cyclesEstimate: cycles,
    latencyEstimateMs: (cycles / target.clockHz) * 1000,
    sram: { data: sram.data, bss: sram.arena + sram.bss, stack: result.stack! },
    flash,
    layers: program.calls.map(({ index, origin, macs }) => ({
      index,
      name: origin.name,
      op: origin.op,
      macs,
      instructions: profiles.reduce((sum, { perLayer }) => sum + perLayer[index]!, 0),
    })),
  };
  return { report, outputs: [...result.outputs.at(-1)!] };
}
