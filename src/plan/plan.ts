/**
 * Program -> addresses. Chooses for every call whether its rows run top-down or bottom-up, and where every buffer lies,
 * so that the arena (inputs, outputs, activations and scratch) is small. The result is proved by `checkPlan`.
 */
import type { BufferId, Program, Run } from '../program/types.ts';
import { checkPlan } from './check.ts';
import { forbiddenDistances, type Interval } from './conflicts.ts';
import { type Cell, cellsOfAll, usesBuffer } from './liveness.ts';
import { alignUp, type Conflict, type Placement, place } from './place.ts';
import { DRAFT_TRIES, finalTries, TURN_TRIES } from './work.ts';

export interface Plan {
  /** The program's schedule with the chosen directions. */
  readonly schedule: readonly Run[];
  /** Byte offset in the arena, by buffer id. */
  readonly addresses: readonly number[];
  /** Size of the arena. */
  readonly arenaBytes: number;
  /** The most bytes live in one firing: no plan with this schedule can be smaller. */
  readonly liveBytes: number;
  /** The same for each call: the most bytes live in one of its firings. */
  readonly liveByCall: readonly number[];
  /** The call during which most bytes are live; null in a program without calls. */
  readonly peakCall: number | null;
}

/** Plans `program` and proves the plan. Throws RV9002 when the proof fails. */
export function plan(program: Program): Plan {
  const planner = new Planner(program);
  return planner.finish(planner.chooseDirections());
}

/** As `plan`, with the directions that `schedule` has. */
export function planInOrder(program: Program, schedule: readonly Run[]): Plan {
  return new Planner(program).finish(schedule);
}

/**
 * A placement of `program` in the order it has, quick unless `tries` says otherwise: how large its arena would be, at
 * most. Where even the live bytes exceed `limit`, these are returned and nothing is placed.
 */
export function arenaOf(
  program: Program,
  limit: number,
  tries: (pairs: number) => number = () => DRAFT_TRIES,
): number {
  const planner = new Planner(program);
  const live = planner.liveBytes(program.schedule);
  return live > limit ? live : planner.place(program.schedule, tries).placement.bytes;
}

class Planner {
  private readonly program: Program;
  /** Buffers that each call touches: only the directions of their calls change their cells. */
  private readonly touched: readonly (readonly BufferId[])[];
  private readonly cells = new Map<string, readonly Cell[]>();
  private readonly distances = new Map<string, readonly Interval[]>();

  constructor(program: Program) {
    this.program = program;
    this.touched = program.calls.map((call) =>
      program.buffers.filter(({ id }) => usesBuffer(call, id)).map(({ id }) => id),
    );
  }

  /** Hill climbing from all top-down: a run is turned round when the placed arena becomes smaller. */
  chooseDirections(): readonly Run[] {
    let best = this.program.schedule;
    let bestDraft = this.place(best, () => TURN_TRIES);
    for (let improved = true; improved; ) {
      improved = false;
      for (let i = 0; i < best.length && bestDraft.placement.bytes > bestDraft.floor; ++i) {
        if (!this.isTurnable(best[i]!)) continue;
        const candidate = best.map((run, j) => (j === i ? reversed(run) : run));
        const draft = this.place(candidate, () => TURN_TRIES);
        if (draft.placement.bytes < bestDraft.placement.bytes) {
          [best, bestDraft, improved] = [candidate, draft, true];
        }
      }
    }
    return best;
  }

  /** The plan for a schedule, proved. */
  finish(schedule: readonly Run[]): Plan {
    const { placement, live } = this.place(schedule, finalTries);
    const result: Plan = {
      schedule,
      addresses: placement.addresses,
      arenaBytes: placement.bytes,
      liveBytes: live.most,
      liveByCall: live.byCall,
      peakCall: live.byCall.length === 0 ? null : live.byCall.indexOf(live.most),
    };
    checkPlan(this.program, result);
    return result;
  }

  /** Only a call that fires all its rows in one run may choose their order, and only if no row waits in a ring. */
  private isTurnable({ call: index, count }: Run): boolean {
    const call = this.program.calls[index]!;
    const views = [call.output, ...call.slots];
    const complete = views.every((view) => view.rows.every((row) => row < view.ring));
    return call.reversible && count > 1 && count === call.firings && complete;
  }

  /** The most bytes live in one firing. */
  liveBytes(schedule: readonly Run[]): number {
    const keys = this.keysOf(schedule);
    const cells = this.cellsOf(schedule, keys);
    return liveBytes(cells, this.program.calls.length, schedule).most;
  }

