import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';

/** speed: one function per kernel and geometry, parameters as literals; size: one per kernel, parameters in a struct. */
export type Optimize = 'speed' | 'size';

/** What every part of the emitter works from. */
export interface EmitContext {
  readonly program: Program;
  readonly plan: Plan;
  /** The model's name: prefix of files and symbols. */
  readonly name: string;
  /** The same in upper case: prefix of macros. */
  readonly macro: string;
  readonly optimize: Optimize;
  /** How the files came about: version, source file, options. */
  readonly provenance: string;
}

/** The comment that opens every emitted file. */
export function banner({ provenance }: EmitContext, purpose: string): string {
  return ['/*', ` * ${purpose}`, ` * ${provenance}`, ' */'].join('\n');
}
