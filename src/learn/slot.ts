/** Saved states as bytes: a slot of a firmware's flash, as runtime/rivulet_slot.h writes and reads it. */
import { crc32 } from '../core/crc32.ts';
import { type DiagnosticDetail, fail } from '../core/diagnostics.ts';
import { DTYPES } from '../core/dtype.ts';
import { elementCount } from '../ir/types.ts';
import { fingerprintOf, statesOf } from './fingerprint.ts';
import type { Scheme } from './scheme.ts';
import type { TrainingGraph } from './training-graph.ts';

const LINE = 32;
const PAYLOAD = 2 * LINE;
const MAGIC = 0x4c535652;
const VERSION = 1;
const STEPS_BYTES = 4;

/** What a firmware has learnt. */
export interface Learnt {
  readonly steps: number;
  /** Bytes of every state, by name. */
  readonly states: ReadonlyMap<string, Uint8Array>;
}

/** Format and owner of a slot. */
export interface SlotLayout {
  readonly fingerprint: readonly [number, number];
  /** In the order in which they are saved. */
  readonly states: readonly { readonly name: string; readonly bytes: number }[];
}

export function slotLayoutOf(training: TrainingGraph, scheme: Scheme): SlotLayout {
  const states = statesOf(training.graph).map(({ name, shape, dtype }) => ({
    name,
    bytes: elementCount(shape) * DTYPES[dtype].bytes,
  }));
  return { fingerprint: fingerprintOf(training, scheme), states };
}

export function encodeSlot({ fingerprint, states }: SlotLayout, learnt: Learnt, sequence = 1): Uint8Array {
  const saved = savedBytes(states);
  const slot = new Uint8Array(PAYLOAD + Math.ceil(saved / LINE) * LINE);
  const view = new DataView(slot.buffer);
  const words = (at: number, values: readonly number[]): void =>
    values.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
  words(PAYLOAD, [learnt.steps]);
  let at = PAYLOAD + STEPS_BYTES;
  for (const { name, bytes } of states) {
    slot.set(learnt.states.get(name)!, at);
    at += bytes;
  }
  words(0, [MAGIC, VERSION, ...fingerprint, sequence, saved, crc32(slot.subarray(PAYLOAD))]);
  const header = crc32(slot.subarray(0, LINE - 4));
  words(LINE - 4, [header, ...new Array<number>(LINE / 4).fill(~header)]);
  return slot;
}

/**
 * @param slot the slot from its first byte on, or more; what follows it is not read
 * @throws RivuletError RV5005
 */
export function decodeSlot(slot: Uint8Array, { fingerprint, states }: SlotLayout, origin: string): Learnt {
  const saved = savedBytes(states);
  const end = PAYLOAD + Math.ceil(saved / LINE) * LINE;
  const wrong = (message: string, hint?: string): never => {
    const detail: DiagnosticDetail = { origin, ...(hint !== undefined && { hint }) };
    return fail('RV5005', message, detail);
  };
  if (slot.length < PAYLOAD) wrong(`${slot.length} bytes are no saved state`);
  const view = new DataView(slot.buffer, slot.byteOffset, slot.length);
  const word = (at: number): number => view.getUint32(at, true);
  if (word(0) !== MAGIC)
    wrong('the file does not begin as a slot does', 'dump one slot from its first byte on');
  if (word(4) !== VERSION) wrong(`the slot has format ${word(4)}, not ${VERSION}`);
  const header = crc32(slot.subarray(0, LINE - 4));
  if (word(LINE - 4) !== header) wrong('the header is damaged');
  if (fingerprint.some((part, i) => word(8 + 4 * i) !== part) || word(20) !== saved) {
    wrong('the state was saved by the firmware of another model or scheme');
  }
  for (let at = LINE; at < PAYLOAD; at += 4) {
    if (word(at) !== ~header >>> 0) wrong('the slot was not completed');
  }
  if (slot.length < end) wrong(`the slot takes ${end} bytes, the file has ${slot.length}`);
  if (word(24) !== crc32(slot.subarray(PAYLOAD, end))) wrong('what was saved is damaged');
  let at = PAYLOAD + STEPS_BYTES;
  const found = new Map<string, Uint8Array>();
  for (const { name, bytes } of states) {
    found.set(name, slot.slice(at, at + bytes));
    at += bytes;
  }
  return { steps: view.getInt32(PAYLOAD, true), states: found };
}

function savedBytes(states: SlotLayout['states']): number {
  return states.reduce((sum, { bytes }) => sum + bytes, STEPS_BYTES);
}
