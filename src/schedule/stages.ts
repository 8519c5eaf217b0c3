/**
 * Staged rings. A ring of R rows occupies R places at all times, though between two rows only R - 1 of them are needed:
 * the last one is for the newest row while the oldest is still being read. A staged ring has R - 1 places; the newest row
 * is written to a buffer of its own, the stage, and copied into its place as soon as the oldest row is dead. Stages are
 * ordinary buffers that live for moments, so many of them come to share the same bytes. The copy is an ordinary call: the
 * planner, the checker, the emitter and the executors see nothing new.
 */
import { isStream, segmentsOf } from '../program/segments.ts';
import type { Buffer, BufferId, Call, Program, RowView, Run, Slot } from '../program/types.ts';

/** The op of a call that copies a row from a stage to its place. */
export const UNSTAGE = 'unstage';

/** A ring that can be staged. */
export interface StageSite {
  readonly buffer: BufferId;
  /** The call that writes the ring. */
  readonly producer: number;
  readonly rowBytes: number;
  /** Places without the stage. */
  readonly places: number;
  /** Turned so that the last row lies at the end: what follows may lie over the rows as they die. See `RowView`. */
  readonly turn: number;
  /** Turned so that the first row lies at the beginning. */
  readonly otherTurn: number;
  /** Slots that read the newest row, from the stage; all others read rows that have been copied. */
  readonly stagedSlots: ReadonlySet<Slot>;
  /** Rows in the order in which they are copied. */
  readonly rows: readonly number[];
  /** The firing, counted along the schedule, after which each of them is copied. */
  readonly times: readonly number[];
}

/** The sites of a program with rings, in the order of the calls that write them. */
export function stageSites(program: Program): StageSite[] {
  const rings = ringsOf(program);
  follow(program, rings);
  const ends = streamEnds(program);
  return [...rings.values()].flatMap((ring) => {
    const site = siteOf(ring);
    // A copy must not begin in one group and end in another, which would make one of the two.
    return site !== null && site.times.at(-1)! < (ends.get(site.producer) ?? -1) ? [site] : [];
  });
}

/** The last firing, counted along the schedule, of the group of each call that takes turns. */
function streamEnds({ calls, schedule }: Program): Map<number, number> {
  const ends = new Map<number, number>();
  let time = 0;
  for (const segment of segmentsOf(calls, schedule)) {
    time += segment.runs.reduce((sum, { count }) => sum + count, 0);
    if (isStream(segment)) for (const call of segment.calls) ends.set(call, time - 1);
  }
  return ends;
}

/** `program` with the rings of `sites` staged. */
export function stageRings(program: Program, sites: readonly StageSite[]): Program {
  if (sites.length === 0) return program;
  const byProducer = new Map(sites.map((site) => [site.producer, site]));
  const byBuffer = new Map(sites.map((site) => [site.buffer, site]));
  const buffers: Buffer[] = program.buffers.map((buffer) => {
    const site = byBuffer.get(buffer.id);
    return site === undefined ? buffer : { ...buffer, bytes: site.places * site.rowBytes };
  });
  const stageOf = new Map<StageSite, BufferId>();
  for (const site of sites) {
    stageOf.set(site, buffers.length);
    const name = `${buffers[site.buffer]!.name}/stage`;
    buffers.push({ id: buffers.length, name, bytes: site.rowBytes, role: 'activation' });
  }
  const slotOf = (slot: Slot): Slot => {
    const site = slot.source.kind === 'buffer' ? byBuffer.get(slot.source.buffer) : undefined;
    if (site === undefined) return slot;
    if (!site.stagedSlots.has(slot)) return { ...slot, ring: site.places, turn: site.turn };
    return { ...slot, ring: 1, source: { kind: 'buffer', buffer: stageOf.get(site)! } };
  };
  const calls: Call[] = [];
  const moved: number[] = [];
  const copies: Copies[] = [];
  for (const call of program.calls) {
    moved.push(calls.length);
    const site = byProducer.get(call.index);
    const output = site === undefined ? call.output : { ...call.output, ring: 1, buffer: stageOf.get(site)! };
    calls.push({ ...call, index: calls.length, slots: call.slots.map(slotOf), output });
    if (site === undefined) continue;
    copies.push({ call: calls.length, times: site.times });
    calls.push(copyCall(calls.length, call, site, stageOf.get(site)!));
  }
  const schedule = program.schedule.map((run) => ({ ...run, call: moved[run.call]! }));
  return { ...program, buffers, calls, schedule: withCopies(schedule, copies) };
}

function copyCall(index: number, producer: Call, site: StageSite, stage: BufferId): Call {
  const view = { offset: 0, pitch: site.rowBytes, rowBytes: site.rowBytes, rows: Int32Array.from(site.rows) };
  return {
    index,
    origin: { ...producer.origin, op: 'UNSTAGE' },
    op: UNSTAGE,
    kernel: 'copy_s8',
    why: 'moves a row out of its stage, which then serves other rows',
    macs: 0,
    geometry: {
      width: 1,
      channels: site.rowBytes,
      in_start: 0,
      in_pixel_stride: 0,
      in_channel_stride: 1,
      out_pixel_stride: 0,
    },
    data: {},
    firings: site.rows.length,
    slots: [{ ...view, ring: 1, turn: 0, source: { kind: 'buffer', buffer: stage } }],
    output: { ...view, ring: site.places, turn: site.turn, buffer: site.buffer },
    scratch: null,
    scratchKeeps: false,
    inPlace: [],
    inPlaceExactly: [],
    reversible: false,
    shared: false,
    roomy: [],
    result: null,
  };
}

