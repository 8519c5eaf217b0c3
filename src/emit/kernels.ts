/**
 * NAME_kernels.h and NAME_kernels.c: the row kernels the network uses, taken from their C sources. For speed each
 * distinct geometry becomes a function of its own with its parameters as literals; for size every kernel is emitted
 * once and reads its parameters from a struct. The only changes to a source are its name and `G->field`.
 */
import { type KernelSource, kernelSource } from '../program/kernel-source.ts';
import { type Call, PUSH } from '../program/types.ts';
import { banner, type EmitContext } from './context.ts';

/** A kernel function of the emitted project. */
export interface KernelFunction {
  readonly source: KernelSource;
  /** The function's name in C. */
  readonly name: string;
  /** Parameters bound as literals; null: read from a geometry struct. */
  readonly literals: Readonly<Record<string, number>> | null;
  /** Indices of the calls that use it. */
  readonly calls: readonly number[];
}

/** The functions of the project, in order of first use. */
export function kernelFunctions({ program, name, optimize }: EmitContext): KernelFunction[] {
  const functions = new Map<string, { call: Call; calls: number[] }>();
  for (const call of program.calls) {
    if (call.kernel === PUSH) continue;
    const literal = optimize === 'speed' && !call.shared;
    const key = literal ? `${call.kernel} ${JSON.stringify(call.geometry)}` : call.kernel;
    const known = functions.get(key);
    if (known === undefined) functions.set(key, { call, calls: [call.index] });
    else known.calls.push(call.index);
  }
  const counters = new Map<string, number>();
  return [...functions.values()].map(({ call, calls }) => {
    const source = kernelSource(call.kernel);
    const literal = optimize === 'speed' && !call.shared;
    const number = counters.get(call.kernel) ?? 0;
    counters.set(call.kernel, number + 1);
    return {
      source,
      name: literal ? `${name}_${call.kernel}_${number}` : `${name}_${call.kernel}`,
      literals: literal ? call.geometry : null,
      calls,
    };
  });
}

export function emitKernelsHeader(context: EmitContext, functions: readonly KernelFunction[]): string {
  const guard = `${context.macro}_KERNELS_H`;
  const sources = new Map(functions.map((f) => [f.source.name, f.source]));
  const headers = new Set(functions.map((f) => f.source.header));
  const fromStruct = new Set(functions.filter((f) => f.literals === null).map((f) => f.source.name));
  return [
    banner(context, 'Parameters and prototypes of the row kernels; private to the project.'),
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    ...[...headers].sort().map((header) => `#include "${header}"`),
    '',
    ...[...sources.values()].flatMap((source) => structs(source, fromStruct.has(source.name))),
    ...functions.map((f) => `${signature(f)};`),
    '',
    `#endif /* ${guard} */`,
    '',
  ].join('\n');
}

export function emitKernels(context: EmitContext, functions: readonly KernelFunction[]): string {
  const parts = [
    banner(context, 'Row kernels: each computes one output row from the input rows it needs.'),
    `#include "${context.name}_kernels.h"`,
    '',
  ];
  let previous = '';
  for (const f of functions.toSorted((a, b) => a.source.name.localeCompare(b.source.name))) {
    if (f.source.name !== previous)
      parts.push('/*', ...f.source.comment.split('\n').map((l) => ` * ${l}`.trimEnd()), ' */');
    previous = f.source.name;
    if (f.literals !== null) parts.push(`/* ${layers(f.calls)}: ${describe(f.literals)} */`);
    parts.push(
      signature(f),
      f.literals === null ? f.source.body : bindLiterals(f.source.body, f.literals),
      '',
    );
  }
  return parts.join('\n');
}

/** Replaces every `G->field` of a kernel body by its value. */
export function bindLiterals(body: string, literals: Readonly<Record<string, number>>): string {
  return body.replace(/\bG->(\w+)/g, (_, field: string) => {
    const value = literals[field]!;
    return value < 0 ? `(${value})` : String(value);
  });
}

function structs(source: KernelSource, withGeometry: boolean): string[] {
  const struct = (suffix: string, lines: string[]): string[] =>
    lines.length === 0 ? [] : ['typedef struct {', ...lines, `} rv_${source.name}_${suffix};`, ''];
  return [
    ...(withGeometry
      ? struct(
          'geometry',
          source.geometry.map((f) => `    ${f.type} ${f.name};`),
        )
      : []),
    ...struct(
      'data',
      source.data.map((f) => `    const ${f.type} *${f.name};`),
    ),
  ];
}

function signature({ name, source, literals }: KernelFunction): string {
  const parameters = [
    ...(literals === null && source.geometry.length > 0 ? [`const rv_${source.name}_geometry *G`] : []),
    ...(source.data.length > 0 ? [`const rv_${source.name}_data *D`] : []),
    'const rv_row *row',
  ];
  return `void ${name}(${parameters.join(', ')})`;
}

function layers(calls: readonly number[]): string {
  return `layer${calls.length > 1 ? 's' : ''} ${calls.join(', ')}`;
}

function describe(literals: Readonly<Record<string, number>>): string {
  return Object.entries(literals)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
