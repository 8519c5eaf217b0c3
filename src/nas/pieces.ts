/**
 * A network cut into pieces between which one tensor is all that lives: the first convolution, each block, the end. Networks
 * of a space share most pieces, so what a piece costs is found out once, by the compiler itself.
 */
import type { KernelChoice } from '../core/isa.ts';
import { lower } from '../lower/lower.ts';
import { runPasses } from '../passes/pipeline.ts';
import { plan } from '../plan/plan.ts';
import type { BufferId, Call, Program, Slot } from '../program/types.ts';
import { IMAGE, inputShape, type Layer, layersOf, type Shape } from '../zoo/layers.ts';
import type { Architecture } from '../zoo/networks.ts';
import { placeholderRange } from '../zoo/calibrate.ts';
import { graphOfLayers } from './graph.ts';

/** Neighbouring layers that read nothing from before but the result of the layer in front of them, here `IMAGE`. */
export interface Piece {
  /** Equal for pieces with the same layers but for their names. */
  readonly key: string;
  readonly layers: readonly Layer[];
  readonly input: Shape;
  /** Of the input's real values. */
  readonly range: readonly [number, number];
}

export function piecesOf(architecture: Architecture): Piece[] {
  const layers = layersOf(architecture);
  const starts = layers.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf('/'))));
  const pieces: Piece[] = [];
  for (let first = 0; first < layers.length; ) {
    let end = first + 1;
    while (end < layers.length && starts[first] !== '' && starts[end] === starts[first]) ++end;
    // The mean is a vector of a few bytes: nothing is gained by a piece of its own.
    if (layers[first]!.op === 'mean') end = layers.length;
    const before = layers[first - 1];
    const input = before === undefined ? inputShape(architecture) : before.shape;
    pieces.push(pieceOf(layers, first, end, input, before === undefined ? [-1, 1] : placeholderRange(before)));
    first = end;
  }
  return pieces;
}

function pieceOf(all: readonly Layer[], first: number, end: number, input: Shape, range: Piece['range']): Piece {
  const layers = all.slice(first, end).map((layer) => ({
    ...layer,
    inputs: layer.inputs.map((index) => (index < first ? IMAGE : index - first)),
  }));
  const texts = layers.map(
    ({ op, inputs, shape, kernel, stride, padding, relu6 }) =>
      `${op}${inputs}>${shape} ${kernel}/${stride}+${padding}${relu6 ? '6' : ''}`,
  );
  return { key: `${input} [${range}] ${texts.join(' ')}`, layers, input, range };
}

/** A piece that has been lowered, as a program of its own. */
export interface LoweredPiece {
  readonly key: string;
  readonly program: Program;
  /** Bytes of the arena in which it runs layer by layer; its input and output lie in it. */
  readonly arenaBytes: number;
  readonly plan: ReturnType<typeof plan>;
}

/** Lowers pieces, each once. */
export class PieceStore {
  readonly kernels: KernelChoice;
  private readonly known = new Map<string, LoweredPiece>();

  constructor(kernels: KernelChoice) {
    this.kernels = kernels;
  }

  lowered(piece: Piece): LoweredPiece {
    const known = this.known.get(piece.key);
    if (known !== undefined) return known;
    const graph = runPasses(graphOfLayers(piece.layers, piece.input, piece.range), 'int8', ['remove-constant-channels']);
    const program = lower(graph, this.kernels);
    const planned = plan(program);
    const lowered = { key: piece.key, program, plan: planned, arenaBytes: planned.arenaBytes };
    this.known.set(piece.key, lowered);
    return lowered;
  }
}

/** The program of pieces that follow each other. What is between two of them is an activation as any other. */
export function joined(pieces: readonly Program[]): Program {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  const buffers: Program['buffers'][number][] = [];
  const calls: Call[] = [];
  const constants: Program['constants'][number][] = [];
  let handed: BufferId | null = null;
  let output: BufferId = 0;
  for (const program of pieces) {
    const input = program.inputs[0]!.buffer;
    const ids = program.buffers.map((buffer): BufferId => {
      if (buffer.id === input && handed !== null) return handed;
      const id = buffers.length;
      const isBetween = program !== last && program.outputs[0]!.buffer === buffer.id;
      buffers.push({ ...buffer, id, role: isBetween ? 'activation' : buffer.role });
      return id;
    });
    const base = constants.length;
    for (const constant of program.constants) constants.push({ ...constant, id: constant.id + base });
    for (const call of program.calls) calls.push(moved(call, calls.length, ids, base));
    output = ids[program.outputs[0]!.buffer]!;
    handed = output;
  }
  return {
    ...first,
    buffers,
    calls,
    constants,
    schedule: calls.map((call) => ({ call: call.index, first: 0, count: call.firings, step: 1 })),
    outputs: [{ ...last.outputs[0]!, buffer: output }],
  };
}

function moved(call: Call, index: number, ids: readonly BufferId[], constants: number): Call {
  const dataOf = ({ data }: Pick<Call, 'data'>): Call['data'] =>
    Object.fromEntries(Object.entries(data).map(([name, id]) => [name, id + constants]));
  return {
    ...call,
    index,
    data: dataOf(call),
    roomy: call.roomy.map((kernel) => ({ ...kernel, data: dataOf(kernel) })),
    slots: call.slots.map(
      (slot): Slot => ({
        ...slot,
        source:
          slot.source.kind === 'buffer'
            ? { ...slot.source, buffer: ids[slot.source.buffer]! }
            : { ...slot.source, constant: slot.source.constant + constants },
      }),
    ),
    output: { ...call.output, buffer: ids[call.output.buffer]! },
    scratch: call.scratch === null ? null : ids[call.scratch]!,
    result: call.result && { ...call.result, buffer: ids[call.result.buffer]! },
  };
}
