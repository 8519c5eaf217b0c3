/** `--stream-axis time`: the hop, and how much of what was computed is kept. */

import type { Scheduled } from './choose-schedule.ts';
import { fail } from './core/diagnostics.ts';
import { type KernelChoice, PORTABLE_KERNELS } from './core/isa.ts';
import { sramBytes } from './emit/push.ts';
import { describeOrigin, type Graph } from './ir/types.ts';
import { lower } from './lower/lower.ts';
import { plan } from './plan/plan.ts';
import { takeRoom } from './plan/room.ts';
import { requirePlannable } from './plan/work.ts';
import type { Call, Program, Slot } from './program/types.ts';
import { slide } from './schedule/over-time.ts';
import { rowPitch } from './schedule/push.ts';
import { firesTogether, type Reuse, reuseOf } from './schedule/reuse.ts';

/**
 * The program of one hop with the fewest multiply-accumulates that fits `maxSram` bytes, else the smallest.
 * @param hop frames from one window to the next; undefined: the shortest at which all layers reuse what they can
 * @throws RivuletError RV3001 (hop, inputs), RV2009 (no frames, or nothing to reuse), RV2006
 */
export function chooseOverTime(
  graph: Graph,
  hop: number | undefined,
  maxSram = Number.POSITIVE_INFINITY,
  kernels: KernelChoice = PORTABLE_KERNELS,
): Scheduled {
  const whole = lower(graph, kernels);
  requirePlannable(whole);
  const frames = framesOf(whole);
  if (hop !== undefined && !(Number.isInteger(hop) && hop >= 1 && hop < frames.count)) {
    fail('RV3001', `a hop of ${hop} frames is not possible`, {
      origin: '--hop',
      hint: `a whole number from 1 to ${frames.count - 1}: a window has ${frames.count} frames`,
    });
  }
  const hopFrames = hop ?? bestHop(whole, frames);
  requireReuse(whole, frames, hopFrames);
  let best: Scheduled | undefined;
  for (const program of slide(whole, frames.bytes, hopFrames)) {
    const scheduled = { graph, program, plan: plan(program) };
    const bytes = sramBytes(program, scheduled.plan);
    if (best === undefined || bytes < sramBytes(best.program, best.plan)) best = scheduled;
    if (bytes <= maxSram) break;
  }
  return { graph, ...takeRoom(best!.program, best!.plan) };
}

interface Frames {
  /** Bytes of a frame: a row of the input. */
  readonly bytes: number;
  /** Frames of a window. */
  readonly count: number;
}

/** Hops that are tried; no model for a microcontroller strides further. */
const LONGEST_HOP = 64;

/**
 * The frames of `program` (in whole-tensor form).
 * @throws RivuletError RV3001 unless there is one input, RV2009 if its rows are not frames
 */
function framesOf(program: Program): Frames {
  const [input, ...others] = program.inputs;
  if (input === undefined || others.length > 0) {
    fail('RV3001', `the model has ${program.inputs.length} inputs, frames can be pushed into one`, {
      origin: '--stream-axis time',
    });
  }
  const bytes = rowPitch(program, input);
  const count = input.bytes / bytes;
  const batch = input.shape.slice(0, -3).reduce((product, size) => product * size, 1);
  if (count > 1 && batch === 1) return { bytes, count };
  const reader = program.calls.find((call) => readsBuffer(call, input.buffer));
  return fail(
    'RV2009',
    batch > 1
      ? `the input "${input.name}" is a batch of ${batch}`
      : `all of the input "${input.name}" is one row, so there are no frames to push one by one`,
    {
      ...(reader && { origin: describeOrigin(reader.origin) }),
      hint: 'time must be the rows, the second axis of an input [1, frames, width, channels]',
    },
  );
}

/**
 * The shortest hop at which most layers find something that the window before has computed: the product of the strides
 * along time, unless padding or pooling ends the reuse earlier.
 */
function bestHop(program: Program, { bytes, count }: Frames): number {
  let best = 1;
  let most = 0;
  for (const hop of hopsOf(program)) {
    if (hop >= count) continue;
    const reuse = reuseOf(program, hop * bytes);
    const calls = program.calls.filter((call) => isReused(reuse, call)).length;
    if (calls > most) [best, most] = [hop, calls];
  }
  return best;
}

/** Products of the strides of some layers, ascending: the hop that suits all of those on one path is among them. */
function hopsOf({ calls }: Program): number[] {
  const hops = new Set([1]);
  for (const { slots } of calls) {
    const stride = Math.max(0, ...slots.map(strideOf));
    if (stride < 2) continue;
    for (const hop of [...hops]) if (hop * stride <= LONGEST_HOP) hops.add(hop * stride);
  }
  return [...hops].sort((a, b) => a - b);
}

/** Rows from one firing to the next, in the middle of the tensor where nothing is padded; 0 where there is no next. */
function strideOf({ rows }: Slot): number {
  const middle = rows.length >> 1;
  return middle === 0 ? 0 : rows[middle]! - rows[middle - 1]!;
}

/** @throws RivuletError RV2009, with the layer that ends it, if windows `hop` frames apart have no row of a layer in common */
function requireReuse(program: Program, { bytes }: Frames, hop: number): void {
  const reuse = reuseOf(program, hop * bytes);
  if (program.calls.some((call) => isReused(reuse, call))) return;
  const obstacle = program.calls.find((call) =>
    call.slots.some(({ source }) => source.kind === 'buffer' && reuse.shifts[source.buffer]! > 0),
  );
  const reason = obstacle === undefined ? 'no layer reads its rows' : reasonOf(obstacle, reuse);
  fail('RV2009', `of one window nothing can be used for another ${hop} frames later: ${reason}`, {
    ...(obstacle && { origin: describeOrigin(obstacle.origin) }),
    hint: 'the first layers must slide along time, with windows shorter than the input; --hop must be a multiple of their stride',
  });
}

function isReused({ same }: Reuse, { output }: Call): boolean {
  return same[output.buffer]!.includes(1);
}

function reasonOf(call: Call, { shifts }: Reuse): string {
  if (call.firings === 1) return 'the layer reads all frames at once';
  if (firesTogether(call)) return 'the layer adds up rows or needs to know their number';
  for (const slot of call.slots) {
    const { source, pitch } = slot;
    const moved = source.kind === 'buffer' && pitch > 0 ? shifts[source.buffer]! / pitch : 0;
    const stride = strideOf(slot);
    if (moved > 0 && stride > 0 && moved % stride !== 0)
      return `its windows start ${stride} rows apart, and its input moves on by ${moved}`;
  }
  return 'padding reaches all of its rows';
}

function readsBuffer({ slots }: Call, buffer: number): boolean {
  return slots.some(({ source }) => source.kind === 'buffer' && source.buffer === buffer);
}
