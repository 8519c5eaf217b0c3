/** Streaming programs: calls that take turns row by row, with rings that are just long enough. */
import { createRandom } from '../../src/core/random.ts';
import type { Program, Run } from '../../src/program/types.ts';
import { ProgramSketch, type Rows, upTo } from './programs.ts';

/** A row operator: output row r reads input rows r * stride - top ... + kernel - 1, perhaps also row r of a skip. */
interface Stage {
  readonly source: number;
  readonly skip: number | null;
  readonly kernel: number;
  readonly stride: number;
  readonly top: number;
  /** Rows and bytes of a row of the output. */
  readonly count: number;
  readonly rowBytes: number;
}

export interface RandomStreamOptions {
  readonly stages: number;
  readonly maxRows: number;
  readonly maxRowBytes: number;
  /** Rows that every ring is shorter than needed: a program that no plan can save. */
  readonly missingRows?: number;
}

/**
 * A pulled chain of windows with residual skips. Stage 0 is the input, which is resident; every other tensor but the
 * last is a ring of the fewest rows that the firing order allows.
 */
export function randomStream(seed: number, options: RandomStreamOptions): Program {
  const random = createRandom(seed);
  const integer = (lowest: number, highest: number) => lowest + Math.floor(random() * (highest - lowest + 1));
  const { maxRows, maxRowBytes, missingRows = 0 } = options;
  const none = { source: -1, skip: null, kernel: 0, stride: 1, top: 0 };
  const stages: Stage[] = [{ ...none, count: integer(3, maxRows), rowBytes: integer(1, maxRowBytes) }];
  for (let i = 1; i <= options.stages; ++i) {
    const { count, rowBytes } = stages[i - 1]!;
    const kernel = integer(1, 3);
    const stride = count > 4 ? integer(1, Math.min(2, kernel)) : 1;
    const top = integer(0, kernel - 1);
    const out = Math.ceil((count + top) / stride);
    const skips = upTo(i - 1).filter((s) => s > 0 && stages[s]!.count === out);
    const skip = skips.length > 0 && random() < 0.5 ? skips[integer(0, skips.length - 1)]! : null;
    const width = random() < 0.5 ? rowBytes : integer(1, maxRowBytes);
    stages.push({ source: i - 1, skip, kernel, stride, top, count: out, rowBytes: width });
  }
  const order = pull(stages);
  const sketch = new ProgramSketch();
  const rings = ringLengths(stages, order);
  const buffers = stages.map(({ count, rowBytes }, i) => {
    if (i === 0) return sketch.buffer(count * rowBytes, 'input');
    return sketch.buffer((i === options.stages ? count : rings[i]!) * rowBytes);
  });
  const view = (stage: number, rows: readonly number[]): Rows => {
    const { count, rowBytes } = stages[stage]!;
    const isRing = stage > 0 && stage < options.stages;
    const ring = isRing ? Math.max(1, rings[stage]! - missingRows) : count;
    return { buffer: buffers[stage]!, rowBytes, rows, ring };
  };
  stages.slice(1).forEach((stage, i) => {
    const slots = upTo(stage.kernel).map((k) =>
      view(
        stage.source,
        upTo(stage.count).map((r) => windowRow(stage, stages[stage.source]!, r, k)),
      ),
    );
    if (stage.skip !== null) slots.push(view(stage.skip, upTo(stage.count)));
    const inPlace = slots.flatMap((slot, index) => (slot.rowBytes === stage.rowBytes ? [index] : []));
    sketch.call(slots, view(i + 1, upTo(stage.count)), {
      ...(random() < 0.5 && { [random() < 0.7 ? 'inPlace' : 'inPlaceExactly']: inPlace.slice(-1) }),
      ...(random() < 0.3 && { scratchBytes: integer(1, 6), scratchKeeps: random() < 0.5 }),
    });
  });
  return sketch.finish([buffers.at(-1)!], runsOf(order));
}

function windowRow({ stride, top }: Stage, source: Stage, row: number, k: number): number {
  const y = row * stride - top + k;
  return y >= 0 && y < source.count ? y : -1;
}

interface Firing {
  readonly stage: number;
  readonly row: number;
}

/** Demand-driven: each row of the last stage in turn, and before a row everything that it reads. */
function pull(stages: readonly Stage[]): Firing[] {
  const order: Firing[] = [];
  const next = stages.map(() => 0);
  const demand = (stage: number, row: number): void => {
    if (stage === 0) return;
    for (; next[stage]! <= row; ++next[stage]!) {
      for (const read of readsOf(stages, stage, next[stage]!)) demand(read.stage, read.row);
      order.push({ stage, row: next[stage]! });
    }
  };
  const last = stages.length - 1;
  demand(last, stages[last]!.count - 1);
  // Rows that nobody reads.
  for (const [stage, { count }] of stages.entries()) demand(stage, count - 1);
  return order;
}

function readsOf(stages: readonly Stage[], stage: number, row: number): Firing[] {
  const { source, skip, kernel } = stages[stage]!;
  const rows = upTo(kernel).map((k) => windowRow(stages[stage]!, stages[source]!, row, k));
  const window = rows.filter((r) => r >= 0).map((r) => ({ stage: source, row: r }));
  return skip === null ? window : [...window, { stage: skip, row }];
}

/** The fewest places such that a row is born, in firing order, only after the last read of the row whose place it takes. */
function ringLengths(stages: readonly Stage[], order: readonly Firing[]): number[] {
  const birth = stages.map(() => new Map<number, number>());
  const lastRead = stages.map(() => new Map<number, number>());
  order.forEach(({ stage, row }, time) => {
    birth[stage]!.set(row, time);
    for (const read of readsOf(stages, stage, row)) lastRead[read.stage]!.set(read.row, time);
  });
  return stages.map(({ count }, stage) => {
    const fits = (ring: number) =>
      upTo(count - Math.min(ring, count)).every(
        (row) => birth[stage]!.get(row + ring)! > (lastRead[stage]!.get(row) ?? -1),
      );
    return upTo(count + 1).findIndex((ring) => ring > 0 && fits(ring));
  });
}

function runsOf(order: readonly Firing[]): Run[] {
  const runs: Run[] = [];
  for (const { stage, row } of order) {
    const last = runs.at(-1);
    if (last?.call === stage - 1) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ call: stage - 1, first: row, count: 1, step: 1 });
  }
  return runs;
}
