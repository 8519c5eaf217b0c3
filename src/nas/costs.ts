/**
 * What networks cost on a target before they are trained. Networks of a space share most of their pieces, so each piece
 * goes through the compiler once, and a network is their sum: 108,000 networks take minutes.
 */
import type { KernelChoice } from '../core/isa.ts';
import { type CodeParts, codeParts, sumCode } from '../cost/code-size.ts';
import { estimateInstructions } from '../cost/instructions.ts';
import { constantBytes } from '../emit/constants.ts';
import type { Graph } from '../ir/types.ts';
import { lower } from '../lower/lower.ts';
import { runPasses } from '../passes/pipeline.ts';
import { plan } from '../plan/plan.ts';
import { takeRoom } from '../plan/room.ts';
import { cyclesEstimate, type Target } from '../targets/index.ts';
import { applyLevers, leversOf } from '../tradeoff/levers.ts';
import type { Architecture } from '../zoo/networks.ts';
import { graphOfLayers } from './graph.ts';
import { type Streamable, streamedBytes } from './memory.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { turnsOf } from './turns.ts';

export interface NetworkCost {
  /** Multiply-accumulates of convolutions and classifier. */
  readonly macs: number;
  /** Bytes of SRAM layer by layer: arena with input and output. */
  readonly sramWhole: number;
  /** Bytes of SRAM, rows pushed into a stream: the live bytes of the best schedule, which placement approaches. */
  readonly sramRows: number;
  /** Bytes: constants, exactly, and the estimate of the code, layer by layer for speed. */
  readonly flash: number;
  /** Milliseconds, layer by layer, estimated as `compile` does it; null for a core without measured kernels. */
  readonly latency: number | null;
}

/** What a piece adds to a network. */
export interface PieceCost extends Streamable {
  readonly macs: number;
  /** Estimated; null for a core without measured kernels. */
  readonly instructions: number | null;
  /** Of the arena in which it runs layer by layer, input and output in it. */
  readonly arenaBytes: number;
  readonly constantBytes: number;
  readonly code: CodeParts;
}

/** The costs of networks on one target; it remembers every piece that it has seen. */
export class CostModel {
  private readonly target: Target;
  private readonly core: string;
  private readonly kernels: KernelChoice;
  private readonly pieces = new Map<string, PieceCost>();

  constructor(target: Target) {
    this.target = target;
    this.core = target.core.name;
    this.kernels = { isas: target.core.isas, optimize: 'speed' };
  }

  network(architecture: Architecture): NetworkCost {
    const pieces = piecesOf(architecture).map((piece) => this.piece(piece));
    const total = (of: (piece: PieceCost) => number): number =>
      pieces.reduce((sum, piece) => sum + of(piece), 0);
    const code = sumCode(
      pieces.map((piece) => piece.code),
      2,
      this.core,
      'speed',
    );
    return {
      macs: total(({ macs }) => macs),
      sramWhole: Math.max(...pieces.map(({ arenaBytes }) => arenaBytes)),
      sramRows: streamedBytes(pieces),
      flash: total((piece) => piece.constantBytes) + code.constantBytes + code.bytes,
      latency: this.latencyOf(pieces),
    };
  }

  private latencyOf(pieces: readonly PieceCost[]): number | null {
    const { core, clockHz } = this.target;
    let sum = 0;
    for (const { instructions } of pieces) {
      if (instructions === null) return null;
      sum += instructions;
    }
    return (cyclesEstimate(core, sum) / clockHz) * 1000;
  }

  piece(piece: Piece): PieceCost {
    const known = this.pieces.get(piece.key);
    if (known !== undefined) return known;
    const cost = this.compiled(graphOfLayers(piece.layers, piece.input, piece.range));
    this.pieces.set(piece.key, cost);
    return cost;
  }

  /** Without the pass that looks at weights: here there are none. */
  private compiled(imported: Graph): PieceCost {
    const graph = runPasses(imported, 'int8', ['remove-constant-channels']);
    const lowered = lower(graph, this.kernels);
    // Kernels that would want more room, and their constants, are left out.
    const { program, plan: planned } = takeRoom(lowered, plan(lowered), 0);
    const carry = leversOf(graph).filter(({ kind }) => kind === 'carry');
    const { weights, tables } = constantBytes(program);
    return {
      macs: program.calls.reduce((sum, call) => sum + call.macs, 0),
      instructions: estimateInstructions(program, this.core, 'speed')?.total ?? null,
      arenaBytes: planned.arenaBytes,
      constantBytes: weights + tables,
      code: codeParts({ program, plan: planned, optimize: 'speed' }, this.core),
      turns: turnsOf(program),
      carried:
        carry.length === 0
          ? null
          : { turns: turnsOf(lower(applyLevers(graph, carry), this.kernels)), bytes: carry[0]!.bytes },
    };
  }
}
