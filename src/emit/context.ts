import type { Optimize } from '../core/isa.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';

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
export function banner({ provenance }: Pick<EmitContext, 'provenance'>, purpose: string): string {
  return ['/*', ` * ${purpose}`, ` * ${provenance}`, ' */'].join('\n');
}
