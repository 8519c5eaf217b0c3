/** How a job ended, as plain data that threads and machines send to each other. */
import { type Diagnostic, errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import type { Json } from './workers.ts';

export type Outcome = { readonly result: Json } | { readonly diagnostics: readonly Diagnostic[] };

/** Never throws: what is no RivuletError becomes RV9005, with its stack for whoever mends it. */
export async function attempt(run: () => Json | Promise<Json>): Promise<Outcome> {
  try {
    return { result: await run() };
  } catch (error) {
    return { diagnostics: diagnosticsOf(error) };
  }
}

export function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof RivuletError) return error.diagnostics;
  return [errorDiagnostic('RV9005', error instanceof Error ? (error.stack ?? error.message) : String(error))];
}

/** @throws RivuletError */
export function resultOf(outcome: Outcome): Json {
  if ('result' in outcome) return outcome.result;
  throw new RivuletError(outcome.diagnostics);
}
