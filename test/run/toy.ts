/** The toy project of test/fixtures/toy, and what it computes, written a second time. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Tensors } from '../../src/run/execute.ts';
import type { FirmwareRequest } from '../../src/run/firmware.ts';

const FOLDER = new URL('../fixtures/toy/', import.meta.url);

/** The request for a core; `edit` maps a file name to what is replaced in it. */
export function toyRequest(
  core: string,
  edit: Readonly<Record<string, readonly [string, string]>> = {},
): FirmwareRequest {
  const files = new Map<string, string>();
  for (const name of readdirSync(FOLDER)) {
    const text = readFileSync(new URL(name, FOLDER), 'utf8');
    const [from, to] = edit[name] ?? ['', ''];
    files.set(name, text.replace(from, to));
  }
  return { files, name: 'toy', inputBytes: [16, 8], outputBytes: [8], layers: 2, core, optimize: 'speed' };
}

/** `count` samples that take every byte value in turn. */
export function toySamples(count: number): Tensors[] {
  return Array.from({ length: count }, (_, sample) => [
    Uint8Array.from({ length: 16 }, (_, i) => 97 * sample + 17 * i),
    Uint8Array.from({ length: 8 }, (_, i) => 31 * sample + 51 * i),
  ]);
}

const saturate = (value: number) => Math.max(-128, Math.min(127, value));
const weight = (i: number) => ((37 * i * i + 11 * i + 5) % 255) - 127;

/** Outputs of layer 0 and layer 1. */
export function toyReference([first, second]: Tensors): [Uint8Array, Uint8Array] {
  const a = new Int8Array(first!);
  const b = new Int8Array(second!);
  const dense = Array.from({ length: 8 }, (_, row) => {
    const sum = a.reduce((sum, x, i) => sum + x * weight(16 * row + i), 0);
    return saturate(Math.trunc(sum / 64));
  });
  return [Uint8Array.from(dense), Uint8Array.from(dense.map((x, i) => saturate(x + b[i]!)))];
}
