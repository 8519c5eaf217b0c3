/** Input pushed row by row: the frame is never stored, so the input becomes a tensor that a call produces. */
import { fail } from '../core/diagnostics.ts';
import { type Call, type Port, type Program, PUSH, type RowView } from '../program/types.ts';
import { viewsByBuffer } from './live-rows.ts';

/**
 * Puts a call in front of `program` (in whole-tensor form) that stands for the application handing over one row of the
 * input after the other, top-down. From then on the input is planned like any other tensor. Of a training step it is the
 * image; label and rate are handed over as they are.
 * @throws RivuletError RV3001 unless the model has exactly one input
 */
export function pushRows(program: Program): Program {
  const [input, ...others] = program.inputs;
  if (input === undefined || (others.length > 0 && program.training === undefined)) {
    fail('RV3001', `the model has ${program.inputs.length} inputs, rows can be pushed into one`, {
      origin: '--input-mode rows',
      hint: 'use --input-mode resident',
    });
  }
  const pitch = rowPitch(program, input);
  const rows = input.bytes / pitch;
  const view: RowView = {
    offset: 0,
    pitch,
    rowBytes: pitch,
    ring: rows,
    turn: 0,
    rows: Int32Array.from({ length: rows }, (_, row) => row),
  };
  const push: Call = {
    index: 0,
    origin: { index: -1, op: 'INPUT', name: input.name },
    op: 'input',
    kernel: PUSH,
    why: 'the application pushes the rows',
    macs: 0,
    geometry: {},
    data: {},
    shared: false,
    firings: rows,
    slots: [],
    output: { ...view, buffer: input.buffer },
    scratch: null,
    scratchKeeps: false,
    inPlace: [],
    inPlaceExactly: [],
    reversible: false,
    roomy: [],
    result: null,
  };
  const calls = [push, ...program.calls.map((call) => ({ ...call, index: call.index + 1 }))];
  return {
    ...program,
    calls,
    buffers: program.buffers.map((buffer) =>
      buffer.id === input.buffer ? { ...buffer, role: 'activation' } : buffer,
    ),
    schedule: calls.map((call) => ({ call: call.index, first: 0, count: call.firings, step: 1 })),
  };
}

/** Bytes of the row that every reader of the input agrees on; of the whole input where they do not. */
export function rowPitch(program: Program, { buffer, bytes }: Port): number {
  const pitches = viewsByBuffer(program)[buffer]!.map(({ view }) => view.pitch);
  const [pitch = bytes] = pitches;
  return pitch > 0 && bytes % pitch === 0 && pitches.every((p) => p === pitch) ? pitch : bytes;
}
