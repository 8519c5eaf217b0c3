/** Executors as the command line names them: `wasm`, `qemu`, `qemu:cortex-m4`. */
import { fail } from '../core/diagnostics.ts';
import { EXECUTOR_NAMES, type ExecutorName, requireEmulatedCore } from '../run/executors.ts';

export interface ExecutorChoice {
  readonly executor: ExecutorName;
  /** Core or board to compile for. */
  readonly target?: string;
}

/**
 * @param option where the name was given, for diagnostics
 * @param target what --target says; a core behind the name goes before it
 * @throws RivuletError RV3001 for an unknown executor, or a core where none belongs or is missing
 */
export function parseExecutor(option: string, text: string, target?: string): ExecutorChoice {
  const [name, core] = splitOnce(text);
  const executor = EXECUTOR_NAMES.find((known) => known === name);
  if (executor === undefined) {
    return fail('RV3001', `"${text}" is not an executor`, {
      origin: option,
      hint: `one of ${EXECUTOR_NAMES.join(', ')}, or with a core qemu:cortex-m4`,
    });
  }
  if (executor !== 'qemu') {
    if (core !== undefined)
      fail('RV3001', `"${executor}" runs on this computer, not on "${core}"`, { origin: option });
    return { executor, ...(target !== undefined && { target }) };
  }
  const chosen = core ?? target ?? 'host';
  requireEmulatedCore(chosen);
  return { executor, target: chosen };
}

function splitOnce(text: string): [string, string?] {
  const at = text.indexOf(':');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