/** A call and the firings after which it fires, ascending. */
interface Copies {
  readonly call: number;
  readonly times: readonly number[];
}

/** `schedule` with one firing of a copying call after each of its times. */
function withCopies(schedule: readonly Run[], copies: readonly Copies[]): Run[] {
  const due = copies
    .flatMap(({ call, times }) => times.map((time, row) => ({ call, time, row })))
    .sort((a, b) => a.time - b.time || a.call - b.call);
  const runs: Run[] = [];
  let next = 0;
  let time = 0;
  for (const { call, first, count, step } of schedule) {
    for (let done = 0; done < count; ) {
      const until = Math.min(count, (due[next]?.time ?? Number.POSITIVE_INFINITY) + 1 - time);
      runs.push({ call, first: first + done * step, count: until - done, step });
      done = until;
      for (; next < due.length && due[next]!.time < time + done; ++next) {
        runs.push({ call: due[next]!.call, first: due[next]!.row, count: 1, step: 1 });
      }
    }
    time += count;
  }
  return runs;
}

/** What happens to a ring along the schedule. */
interface Ring {
  readonly buffer: BufferId;
  readonly producer: number;
  readonly rowBytes: number;
  readonly ring: number;
  /** Rows in order of birth, and when. */
  readonly rows: number[];
  readonly births: number[];
  /** By row: its reads in order of time. */
  readonly reads: Map<number, { readonly time: number; readonly slot: Slot }[]>;
}

/** Rings of two or more rows that one call writes as a whole, row by row. */
function ringsOf(program: Program): Map<BufferId, Ring> {
  const rings = new Map<BufferId, Ring>();
  const writers = new Map<BufferId, number>();
  for (const { output } of program.calls) writers.set(output.buffer, (writers.get(output.buffer) ?? 0) + 1);
  for (const { index, output } of program.calls) {
    const { buffer, ring, pitch, rowBytes } = output;
    if (ring < 2 || !isRing(output) || rowBytes !== pitch || writers.get(buffer) !== 1) continue;
    rings.set(buffer, { buffer, producer: index, rowBytes, ring, rows: [], births: [], reads: new Map() });
  }
  return rings;
}

function isRing({ rows, ring }: RowView): boolean {
  return rows.some((row) => row >= ring);
}

function follow({ calls, schedule }: Program, rings: ReadonlyMap<BufferId, Ring>): void {
  let time = 0;
  for (const run of schedule) {
    const { slots, output } = calls[run.call]!;
    for (let i = 0; i < run.count; ++i, ++time) {
      const firing = run.first + i * run.step;
      for (const slot of slots) {
        const ring = slot.source.kind === 'buffer' ? rings.get(slot.source.buffer) : undefined;
        const row = slot.rows[firing]!;
        if (ring !== undefined && row >= 0) ring.reads.get(row)!.push({ time, slot });
      }
      const ring = rings.get(output.buffer);
      const row = output.rows[firing]!;
      if (ring === undefined || row < 0) continue;
      ring.rows.push(row);
      ring.births.push(time);
      ring.reads.set(row, []);
    }
  }
}

/** How `ring` is staged; null where some slot would read now from the stage and now from a place. */
function siteOf({ buffer, producer, rowBytes, ring, rows, births, reads }: Ring): StageSite | null {
  const places = ring - 1;
  const step = rows[1]! - rows[0]!;
  if (Math.abs(step) !== 1 || rows.some((row, i) => row !== rows[0]! + i * step)) return null;
  const death = (i: number): number => (i < 0 ? -1 : (reads.get(rows[i]!)!.at(-1)?.time ?? births[i]!));
  /** When the place of the i-th row is free. */
  const free = rows.map((_, i) => Math.max(births[i]!, death(i - places)));
  const stagedSlots = new Set<Slot>();
  rows.forEach((row, i) => {
    for (const { time, slot } of reads.get(row)!) if (time <= free[i]!) stagedSlots.add(slot);
  });
  const copied: number[] = [];
  const times: number[] = [];
  for (const [i, row] of rows.entries()) {
    const list = reads.get(row)!;
    const time = list.reduce(
      (last, read) => (stagedSlots.has(read.slot) ? Math.max(last, read.time) : last),
      free[i]!,
    );
    if (time >= (births[i + 1] ?? Number.POSITIVE_INFINITY)) return null;
    const later = list.filter(({ slot }) => !stagedSlots.has(slot));
    if (later.some((read) => read.time <= time)) return null;
    if (later.length === 0) continue;
    copied.push(row);
    times.push(time);
  }
  const [start, end] = step > 0 ? [0, places - 1] : [places - 1, 0];
  const turn = turnFor(rows.at(-1)!, end, places);
  const otherTurn = turnFor(rows[0]!, start, places);
  return { buffer, producer, rowBytes, places, turn, otherTurn, stagedSlots, rows: copied, times };
}

/** The turn that puts `row` into `place`. */
function turnFor(row: number, place: number, places: number): number {
  return (((place - row) % places) + places) % places;
}