  place(
    schedule: readonly Run[],
    tries: (pairs: number) => number,
  ): { placement: Placement; live: LiveBytes; floor: number } {
    const keys = this.keysOf(schedule);
    const cells = this.cellsOf(schedule, keys);
    const sizes = this.program.buffers.map((buffer) => buffer.bytes);
    const live = liveBytes(cells, this.program.calls.length, schedule);
    const lowerBound = alignUp(live.most);
    const spans = cells.map(spanOf);
    const conflicts = this.conflicts(cells, spans, keys);
    // Turning runs round cannot help below the largest buffer.
    const floor = alignUp(Math.max(0, ...sizes));
    const pairs = conflicts.reduce((sum, list) => sum + list.length, 0) / 2;
    return { placement: place({ sizes, conflicts, spans, lowerBound }, tries(pairs)), live, floor };
  }

  private conflicts(
    cells: readonly (readonly Cell[])[],
    spans: readonly Span[],
    keys: readonly string[],
  ): Conflict[][] {
    const conflicts: Conflict[][] = cells.map(() => []);
    for (let a = 0; a < cells.length; ++a) {
      for (let b = a + 1; b < cells.length; ++b) {
        if (spans[a]!.birth > spans[b]!.death || spans[b]!.birth > spans[a]!.death) continue;
        const forbidden = this.distance(a, b, cells, keys);
        if (forbidden.length === 0) continue;
        conflicts[a]!.push({ other: b, forbidden });
        conflicts[b]!.push({
          other: a,
          forbidden: forbidden.map(({ low, high }) => ({ low: -high, high: -low })),
        });
      }
    }
    return conflicts;
  }

  private distance(
    a: BufferId,
    b: BufferId,
    cells: readonly (readonly Cell[])[],
    keys: readonly string[],
  ): readonly Interval[] {
    const key = `${keys[a]}/${keys[b]}`;
    const known = this.distances.get(key);
    if (known !== undefined) return known;
    const forbidden = forbiddenDistances(cells[a]!, cells[b]!);
    this.distances.set(key, forbidden);
    return forbidden;
  }

  /** The cells of every buffer. */
  private cellsOf(schedule: readonly Run[], keys: readonly string[]): readonly (readonly Cell[])[] {
    const { buffers } = this.program;
    const missing = buffers.filter(({ id }) => !this.cells.has(keys[id]!)).map(({ id }) => id);
    if (missing.length > 0) {
      for (const [id, cells] of cellsOfAll(this.program, schedule, missing)) this.cells.set(keys[id]!, cells);
    }
    return buffers.map(({ id }) => this.cells.get(keys[id]!)!);
  }

  /** By buffer: what its cells depend on, its name and the directions of the runs that touch it. */
  private keysOf(schedule: readonly Run[]): string[] {
    const directions = this.program.buffers.map(({ id }) => [String(id)]);
    for (const { call, step } of schedule) {
      for (const buffer of this.touched[call]!) directions[buffer]!.push(step === 1 ? 'd' : 'u');
    }
    return directions.map((parts) => parts.join(''));
  }
}

function reversed(run: Run): Run {
  const last = run.first + (run.count - 1) * run.step;
  return { ...run, first: last, step: run.step === 1 ? -1 : 1 };
}

interface Span {
  readonly birth: number;
  readonly death: number;
}

function spanOf(cells: readonly Cell[]): Span {
  return {
    birth: cells.reduce((least, cell) => Math.min(least, cell.birth), Number.POSITIVE_INFINITY),
    death: cells.reduce((most, cell) => Math.max(most, cell.death), Number.NEGATIVE_INFINITY),
  };
}

/** Whether the firing that reads a cell last writes the same bytes anew; `next` is the next cell of its buffer. */
function isReplaced(cell: Cell, next: Cell | undefined): boolean {
  return next !== undefined && next.start === cell.start && next.birth === cell.death;
}

interface LiveBytes {
  readonly most: number;
  /** The most in one firing of each call. */
  readonly byCall: readonly number[];
}

/** Sums of live bytes over time. A row written in place counts once. */
function liveBytes(cells: readonly (readonly Cell[])[], calls: number, schedule: readonly Run[]): LiveBytes {
  const end = schedule.reduce((time, run) => time + run.count, 0);
  const change = new Float64Array(end + 3);
  for (const list of cells) {
    for (const [i, cell] of list.entries()) {
      const inPlace =
        cell.death > cell.birth && (cell.diesInPlace !== 'no' || isReplaced(cell, list[i + 1])) ? 1 : 0;
      change[cell.birth + 1]! += cell.end - cell.start;
      change[cell.death + 2 - inPlace]! -= cell.end - cell.start;
    }
  }
  const peaks = new Array<number>(calls).fill(0);
  let live = change[0]!;
  let most = live;
  let time = 0;
  for (const run of schedule) {
    for (let i = 0; i < run.count; ++i) {
      live += change[++time]!;
      peaks[run.call] = Math.max(peaks[run.call]!, live);
    }
  }
  // The inputs, before anything fires, count for the first call.
  if (schedule.length > 0) peaks[schedule[0]!.call] = Math.max(peaks[schedule[0]!.call]!, most);
  most = Math.max(most, ...peaks);
  return { most, byCall: peaks };
}
