/**
 * A piece as a member of a streaming group, as far as memory goes. Rows are pulled: whoever comes after asks for an output
 * row, the piece fires what that takes and asks for input rows on the way. So its state is known from how many rows it has
 * been given and has handed on, whatever group it is in, and one simulation of the piece alone tells the live bytes
 * of all of them. Rows between two pieces belong to the one that reads them, once they are there.
 */
import type { Program } from '../program/types.ts';
import { dependencies } from '../schedule/dependencies.ts';
import { LiveRows } from '../schedule/live-rows.ts';
import { type Group, pullOrder } from '../schedule/pull.ts';
import { pushRows } from '../schedule/push.ts';

export interface Turns {
  readonly inputRows: number;
  readonly outputRows: number;
  readonly inputRowBytes: number;
  readonly outputRowBytes: number;
  /** What happens, in order: rows given and handed on by then, and the most bytes live until one of them changes. */
  readonly given: Int32Array;
  readonly handed: Int32Array;
  readonly live: Float64Array;
  /** By input row: bytes held while waiting for it, and rows handed on by then. */
  readonly held: Float64Array;
  readonly handedAtWait: Int32Array;
  /** By output row: bytes kept after it has been handed on, and rows given by then. */
  readonly kept: Float64Array;
  readonly givenAtRest: Int32Array;
}

/** The turns of a program with one input and one output, whose last call is asked for its rows. */
export function turnsOf(program: Program): Turns {
  const pushed = pushRows(program);
  const { calls } = pushed;
  const group: Group = { first: 0, last: calls.length - 1, reverse: false };
  const order = pullOrder(calls, dependencies(pushed), group);
  const { born, dead } = new LiveRows(pushed).changes(group, order);
  const [input, output] = [calls[0]!, calls.at(-1)!];
  const inputRowBytes = input.output.rowBytes;
  const outputRowBytes = program.outputs[0]!.bytes / output.firings;
  const events: { given: number; handed: number; live: number }[] = [];
  const held = new Float64Array(input.firings);
  const handedAtWait = new Int32Array(input.firings);
  const kept = new Float64Array(output.firings);
  const givenAtRest = new Int32Array(output.firings);
  let [given, handed, live] = [0, 0, 0];
  order.forEach((call, i) => {
    const before = live;
    live += born[i + 1]!;
    // The output is an output of the program here, and all of its rows stay; in a group they are the next one's.
    const own = (bytes: number): number => bytes - handed * outputRowBytes;
    if (call === input.index) {
      held[given] = own(before);
      handedAtWait[given] = handed;
      given += 1;
    } else {
      const last = events.at(-1);
      if (last?.given === given && last.handed === handed) last.live = Math.max(last.live, own(live));
      else events.push({ given, handed, live: own(live) });
    }
    live -= dead[i + 1]!;
    if (call === output.index) {
      handed += 1;
      kept[handed - 1] = own(live);
      givenAtRest[handed - 1] = given;
    }
  });
  return {
    inputRows: input.firings,
    outputRows: output.firings,
    inputRowBytes,
    outputRowBytes,
    given: Int32Array.from(events, (event) => event.given),
    handed: Int32Array.from(events, (event) => event.handed),
    live: Float64Array.from(events, (event) => event.live),
    held,
    handedAtWait,
    kept,
    givenAtRest,
  };
}

/**
 * The most bytes live while pieces take turns. What goes in is pushed row by row or whole from the start; what comes out
 * is whole in the end. Where they are not below `limit`, infinity.
 */
export function groupPeak(pieces: readonly Turns[], pushed: boolean, limit: number): number {
  const before = keptBefore(pieces, pushed);
  const behind = heldBehind(pieces);
  let most = 0;
  for (const [j, { given, handed, live }] of pieces.entries()) {
    const [up, down] = [before[j]!, behind[j]!];
    for (let e = 0; e < live.length; ++e) {
      const bytes = live[e]! + up[given[e]!]! + down[handed[e]!]!;
      if (bytes > most) most = bytes;
    }
    if (most >= limit) return Number.POSITIVE_INFINITY;
  }
  if (!pushed) return most;
  const { held, handedAtWait, inputRowBytes } = pieces[0]!;
  for (let row = 0; row < held.length; ++row) {
    most = Math.max(most, inputRowBytes + held[row]! + behind[0]![handedAtWait[row]!]!);
  }
  return most;
}

/** By piece, by how many rows it was given: the bytes that rest in the pieces before. */
function keptBefore(pieces: readonly Turns[], pushed: boolean): Float64Array[] {
  const { inputRows, inputRowBytes } = pieces[0]!;
  const first = new Float64Array(inputRows + 1);
  // Of a whole input, the rows that nobody has asked for yet.
  if (!pushed)
    for (let given = 0; given <= inputRows; ++given) first[given] = (inputRows - given) * inputRowBytes;
  const before = [first];
  for (let j = 1; j < pieces.length; ++j) {
    const { kept, givenAtRest, outputRows } = pieces[j - 1]!;
    const previous = before[j - 1]!;
    const bytes = new Float64Array(outputRows + 1);
    bytes[0] = previous[0]!;
    for (let row = 0; row < outputRows; ++row) bytes[row + 1] = kept[row]! + previous[givenAtRest[row]!]!;
    before.push(bytes);
  }
  return before;
}

/** By piece, by how many rows it has handed on: the bytes held in the pieces behind, which wait. */
function heldBehind(pieces: readonly Turns[]): Float64Array[] {
  const { outputRows, outputRowBytes } = pieces.at(-1)!;
  const behind = [Float64Array.from({ length: outputRows + 1 }, (_, rows) => rows * outputRowBytes)];
  for (let j = pieces.length - 2; j >= 0; --j) {
    const { held, handedAtWait, inputRows } = pieces[j + 1]!;
    const next = behind[0]!;
    const bytes = new Float64Array(inputRows + 1);
    for (let row = 0; row < inputRows; ++row) bytes[row] = held[row]! + next[handedAtWait[row]!]!;
    behind.unshift(bytes);
  }
  return behind;
}
