/** Instructions of many layers on a core: one firmware, one start of the emulator. */
import type { KernelChoice, Optimize } from '../../src/core/isa.ts';
import type { EmitContext } from '../../src/emit/context.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { lower } from '../../src/lower/lower.ts';
import { ALIGNMENT, alignUp } from '../../src/plan/place.ts';
import { type Plan, plan } from '../../src/plan/plan.ts';
import { takeRoom } from '../../src/plan/room.ts';
import type { Call, Program } from '../../src/program/types.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import type { Core } from '../../src/targets/cores.ts';
import { sideBySide } from '../side-by-side.ts';

/** A layer as a program of its own. */
export interface Planned {
  readonly program: Program;
  readonly plan: Plan;
}

export interface MeasuredCall {
  readonly call: Call;
  readonly instructions: number;
}

/** Bytes enough for the scratch of every kernel. */
export const SPACIOUS = 1 << 20;

/** `graph` with the kernels of a choice, in an arena with `room` bytes for scratch that only buys speed. */
export function planned(graph: Graph, choice: KernelChoice, room: number): Planned {
  const program = lower(graph, choice);
  const whole = plan(program);
  if (room === 0) return { program, plan: whole };
  return takeRoom(program, { ...whole, arenaBytes: whole.arenaBytes + room });
}

/** Values of `room` that lead to different kernels: none, and what each needs that wants scratch for speed. */
export function rooms(graph: Graph, choice: KernelChoice): number[] {
  const { calls } = lower(graph, choice);
  return [0, ...calls.flatMap(({ roomy }) => roomy.map(({ scratchBytes }) => scratchBytes))];
}

/** The choice, and for size also that of what layers get where compact kernels do not fit. */
export function choicesWithin(choice: KernelChoice): KernelChoice[] {
  return choice.optimize === 'size' ? [choice, { ...choice, optimize: 'speed' }] : [choice];
}

const NAME = 'layers';

/**
 * The calls of all programs in their order. They share the arena; what one leaves there is input enough for the next,
 * since kernels take the same way for all values but for a few branches. Each begins a word further on: compilers
 * make one function of layers that are the same to the byte.
 */
export async function measureCalls(
  programs: readonly Planned[],
  core: Core,
  optimize: Optimize,
): Promise<MeasuredCall[]> {
  const parts = programs.map(({ program }) => ({ program, calls: program.calls }));
  const { program, firstBuffer } = sideBySide(NAME, parts);
  const addresses = new Array<number>(program.buffers.length).fill(0);
  programs.forEach((part, i) => {
    for (const [id, address] of part.plan.addresses.entries()) {
      addresses[firstBuffer[i]! + id] = address + i * ALIGNMENT;
    }
  });
  const ends = program.buffers.map(({ id, bytes }) => addresses[id]! + bytes);
  const arenaBytes = alignUp(Math.max(...ends));
  const whole: Plan = {
    schedule: program.calls.map(({ index, firings }) => ({ call: index, first: 0, count: firings, step: 1 })),
    ...{ addresses, arenaBytes, liveBytes: arenaBytes, peakCall: 0 },
    liveByCall: program.calls.map(() => arenaBytes),
  };
  const options: Omit<EmitContext, 'program' | 'plan' | 'macro'> = {
    ...{ name: NAME, optimize, provenance: 'layers to be measured' },
  };
  const firmware = await buildFirmware({
    files: emitProject(program, whole, options),
    ...{ name: NAME, optimize, core: core.name, layers: program.calls.length },
    inputBytes: program.inputs.map(({ bytes }) => bytes),
    outputBytes: program.outputs.map(({ bytes }) => bytes),
  });
  const input = program.inputs.map(({ bytes }) => new Uint8Array(bytes));
  const { perLayer } = await runFirmware(firmware, [input], { profile: true, timeoutMs: 600_000 });
  const lost = perLayer!.indexOf(0);
  if (lost >= 0) throw new Error(`${core.name}: layer ${lost}, ${program.calls[lost]!.kernel}, did not run`);
  return program.calls.map((call, i) => ({ call, instructions: perLayer![i]! }));
}
