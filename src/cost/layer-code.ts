/**
 * What can be read off the emitted layer functions: the constants they declare, exactly, and the features that the size
 * of their code is estimated from. Reading the text itself keeps this true whatever the emitter learns.
 */
import type { EmitContext } from '../emit/context.ts';
import { kernelFunctions } from '../emit/kernels.ts';
import { emitSegmentLayers } from '../emit/model.ts';
import { turnsOf } from '../emit/streams.ts';
import { isStream, segmentsOf } from '../program/segments.ts';

/**
 * What the code of a layer grows with, as patterns in its text; the order is that of the measured coefficients, the
 * function itself comes first.
 */
const PATTERNS: readonly RegExp[] = [
  /\bfor \(/g,
  / \? /g,
  / && /g,
  / % /g,
  / = arena/g,
  / \+ \w+ \* \d/g,
  /\) \* \d/g,
  /\[k\b/g,
  /rows_\w+\[y\]/g,
  /row\.y = y/g,
  /&data\b/g,
  /&geometry\b/g,
  /arena \+ \d+(?!.*NULL, 0)/g,
];

/** 1, then how often each pattern occurs in the body of a layer function. */
export function layerFeatures(text: string): number[] {
  const body = text.slice(text.indexOf('{'));
  return [1, ...PATTERNS.map((pattern) => body.match(pattern)?.length ?? 0)];
}

/** What the code of a project follows from; its name is of no account. */
export type Code = Pick<EmitContext, 'program' | 'plan' | 'optimize'>;

export function contextOf(code: Code): EmitContext {
  return { ...code, name: 'model', macro: 'MODEL', provenance: '' };
}

/** The layer functions of a project, in schedule order. */
export function layerTexts(code: Code): string[] {
  const context = contextOf(code);
  const functions = kernelFunctions(context);
  return segmentsOf(code.program.calls, code.plan.schedule).flatMap((segment) =>
    emitSegmentLayers(context, segment, functions),
  );
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { int16_t: 2, int32_t: 4 };

/** Bytes of a layer's constants on a 32-bit core: the pointers and numbers of its structs, and its row tables. */
export function layerConstantBytes(text: string): number {
  let bytes = 0;
  for (const [, type, initial] of text.matchAll(/^ {4}static const (\w+) [^=]* = \{(.*)\};$/gm)) {
    bytes += initial!.split(',').length * (ELEMENT_BYTES[type!] ?? 4);
  }
  return bytes;
}

/** Of each function that lets layers take turns: the bytes of its table, and how many layers it calls. */
export function streamSizes({
  program,
  plan,
}: Code): { readonly tableBytes: number; readonly layers: number }[] {
  return segmentsOf(program.calls, plan.schedule)
    .filter(isStream)
    .map((segment) => ({ tableBytes: 2 * turnsOf(segment).length, layers: segment.calls.length }));
}
