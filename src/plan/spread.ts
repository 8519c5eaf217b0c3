/**
 * Program -> addresses for computers, where memory is plenty and programs are large: buffers live from the first call that
 * touches them to the last, and two that live at the same time do not overlap. Nothing is searched; `plan` is for firmware.
 */
import type { BufferId, Program } from '../program/types.ts';

export interface Spread {
  /** Byte offset by buffer id, each a multiple of SPREAD_ALIGNMENT. */
  readonly addresses: readonly number[];
  readonly arenaBytes: number;
}

/** Bytes of a cache line. */
export const SPREAD_ALIGNMENT = 64;

/** Positions in the schedule, both inclusive. */
interface Life {
  readonly id: BufferId;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Places the buffers of `program`, the largest first, each as low as those it lives with allow. */
export function spread(program: Program): Spread {
  const addresses = new Array<number>(program.buffers.length).fill(0);
  /** By address: every buffer passes over all of them. */
  const placed: Life[] = [];
  let arenaBytes = 0;
  for (const life of livesOf(program).sort((a, b) => b.bytes - a.bytes || a.id - b.id)) {
    let at = 0;
    for (const { id, bytes, first, last } of placed) {
      if (first > life.last || life.first > last) continue;
      if (at + life.bytes <= addresses[id]!) break;
      at = Math.max(at, aligned(addresses[id]! + bytes));
    }
    addresses[life.id] = at;
    arenaBytes = Math.max(arenaBytes, aligned(at + life.bytes));
    const behind = placed.findIndex(({ id }) => addresses[id]! > at);
    placed.splice(behind < 0 ? placed.length : behind, 0, life);
  }
  return { addresses, arenaBytes };
}

/** What the caller gives stays for the next run, like states; what is asked for stays to the end. */
function livesOf(program: Program): Life[] {
  const end = program.schedule.length;
  const first = new Array<number>(program.buffers.length).fill(end);
  const last = new Array<number>(program.buffers.length).fill(-1);
  program.schedule.forEach(({ call: index }, time) => {
    const call = program.calls[index]!;
    const sources = call.slots.flatMap(({ source }) => (source.kind === 'buffer' ? [source.buffer] : []));
    for (const id of [...sources, call.output.buffer, ...(call.scratch === null ? [] : [call.scratch])]) {
      first[id] = Math.min(first[id]!, time);
      last[id] = Math.max(last[id]!, time);
    }
  });
  return program.buffers.map(({ id, bytes, role }) => {
    const stays = role === 'input' || role === 'state' || role === 'history';
    return {
      id,
      bytes,
      first: stays ? 0 : first[id]!,
      last: stays || role === 'output' ? end : last[id]!,
    };
  });
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / SPREAD_ALIGNMENT) * SPREAD_ALIGNMENT;
}
