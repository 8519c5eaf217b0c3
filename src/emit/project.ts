/** Program + Plan -> the files of a C project. Pure and deterministic: the same input gives the same bytes. */

import type { Optimize } from '../core/isa.ts';
import { SOURCES } from '../generated/sources.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';
import { emitCMakeLists, emitExampleMain, emitMakefile } from './build-files.ts';
import { emitWeights, emitWeightsHeader } from './constants.ts';
import type { EmitContext } from './context.ts';
import { type EmittedFrontEnd, emitFrontEnd, emitFrontEndHeader, FRONT_END_RUNTIME } from './front-end.ts';
import { emitKernels, emitKernelsHeader, kernelFunctions } from './kernels.ts';
import { emitMemoryMap } from './memory-map.ts';
import { emitModel, emitModelHeader } from './model.ts';
import { requireIdentifier } from './names.ts';

export interface EmitOptions {
  /** The model's name in C; see `requireIdentifier`. */
  readonly name: string;
  readonly optimize: Optimize;
  /** One line that says how the files came about. */
  readonly provenance: string;
  /** What makes the network's input of sound. */
  readonly frontEnd?: EmittedFrontEnd;
}

/** File name -> text, in the order a reader should look at them. */
export type Project = ReadonlyMap<string, string>;

export function emitProject(program: Program, plan: Plan, options: EmitOptions): Project {
  const name = requireIdentifier(options.name);
  const sources = [
    name,
    `${name}_kernels`,
    `${name}_weights`,
    ...(options.frontEnd ? [`${name}_features`] : []),
  ];
  const context: EmitContext = { ...options, program, plan, name, macro: name.toUpperCase() };
  const functions = kernelFunctions(context);
  const { frontEnd } = options;
  const headers = withIncluded([
    'rivulet.h',
    ...(program.training ? ['rivulet_slot.h'] : []),
    ...functions.map((f) => f.source.header),
    ...(frontEnd ? [FRONT_END_RUNTIME] : []),
  ]);
  return new Map([
    [`${name}.h`, emitModelHeader(context)],
    [`${name}.c`, emitModel(context, functions)],
    [`${name}_kernels.h`, emitKernelsHeader(context, functions)],
    [`${name}_kernels.c`, emitKernels(context, functions)],
    [`${name}_weights.h`, emitWeightsHeader(context)],
    [`${name}_weights.c`, emitWeights(context)],
    ...(frontEnd
      ? ([
          [`${name}_features.h`, emitFrontEndHeader(context, frontEnd)],
          [`${name}_features.c`, emitFrontEnd(context, frontEnd)],
        ] as const)
      : []),
    ...headers.map((header): [string, string] => [header, SOURCES[header]!]),
    ['main.c', emitExampleMain(context)],
    ['Makefile', emitMakefile(context, sources)],
    ['CMakeLists.txt', emitCMakeLists(context, sources)],
    [`${name}_memory.txt`, emitMemoryMap(context)],
  ]);
}

/** Headers of the runtime and those they include, sorted. */
function withIncluded(headers: readonly string[]): string[] {
  const all = new Set(headers);
  for (const header of all) {
    for (const [, included] of SOURCES[header]!.matchAll(/^#include "(\w+\.h)"$/gm)) all.add(included!);
  }
  return [...all].sort();
}
