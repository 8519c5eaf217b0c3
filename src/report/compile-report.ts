/** What a compilation costs, as one JSON document; the CLI prints it, a page can show it. */

import type { FrontEndTables } from '../audio/tables.ts';
import type { Optimize } from '../core/isa.ts';
import { estimateCode } from '../cost/code-size.ts';
import { frontEndCode } from '../cost/front-end-code.ts';
import { estimateInstructions } from '../cost/instructions.ts';
import { estimateLatency, type LatencyEstimate } from '../cost/latency.ts';
import { constantBytes } from '../emit/constants.ts';
import { frontEndBytes, frontEndConstantBytes } from '../emit/front-end.ts';
import { counterBytes } from '../emit/push.ts';
import type { Plan } from '../plan/plan.ts';
import type { Call, Program, Sliding } from '../program/types.ts';
import type { Target } from '../targets/index.ts';

export interface CompileReport {
  readonly target: string;
  /** Multiply-accumulates of one inference; over time, of one window that follows another. */
  readonly macs: number;
  /** Bytes of RAM. The parts are disjoint and `total` is their sum. */
  readonly sram: {
    /** Activations, inputs, outputs and scratch, overlaid in one block. */
    readonly arena: number;
    /** Counters that persist between pushed rows or frames. */
    readonly state: number;
    /** Working memory of the front-end for sound, samples of a frame included; 0 without one. */
    readonly frontEnd: number;
    /** Input and output buffers outside the arena: none, they are part of it. */
    readonly io: number;
    /** Scratch outside the arena: none, it is planned with the activations. */
    readonly scratch: number;
    readonly total: number;
  };
  /** Bytes of flash. */
  readonly flash: {
    /** Weights and biases. */
    readonly weights: number;
    /** Made by the compiler: multipliers, shifts, lookup tables, the layers' parameters and row tables. */
    readonly tables: number;
    /** Code for the target's core, an ESTIMATE from measured kernels; `profile` measures it. */
    readonly code: number;
    readonly total: number;
  };
  /** Over time: how the window slides, and what one costs from scratch, beside `macs`; null for single inferences. */
  readonly sliding: Omit<Sliding, 'windowFirings'> | null;
  /** The layer during which most bytes are live; null when nothing has to be computed. */
  readonly peak: { readonly layer: number; readonly name: string; readonly liveBytes: number } | null;
  /** Against the target's memories; null where the target has no limit. */
  readonly fit: { readonly sram: Fit | null; readonly flash: Fit | null; readonly fits: boolean };
  /** Of one inference, before anything is built; null for a core without measured kernels, such as the host. */
  readonly latency: LatencyEstimate | null;
  readonly layers: readonly LayerReport[];
  /** What operators of the model need not compute, in execution order; empty with --keep-constant-channels. */
  readonly removed: readonly RemovedReport[];
}

/** An operator that lost channels: of its output, or only of its input. */
export interface RemovedReport {
  /** Position in the file. */
  readonly operator: number;
  /** The operator as the model calls it. */
  readonly op: string;
  readonly name: string;
  /** Output channels that went, as the model counts them. */
  readonly channels: readonly number[];
  /** Output channels in the model. */
  readonly of: number;
  /** Multiply-accumulates in the model, and how many of them are saved. */
  readonly macs: number;
  readonly macsSaved: number;
  /** Why every input gives the same outputs as before. */
  readonly proof: string;
}

export interface Fit {
  readonly available: number;
  readonly needed: number;
  /** Bytes to spare; negative: bytes missing. */
  readonly margin: number;
}

export interface LayerReport {
  readonly index: number;
  readonly name: string;
  /** The operator as the model calls it. */
  readonly op: string;
  readonly macs: number;
  /** Over time: rows computed for a window, of all it has; null for single inferences and what only sliding needs. */
  readonly rows: { readonly computed: number; readonly all: number } | null;
  /** Bytes live while the layer runs. */
  readonly sram: number;
  /** ESTIMATED instructions of one inference; null where `latency` is. */
  readonly instructions: number | null;
  readonly kernel: string;
  readonly why: string;
}

export function compileReport(
  program: Program,
  plan: Plan,
  {
    target,
    optimize,
    maxSram,
    frontEnd,
    removed,
  }: {
    target: Target;
    optimize: Optimize;
    maxSram: number | undefined;
    frontEnd: FrontEndTables | undefined;
    removed: readonly RemovedReport[];
  },
): CompileReport {
  const constants = constantBytes(program);
  const estimate = estimateCode({ program, plan, optimize }, target.core.name);
  const instructions = estimateInstructions(program, target.core.name, optimize);
  const { weights } = constants;
  const heard = frontEnd && {
    sram: frontEndBytes(frontEnd),
    tables: frontEndConstantBytes(frontEnd),
    code: frontEndCode(target.core.name, optimize),
  };
  const tables = constants.tables + estimate.constantBytes + (heard?.tables ?? 0);
  const code = estimate.bytes + (heard?.code ?? 0);
  const state = counterBytes(program, plan);
  const front = heard?.sram ?? 0;
  const total = plan.arenaBytes + state + front;
  const sram = { arena: plan.arenaBytes, state, frontEnd: front, io: 0, scratch: 0, total };
  const flash = { weights, tables, code, total: weights + tables + code };
  const fit = { sram: fitOf(maxSram, sram.total), flash: fitOf(target.flash, flash.total) };
  const peak = plan.peakCall === null ? null : program.calls[plan.peakCall]!;
  return {
    target: target.name,
    macs: program.calls.reduce((sum, call) => sum + call.macs, 0),
    sram,
    flash,
    sliding: slidingOf(program),
    peak: peak && { layer: peak.index, name: peak.origin.name, liveBytes: plan.liveBytes },
    fit: { ...fit, fits: [fit.sram, fit.flash].every((f) => f === null || f.margin >= 0) },
    latency: instructions && estimateLatency(instructions, target),
    layers: program.calls.map((call) => ({
      index: call.index,
      name: call.origin.name,
      op: call.origin.op,
      macs: call.macs,
      rows: rowsOf(program, call),
      sram: plan.liveByCall[call.index]!,
      instructions: instructions?.layers[call.index] ?? null,
      kernel: call.kernel,
      why: call.why,
    })),
    removed,
  };
}

function slidingOf({ sliding }: Program): CompileReport['sliding'] {
  if (sliding === undefined) return null;
  const { windowFrames, hopFrames, windowMacs } = sliding;
  return { windowFrames, hopFrames, windowMacs };
}

function rowsOf({ sliding }: Program, { index, firings }: Call): LayerReport['rows'] {
  const all = sliding?.windowFirings[index] ?? 0;
  return all === 0 ? null : { computed: firings, all };
}

function fitOf(available: number | undefined, needed: number): Fit | null {
  return available === undefined ? null : { available, needed, margin: available - needed };
}

/** Output channels that went, and multiply-accumulates that were saved, over all operators. */
export function removedTotals({ removed }: CompileReport): { channels: number; macs: number } {
  return {
    channels: removed.reduce((sum, { channels }) => sum + channels.length, 0),
    macs: removed.reduce((sum, { macsSaved }) => sum + macsSaved, 0),
  };
}
