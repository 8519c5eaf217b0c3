/** Programs of the pieces of a network become the program of the network. */
import type { BufferId, Call, Program, Slot } from '../../src/program/types.ts';

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
