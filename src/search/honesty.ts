/** What a search promised of a network, and what the linked program takes. */
import { type Compilation, compile } from '../compile.ts';
import { architectureOf } from '../nas/architecture.ts';
import type { Genome } from '../nas/genome.ts';
import { modelBytesOf } from '../nas/graph.ts';
import type { Space } from '../nas/space.ts';
import { firmwareRequest } from '../run/executors.ts';
import { buildFirmware, type FirmwareMemory } from '../run/firmware.ts';
import type { Limits } from './limits.ts';
import { type WayName, wayOptions } from './ways.ts';

/** Bytes. */
export interface Linked {
  readonly sram: number;
  readonly flash: number;
}

/**
 * Of the model's objects and the library functions that they call, as the linker placed them; harness and stack are not in it.
 * @throws RivuletError RV3004 without a toolchain for the target
 */
export async function linkedBytes(compilation: Compilation): Promise<Linked> {
  const firmware = await buildFirmware(firmwareRequest(compilation, compilation.target.core.name));
  const { sram, flash } = firmware.memory as FirmwareMemory;
  return { sram: sram.arena + sram.data + sram.bss, flash: flash.text + flash.rodata + flash.data };
}

/** A network with other weights than those that the search compiled: they must make no difference. */
export function linkedNetwork(
  space: Space,
  genome: Genome,
  way: WayName,
  target: string,
  limits: Limits,
): Promise<Linked> {
  const model = modelBytesOf(architectureOf(space, genome), { seed: OTHER_SEED });
  return linkedBytes(compile(model, wayOptions(way, target, limits)));
}

const OTHER_SEED = 7;
