/** Where the bytes that a hop touches lie: tensors without the rows that no hop needs, some of them in two parts. */
import { greatestCommonDivisor } from '../core/integers.ts';
import { type BufferId, type Call, type Program, type RowView, touched } from '../program/types.ts';
import { firesTogether, type Reuse } from './reuse.ts';
import type { Steady } from './steady.ts';

export interface Place {
  /** In the new program. */
  readonly buffer: BufferId;
  readonly start: number;
}

/** A new buffer: bytes of an old one, from `first` on, those that have a place. */
export interface Part {
  readonly buffer: BufferId;
  readonly first: number;
  /** Its size. */
  readonly bytes: number;
}

export class Layout {
  /** By id of the new buffer. */
  readonly parts: readonly Part[];
  private readonly units: readonly number[];
  /** By old buffer, by position of a unit. */
  private readonly places: readonly ReadonlyMap<number, Place>[];

  /** @param split whether tensors may be split at their longest gap, so that the parts find places of their own */
  constructor(program: Program, reuse: Reuse, { placed, fires }: Steady, split: boolean) {
    const whole = new Set(program.inputs.map(({ buffer }) => buffer));
    for (const call of program.calls) {
      if (!firesTogether(call) || !fires[call.index]!.includes(1)) continue;
      for (const buffer of buffersOf(call)) whole.add(buffer);
    }
    const parts: Part[] = [];
    this.units = program.buffers.map(({ id }) => unitOf(program, reuse, id));
    this.places = program.buffers.map(({ id, bytes, role }) => {
      const places = new Map<number, Place>();
      const cut = split && !whole.has(id) ? longestGap(placed[id]!) : 0;
      for (const [first, end] of cut > 0
        ? [[0, cut] as const, [cut, bytes] as const]
        : [[0, bytes] as const]) {
        let used = role === 'scratch' ? bytes : 0;
        for (let b = first; b < end; b += this.units[id]!) {
          if (placed[id]![b] === 0) continue;
          places.set(b, { buffer: parts.length, start: used });
          used += this.units[id]!;
        }
        parts.push({ buffer: id, first, bytes: used });
      }
      return places;
    });
    this.parts = parts;
  }

  /** The place of the byte at `start` of an old buffer, which begins a unit. */
  at(buffer: BufferId, start: number): Place {
    return this.places[buffer]!.get(start)!;
  }

  /** The first part of an old buffer. */
  partOf(buffer: BufferId): BufferId {
    return this.parts.findIndex((part) => part.buffer === buffer);
  }

  /** Whether a new buffer is the first of two parts. */
  isTop(part: BufferId): boolean {
    const { buffer, first } = this.parts[part]!;
    return first === 0 && this.parts[part + 1]?.buffer === buffer;
  }

  /** Bytes such that everything in an old buffer begins and ends at a multiple. */
  unit(buffer: BufferId): number {
    return this.units[buffer]!;
  }
}

function unitOf(program: Program, { shifts }: Reuse, buffer: BufferId): number {
  let unit = greatestCommonDivisor(program.buffers[buffer]!.bytes, shifts[buffer]!);
  for (const { slots, output } of program.calls) {
    const views: RowView[] = slots.filter(
      ({ source }) => source.kind === 'buffer' && source.buffer === buffer,
    );
    if (output.buffer === buffer) views.push(output);
    for (const { offset, pitch, rowBytes, rows } of views) {
      unit = greatestCommonDivisor(greatestCommonDivisor(unit, rowBytes), offset);
      if (rows.some((row) => row > 0)) unit = greatestCommonDivisor(unit, pitch);
    }
  }
  return unit;
}

/** Where the longest stretch without a place ends that lies between places; 0 if there is none. */
function longestGap(placed: Uint8Array): number {
  let end = 0;
  let longest = 0;
  let gap = 0;
  for (let b = placed.indexOf(1); b >= 0 && b < placed.length; ++b) {
    if (placed[b] === 0) ++gap;
    else {
      if (gap > longest) [end, longest] = [b, gap];
      gap = 0;
    }
  }
  return end;
}

function buffersOf({ slots, output }: Call): BufferId[] {
  return [output.buffer, ...slots.flatMap(({ source }) => (source.kind === 'buffer' ? [source.buffer] : []))];
}

/** The places of the rows of some firings: -1 where there is none. All lie in one part. */
export function placesOf(
  layout: Layout,
  view: RowView,
  buffer: BufferId,
  firings: readonly number[],
): RowView {
  const starts = firings.map((y) => {
    const range = touched(view, y);
    return range === null ? -1 : layout.at(buffer, range.start).start;
  });
  const present = starts.filter((start) => start >= 0);
  const offset = present.length === 0 ? 0 : Math.min(...present);
  const pitch =
    present.reduce((step, start) => greatestCommonDivisor(step, start - offset), 0) || view.rowBytes;
  const rows = Int32Array.from(starts, (start) => (start < 0 ? -1 : (start - offset) / pitch));
  const ring = rows.reduce((most, row) => Math.max(most, row), 0) + 1;
  return { offset, pitch, rowBytes: view.rowBytes, ring, turn: 0, rows };
}

/** The part that a firing of a view lies in; null where it has no row. */
export function partAt(layout: Layout, view: RowView, buffer: BufferId, firing: number): BufferId | null {
  const range = touched(view, firing);
  return range === null ? null : layout.at(buffer, range.start).buffer;
}
