/** Groups -> a Program whose inner tensors are rings. */
import { isStream, segmentsOf } from '../program/segments.ts';
import { type BufferId, type Program, type RowView, type Run, touched } from '../program/types.ts';
import { viewsByBuffer } from './live-rows.ts';

/**
 * Gives every buffer that lives only inside one group the fewest row places that the order allows. The length is
 * derived: at the birth of a row, the span of the rows that are still needed. Buffers whose views do not agree
 * on rows (a reshape between, an operator that reads the whole tensor) stay whole.
 */
export function applyRings(program: Program, schedule: readonly Run[]): Program {
  const views = viewsByBuffer(program);
  const pitches = new Map<BufferId, number>();
  for (const { id, role, bytes } of program.buffers) {
    if (role !== 'activation' || program.outputs.some((port) => port.buffer === id)) continue;
    const pitch = views[id]![0]?.view.pitch ?? 0;
    const uniform = views[id]!.every(
      ({ view }) => view.pitch === pitch && view.offset + view.rowBytes <= pitch,
    );
    if (uniform && pitch > 0 && bytes % pitch === 0) pitches.set(id, pitch);
  }
  const rings = placesNeeded(program, schedule, pitches);
  const complete = handedOn(program, schedule, views, rings);
  const ringed = <V extends RowView>(view: V, buffer: BufferId | null): V => {
    const ring = buffer === null ? undefined : rings.get(buffer);
    return ring === undefined ? view : { ...view, ring };
  };
  return {
    ...program,
    schedule,
    buffers: program.buffers.map((buffer) => {
      const ring = rings.get(buffer.id);
      return ring === undefined ? buffer : { ...buffer, bytes: ring * pitches.get(buffer.id)! };
    }),
    calls: program.calls.map((call) => ({
      ...call,
      // Inside a group a value is never complete at one moment, unless all of it is handed on.
      result: call.result !== null && complete.has(call.result.buffer) ? call.result : null,
      slots: call.slots.map((slot) =>
        ringed(slot, slot.source.kind === 'buffer' ? slot.source.buffer : null),
      ),
      output: ringed(call.output, call.output.buffer),
    })),
  };
}

/**
 * Buffers that are complete when the call that hands them on has run: outputs, what one call on its own writes, and what
 * later segments read to the last byte; of what they leave out the place may be taken by then.
 */
function handedOn(
  program: Program,
  schedule: readonly Run[],
  viewsOf: ReturnType<typeof viewsByBuffer>,
  rings: ReadonlyMap<BufferId, number>,
): Set<BufferId> {
  const result = new Set<BufferId>();
  const segmentOf = new Map<number, number>();
  const segments = segmentsOf(program.calls, schedule);
  for (const [index, { calls }] of segments.entries()) for (const call of calls) segmentOf.set(call, index);
  for (const { id, bytes } of program.buffers) {
    if (rings.has(id)) continue;
    const writers = viewsOf[id]!.filter(({ writes }) => writes).map(({ call }) => call);
    // The last call in program order hands a value on; calls that write other parts of it may fire later.
    const segment = segmentOf.get(writers.at(-1) ?? -1);
    if (segment === undefined || writers.some((call) => segmentOf.get(call)! > segment)) continue;
    const isOutput = program.outputs.some((port) => port.buffer === id);
    const alone = writers.length === 1 && !isStream(segments[segment]!);
    const later = viewsOf[id]!.filter(({ call, writes }) => !writes && segmentOf.get(call)! > segment);
    if (isOutput || alone || readAll(later, bytes)) result.add(id);
  }
  return result;
}

/** Whether `views` touch every byte of a buffer in whole-tensor form. */
function readAll(views: readonly { view: RowView }[], bytes: number): boolean {
  const read = new Uint8Array(bytes);
  for (const { view } of views) {
    for (let y = 0; y < view.rows.length; ++y) {
      const range = touched(view, y);
      if (range !== null) read.fill(1, range.start, range.end);
    }
  }
  return !read.includes(0);
}

/** When the rows of a buffer are written first and read last, -1 for never. */
interface RowTimes {
  readonly birth: Int32Array;
  readonly death: Int32Array;
}

/** The ring length of each buffer of `pitches` that needs fewer places than it has rows. */
function placesNeeded(
  program: Program,
  schedule: readonly Run[],
  pitches: ReadonlyMap<BufferId, number>,
): Map<BufferId, number> {
  const times = new Map<BufferId, RowTimes>();
  for (const [id, pitch] of pitches) {
    const rows = program.buffers[id]!.bytes / pitch;
    times.set(id, { birth: new Int32Array(rows).fill(-1), death: new Int32Array(rows).fill(-1) });
  }
  let time = 0;
  for (const run of schedule) {
    const { slots, output } = program.calls[run.call]!;
    const written = times.get(output.buffer);
    for (let i = 0; i < run.count; ++i, ++time) {
      const y = run.first + i * run.step;
      for (const slot of slots) {
        const read = slot.source.kind === 'buffer' ? times.get(slot.source.buffer) : undefined;
        if (read && slot.rows[y]! >= 0) read.death[slot.rows[y]!] = time;
      }
      const row = output.rows[y]!;
      if (written === undefined || row < 0) continue;
      if (written.birth[row]! < 0) written.birth[row] = time;
      if (written.death[row]! < time) written.death[row] = time;
    }
  }
  const rings = new Map<BufferId, number>();
  for (const [id, rowTimes] of times) {
    const places = longestReach(rowTimes);
    if (places < rowTimes.birth.length) rings.set(id, places);
  }
  return rings;
}

/**
 * The longest distance, plus one, from a row that is being written to one that will still be read. Rows need not be born
 * in order: several writers may take turns.
 */
function longestReach({ birth, death }: RowTimes): number {
  const born = [...birth.keys()].filter((row) => birth[row]! >= 0).sort((a, b) => birth[a]! - birth[b]!);
  let oldest = 0;
  let places = 1;
  for (const [i, row] of born.entries()) {
    while (oldest < i && death[born[oldest]!]! < birth[row]!) ++oldest;
    for (const other of born.slice(oldest, i)) {
      if (death[other]! >= birth[row]!) places = Math.max(places, Math.abs(row - other) + 1);
    }
  }
  return places;
}
