/** Calls of many programs as the layers of one, so that a single firmware measures all of them. */
import type { Call, Port, Program } from '../src/program/types.ts';

/** Some calls of a program. */
export interface Part {
  readonly program: Program;
  readonly calls: readonly Call[];
}

export interface SideBySide {
  readonly program: Program;
  /** For each part, the number that was added to the ids of its buffers. */
  readonly firstBuffer: readonly number[];
}

/** Too much to copy without a library function. */
const PORT_BYTES = 256;

/**
 * The calls in the order of the parts. Buffers of the parts become activations; the program has `inputs` inputs and one
 * output of its own, which no call touches, and no schedule.
 */
export function sideBySide(name: string, parts: readonly Part[], inputs = 1): SideBySide {
  const calls: Call[] = [];
  const buffers: Program['buffers'][number][] = [];
  const constants: Program['constants'][number][] = [];
  const firstBuffer: number[] = [];
  for (const part of parts) {
    const [buffer, table] = [buffers.length, constants.length];
    firstBuffer.push(buffer);
    for (const b of part.program.buffers) buffers.push({ ...b, id: b.id + buffer, role: 'activation' });
    for (const c of part.program.constants) constants.push({ ...c, id: c.id + table });
    for (const call of part.calls) calls.push(moved(call, calls.length, buffer, table));
  }
  const port = (role: 'input' | 'output'): Port => {
    const buffer = buffers.length;
    buffers.push({ id: buffer, name: role, bytes: PORT_BYTES, role });
    return { name: role, buffer, shape: [PORT_BYTES], dtype: 'int8', bytes: PORT_BYTES };
  };
  const program: Program = {
    inputs: Array.from({ length: inputs }, () => port('input')),
    outputs: [port('output')],
    ...{ name, buffers, constants, calls, schedule: [], states: [] },
  };
  return { program, firstBuffer };
}

/** `call` under another index, with `buffer` and `table` added to its ids of buffers and constants. */
function moved(call: Call, index: number, buffer: number, table: number): Call {
  const { result, scratch } = call;
  return {
    ...call,
    index,
    data: Object.fromEntries(Object.entries(call.data).map(([field, id]) => [field, id + table])),
    slots: call.slots.map((slot) => ({
      ...slot,
      source:
        slot.source.kind === 'buffer'
          ? { kind: 'buffer', buffer: slot.source.buffer + buffer }
          : { kind: 'constant', constant: slot.source.constant + table },
    })),
    output: { ...call.output, buffer: call.output.buffer + buffer },
    scratch: scratch === null ? null : scratch + buffer,
    result: result && { ...result, buffer: result.buffer + buffer },
  };
}
