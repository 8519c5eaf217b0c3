/** SRAM against multiply-accumulates of a model, as a list of points none of which another beats in both. */
import { sramBytes } from './emit/push.ts';
import { importModel, type ModelBytes } from './import/model.ts';
import { lower } from './lower/lower.ts';
import { runPasses } from './passes/pipeline.ts';
import { plan } from './plan/plan.ts';
import { findTarget } from './targets/index.ts';
import type { LeverKind } from './tradeoff/levers.ts';
import { TradeOffSearch } from './tradeoff/search.ts';

export interface ParetoOptions {
  readonly file?: string;
  readonly inputMode?: 'resident' | 'rows';
  /** A core or board, for whose kernels memory is planned. Default `host`. */
  readonly target?: string;
  /** Percent. Default 50. */
  readonly maxExtraMacs?: number;
  /** Called before each point is placed: how many are done, and how many there are. */
  readonly progress?: (done: number, count: number) => void;
}

export interface ParetoPoint {
  readonly schedule: 'whole' | 'stream';
  readonly macs: number;
  /** Beyond the model's own. */
  readonly extraPercent: number;
  /** Bytes: the arena, and in rows mode the counters beside it; the stack is not in it. */
  readonly sram: number;
  /** The rewrites that spend the MACs, and the operators of the model they start from. */
  readonly levers: readonly { readonly kind: LeverKind; readonly operator: number }[];
}

export interface ParetoReport {
  readonly model: string;
  readonly inputMode: 'resident' | 'rows';
  /** By ascending MACs and descending SRAM; the whole-tensor schedule first, for comparison. */
  readonly points: readonly ParetoPoint[];
}

/** @throws RivuletError with every problem of the model */
export function pareto(model: ModelBytes, options: ParetoOptions = {}): ParetoReport {
  const { file = 'model', inputMode = 'resident', target = 'host', maxExtraMacs = 50, progress } = options;
  const kernels = { isas: findTarget(target).core.isas, optimize: 'speed' } as const;
  const graph = runPasses(importModel(model, file).graph, 'int8');
  const search = new TradeOffSearch(graph, inputMode === 'rows', kernels);
  const candidates = search.front(maxExtraMacs);
  const points: ParetoPoint[] = candidates.map((candidate, i) => {
    progress?.(i, candidates.length);
    const { macs, extraPercent, levers, program, plan: placed } = search.place(candidate);
    return {
      schedule: 'stream',
      macs,
      extraPercent,
      sram: sramBytes(program, placed),
      levers: levers.map(({ kind, operator }) => ({ kind, operator })),
    };
  });
  const whole: ParetoPoint = {
    schedule: 'whole',
    macs: candidates[0]?.macs ?? 0,
    extraPercent: 0,
    sram: plan(lower(graph, kernels)).arenaBytes,
    levers: [],
  };
  let least = Number.POSITIVE_INFINITY;
  const front = points.filter(({ sram }) => {
    if (sram >= least) return false;
    least = sram;
    return true;
  });
  return { model: file, inputMode, points: inputMode === 'resident' ? [whole, ...front] : front };
}
