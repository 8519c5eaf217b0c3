/** Groups -> a Program whose inner tensors are rings. */
import { isStream, segmentsOf } from '../program/segments.ts';
import type { BufferId, Program, RowView, Run } from '../program/types.ts';
import { viewsOf } from './live-rows.ts';

/**
 * Gives every buffer that lives only inside one group the fewest row places that the order allows. The length is
 * derived: at the birth of a row, the distance to the oldest row that is still needed. Buffers whose views do not agree
 * on rows (a reshape between, an operator that reads the whole tensor) stay whole.
 */
export function applyRings(program: Program, schedule: readonly Run[]): Program {
  const rings = new Map<BufferId, number>();
  for (const { id, role, bytes } of program.buffers) {
    if (role !== 'activation' || program.outputs.some((port) => port.buffer === id)) continue;
    const views = viewsOf(program.calls, id);
    const pitch = views[0]?.view.pitch ?? 0;
    const uniform = views.every(({ view }) => view.pitch === pitch && view.offset + view.rowBytes <= pitch);
    if (!uniform || pitch === 0 || bytes % pitch !== 0) continue;
    const places = placesNeeded(program, schedule, id, bytes / pitch);
    if (places * pitch < bytes) rings.set(id, places);
  }
  const outlives = handedOn(program, schedule);
  const ringed = <V extends RowView>(view: V, buffer: BufferId | null): V => {
    const ring = buffer === null ? undefined : rings.get(buffer);
    return ring === undefined ? view : { ...view, ring };
  };
  return {
    ...program,
    schedule,
    buffers: program.buffers.map((buffer) => {
      const ring = rings.get(buffer.id);
      if (ring === undefined) return buffer;
      return { ...buffer, bytes: ring * viewsOf(program.calls, buffer.id)[0]!.view.pitch };
    }),
    calls: program.calls.map((call) => {
      return {
        ...call,
        // Inside a group a value is never complete at one moment, unless it is handed on.
        result: call.result !== null && outlives.has(call.result.buffer) ? call.result : null,
        slots: call.slots.map((slot) =>
          ringed(slot, slot.source.kind === 'buffer' ? slot.source.buffer : null),
        ),
        output: ringed(call.output, call.output.buffer),
      };
    }),
  };
}

/** Buffers that are whole when the segment that writes them ends: read later, or an output, or from a call on its own. */
function handedOn(program: Program, schedule: readonly Run[]): Set<BufferId> {
  const result = new Set(program.outputs.map((port) => port.buffer));
  const segmentOf = new Map<number, number>();
  const segments = segmentsOf(program.calls, schedule);
  for (const [index, { calls }] of segments.entries()) for (const call of calls) segmentOf.set(call, index);
  for (const { id } of program.buffers) {
    const views = viewsOf(program.calls, id);
    const writer = views.find(({ writes }) => writes);
    if (writer === undefined) continue;
    const segment = segmentOf.get(writer.call)!;
    const later = views.some(({ call }) => segmentOf.get(call) !== segment);
    if (later || !isStream(segments[segment]!)) result.add(id);
  }
  return result;
}

/** The longest distance, plus one, from a row that is being written to the oldest one that will still be read. */
function placesNeeded(program: Program, schedule: readonly Run[], buffer: BufferId, rows: number): number {
  const birth = new Int32Array(rows).fill(-1);
  const death = new Int32Array(rows).fill(-1);
  let time = 0;
  for (const run of schedule) {
    const call = program.calls[run.call]!;
    const reads = call.slots.filter(({ source }) => source.kind === 'buffer' && source.buffer === buffer);
    const writes = call.output.buffer === buffer;
    for (let i = 0; (writes || reads.length > 0) && i < run.count; ++i) {
      const y = run.first + i * run.step;
      for (const { rows: read } of reads) if (read[y]! >= 0) death[read[y]!] = time + i;
      const written = writes ? call.output.rows[y]! : -1;
      if (written < 0) continue;
      if (birth[written]! < 0) birth[written] = time + i;
      if (death[written]! < time + i) death[written] = time + i;
    }
    time += run.count;
  }
  const born = [...birth.keys()].filter((row) => birth[row]! >= 0).sort((a, b) => birth[a]! - birth[b]!);
  let oldest = 0;
  let places = 1;
  for (const [i, row] of born.entries()) {
    while (oldest < i && death[born[oldest]!]! < birth[row]!) ++oldest;
    places = Math.max(places, Math.abs(row - born[oldest]!) + 1);
  }
  return places;
}
