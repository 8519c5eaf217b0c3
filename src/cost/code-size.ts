/**
 * The flash that a project's code takes before it is built. Code is an ESTIMATE, fitted to real builds of every kernel by
 * `npm run measure:code`; the constants that the emitter adds are counted exactly. `profile` measures a project.
 *
 * How good it is: eight real networks that the fit has not seen, on seven cores, for speed and for size, against linked
 * programs (docs/benchmarks.md). Total flash: 0.2 % off in the mean, under 2 % at worst. Code alone: 2 % and 9 %.
 */
import type { Optimize } from '../core/isa.ts';
import { kernelFunctions } from '../emit/kernels.ts';
import { CODE_SIZES } from './code-sizes.ts';
import {
  type Code,
  contextOf,
  layerConstantBytes,
  layerFeatures,
  layerTexts,
  streamSizes,
} from './layer-code.ts';

/** Sizes on one core with one optimisation, in bytes. */
export interface CodeSizes {
  /** NAME_run: itself, and for each layer and each input or output. */
  readonly run: readonly [base: number, layer: number, port: number];
  /** A layer function, by `layerFeatures`. */
  readonly layer: readonly number[];
  /** Functions that kernels share. */
  readonly shared: number;
  readonly kernels: Readonly<Record<string, KernelSize>>;
  /** Functions of the runtime's headers that kernels call. */
  readonly runtime: Readonly<Record<string, number>>;
  /** Parts of the compiler's libraries that every project needs. */
  readonly library: readonly string[];
}

export interface KernelSize {
  readonly bytes: number;
  /** Added where a geometry meets a condition: `field=value`, or `field%divisor` for a multiple. */
  readonly terms?: Readonly<Record<string, number>>;
  /** Functions of the runtime's headers that it needs, in CodeSizes.runtime. */
  readonly runtime?: readonly string[];
  /** Parts of the compiler's libraries that it needs. */
  readonly library?: readonly string[];
}

export interface CoreSizes {
  readonly speed: CodeSizes;
  readonly size: CodeSizes;
  /** Size of each part of the compiler's libraries. */
  readonly library: Readonly<Record<string, number>>;
}

export interface CodeEstimate {
  /** Instructions, the model's and those of library functions: estimated. */
  readonly bytes: number;
  /** Structs, row tables and tables of turns that the emitted functions declare: exact. */
  readonly constantBytes: number;
  /** Kernels that were never measured for this core; the mean of the others stands for them. */
  readonly unmeasured: readonly string[];
}

/** Where a core was not measured, and for the host, whose flash nobody asks for. */
const STAND_IN = 'cortex-m4';

export function estimateCode(code: Code, core: string): CodeEstimate {
  const { inputs, outputs } = code.program;
  return sumCode([codeParts(code, core)], inputs.length + outputs.length, core, code.optimize);
}

/** What a project's code consists of, so that those of several programs which become one can be added up. */
export interface CodeParts {
  readonly layers: number;
  /** Of the layer functions and those in which they take turns, and of what these declare. */
  readonly layerBytes: number;
  readonly constantBytes: number;
  readonly functions: readonly KernelPart[];
}

/** A kernel function. Equal ones are in the project once. */
export interface KernelPart {
  readonly key: string;
  /** Null: the kernel was never measured for this core. */
  readonly size: KernelSize | null;
  readonly kernel: string;
}

/**
 * The code of a function in which layers take turns: a loop, and a case for each layer. Read off two dozen of them on five cores
 * (96 to 175 and 5 to 9 bytes); they differ by less than the rest of the estimate is wrong by.
 */
const STREAM = { base: 115, layer: 8 } as const;

/** The parts of a program's code. */
export function codeParts(code: Code, core: string): CodeParts {
  const sizes = sizesOf(core)[code.optimize];
  const layers = layerTexts(code);
  const streams = streamSizes(code);
  const streamCode = streams.map((each) => STREAM.base + STREAM.layer * each.layers);
  return {
    layers: layers.length,
    layerBytes: sum([...layers.map((text) => dot(sizes.layer, layerFeatures(text))), ...streamCode]),
    constantBytes: sum([...layers.map(layerConstantBytes), ...streams.map(({ tableBytes }) => tableBytes)]),
    functions: kernelFunctions(contextOf(code)).map(({ source: { name }, calls, literals }) => {
      const size = sizes.kernels[name];
      const { geometry } = code.program.calls[calls[0]!]!;
      const key = `${name} ${literals === null ? '' : JSON.stringify(literals)}`;
      if (size === undefined) return { key, kernel: name, size: null };
      return { key, kernel: name, size: { ...size, bytes: kernelBytes(size, geometry) } };
    }),
  };
}

/** The code of a project that has all the parts, and so many inputs and outputs. */
export function sumCode(
  parts: readonly CodeParts[],
  ports: number,
  core: string,
  optimize: Optimize,
): CodeEstimate {
  const measured = sizesOf(core);
  const sizes = measured[optimize];
  const known = Object.values(sizes.kernels);
  const mean = known.reduce((sum, { bytes }) => sum + bytes, 0) / known.length;
  const library = new Set(sizes.library);
  const runtime = new Set<string>();
  const unmeasured = new Set<string>();
  const total = (of: (part: CodeParts) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  let bytes = sizes.shared + dot(sizes.run, [1, total(({ layers }) => layers), ports]);
  const functions = new Map(parts.flatMap((part) => part.functions.map((each) => [each.key, each])));
  for (const { kernel, size } of functions.values()) {
    if (size === null) unmeasured.add(kernel);
    for (const part of size?.library ?? []) library.add(part);
    for (const name of size?.runtime ?? []) runtime.add(name);
    bytes += size?.bytes ?? mean;
  }
  bytes += total(({ layerBytes }) => layerBytes);
  for (const name of runtime) bytes += sizes.runtime[name]!;
  for (const part of library) bytes += measured.library[part]!;
  return {
    bytes: Math.round(bytes),
    constantBytes: total(({ constantBytes }) => constantBytes),
    unmeasured: [...unmeasured],
  };
}

function sizesOf(core: string): CoreSizes {
  return CODE_SIZES[core] ?? CODE_SIZES[STAND_IN]!;
}

function kernelBytes({ bytes, terms = {} }: KernelSize, geometry: Readonly<Record<string, number>>): number {
  const met = Object.entries(terms).filter(([condition]) => holds(condition, geometry));
  return met.reduce((sum, [, extra]) => sum + extra, bytes);
}

/** Whether a geometry meets a condition of `KernelSize.terms`. */
export function holds(condition: string, geometry: Readonly<Record<string, number>>): boolean {
  const [, field, relation, number] = /^(\w+)([=%])(-?\d+)$/.exec(condition)!;
  const value = geometry[field!]!;
  return relation === '=' ? value === Number(number) : value % Number(number) === 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
