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

/** What groups of a chain of pieces need while they take turns. What goes into the chain is pushed row by row. */
export class ChainPeaks {
  private readonly pieces: readonly Turns[];
  private readonly kept: Float64Array[][] = [];
  private readonly held: Float64Array[][] = [];

  constructor(pieces: readonly Turns[]) {
    this.pieces = pieces;
  }

  /**
   * The most bytes live while the pieces [first, until) take turns; infinity where that is not below `limit`. What goes
   * into a group behind others is whole from the start, what comes out is whole in the end.
   */
  peak(first: number, until: number, limit: number): number {
    const before = this.keptBefore(first, until);
    const behind = this.heldBehind(first, until);
    let most = 0;
    for (let j = first; j < until; ++j) {
      const { given, handed, live } = this.pieces[j]!;
      const [up, down] = [before[j - first]!, behind[until - 1 - j]!];
      for (let e = 0; e < live.length; ++e) {
        const bytes = live[e]! + up[given[e]!]! + down[handed[e]!]!;
        if (bytes > most) most = bytes;
      }
      if (most >= limit) return Number.POSITIVE_INFINITY;
    }
    if (first > 0) return most;
    const { held, handedAtWait, inputRowBytes } = this.pieces[0]!;
    const down = behind[until - 1]!;
    for (let row = 0; row < held.length; ++row) {
      most = Math.max(most, inputRowBytes + held[row]! + down[handedAtWait[row]!]!);
    }
    return most;
  }

  /** By piece from `first` on, by how many rows it was given: the bytes that rest in the pieces before. */
  private keptBefore(first: number, until: number): readonly Float64Array[] {
    const { inputRows, inputRowBytes } = this.pieces[first]!;
    this.kept[first] ??= [
      // Of a whole input, the rows that nobody has asked for yet.
      Float64Array.from({ length: inputRows + 1 }, (_, rows) =>
        first === 0 ? 0 : (inputRows - rows) * inputRowBytes,
      ),
    ];
    const before = this.kept[first];
    for (let j = first + before.length; j < until; ++j) {
      const { kept, givenAtRest, outputRows } = this.pieces[j - 1]!;
      const previous = before.at(-1)!;
      const bytes = new Float64Array(outputRows + 1);
      bytes[0] = previous[0]!;
      for (let row = 0; row < outputRows; ++row) bytes[row + 1] = kept[row]! + previous[givenAtRest[row]!]!;
      before.push(bytes);
    }
    return before;
  }

  /** By piece from the last before `until` back, by how many rows it has handed on: what waits in those behind. */
  private heldBehind(first: number, until: number): readonly Float64Array[] {
    const { outputRows, outputRowBytes } = this.pieces[until - 1]!;
    this.held[until] ??= [Float64Array.from({ length: outputRows + 1 }, (_, rows) => rows * outputRowBytes)];
    const behind = this.held[until];
    for (let j = until - 1 - behind.length; j >= first; --j) {
      const { held, handedAtWait, inputRows } = this.pieces[j + 1]!;
      const next = behind.at(-1)!;
      const bytes = new Float64Array(inputRows + 1);
      for (let row = 0; row < inputRows; ++row) bytes[row] = held[row]! + next[handedAtWait[row]!]!;
      behind.push(bytes);
    }
    return behind;
  }
}
