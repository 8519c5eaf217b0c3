/** What a compilation costs, as one JSON document; the CLI prints it, a page can show it. */

import type { Optimize } from '../core/isa.ts';
import { estimateCode } from '../cost/code-size.ts';
import { estimateInstructions } from '../cost/instructions.ts';
import { estimateLatency, type LatencyEstimate } from '../cost/latency.ts';
import { constantBytes } from '../emit/constants.ts';
import { pushState } from '../emit/push.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';
import type { Target } from '../targets/index.ts';

export interface CompileReport {
  readonly target: string;
  readonly macs: number;
  /** Bytes of RAM. The parts are disjoint and `total` is their sum. */
  readonly sram: {
    /** Activations, inputs, outputs and scratch, overlaid in one block. */
    readonly arena: number;
    /** Counters that persist between pushed rows. */
    readonly state: number;
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
  /** The layer during which most bytes are live; null when nothing has to be computed. */
  readonly peak: { readonly layer: number; readonly name: string; readonly liveBytes: number } | null;
  /** Against the target's memories; null where the target has no limit. */
  readonly fit: { readonly sram: Fit | null; readonly flash: Fit | null; readonly fits: boolean };
  /** Of one inference, before anything is built; null for a core without measured kernels, such as the host. */
  readonly latency: LatencyEstimate | null;
  readonly layers: readonly LayerReport[];
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
  { target, optimize, maxSram }: { target: Target; optimize: Optimize; maxSram: number | undefined },
): CompileReport {
  const constants = constantBytes(program);
  const estimate = estimateCode({ program, plan, optimize }, target.core.name);
  const instructions = estimateInstructions(program, target.core.name, optimize);
  const { weights } = constants;
  const tables = constants.tables + estimate.constantBytes;
  const state = pushState(program, plan.schedule)?.bytes ?? 0;
  const sram = { arena: plan.arenaBytes, state, io: 0, scratch: 0, total: plan.arenaBytes + state };
  const flash = { weights, tables, code: estimate.bytes, total: weights + tables + estimate.bytes };
  const fit = { sram: fitOf(maxSram, sram.total), flash: fitOf(target.flash, flash.total) };
  const peak = plan.peakCall === null ? null : program.calls[plan.peakCall]!;
  return {
    target: target.name,
    macs: program.calls.reduce((sum, call) => sum + call.macs, 0),
    sram,
    flash,
    peak: peak && { layer: peak.index, name: peak.origin.name, liveBytes: plan.liveBytes },
    fit: { ...fit, fits: [fit.sram, fit.flash].every((f) => f === null || f.margin >= 0) },
    latency: instructions && estimateLatency(instructions, target),
    layers: program.calls.map((call) => ({
      index: call.index,
      name: call.origin.name,
      op: call.origin.op,
      macs: call.macs,
      sram: plan.liveByCall[call.index]!,
      instructions: instructions?.layers[call.index] ?? null,
      kernel: call.kernel,
      why: call.why,
    })),
  };
}

function fitOf(available: number | undefined, needed: number): Fit | null {
  return available === undefined ? null : { available, needed, margin: available - needed };
}
