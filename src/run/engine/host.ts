/** Which host the engine gets. */
import { fail, RivuletError } from '../../core/diagnostics.ts';
import type { EngineHost } from './engine.ts';
import { nativeHost } from './native-host.ts';
import { wasmHost } from './wasm-host.ts';

export const HOST_NAMES = ['native', 'wasm'] as const;
export type HostName = (typeof HOST_NAMES)[number];

/**
 * The host of that name; without one native, or WebAssembly where there is no C compiler or koffi cannot be loaded.
 * RV3001 for a name that is none, RV3004 and RV9004 as `nativeHost`.
 */
export async function openHost(
  wanted?: string,
): Promise<{ readonly name: HostName; readonly host: EngineHost }> {
  if (wanted === 'wasm') return { name: 'wasm', host: await wasmHost() };
  if (wanted !== undefined && wanted !== 'native') {
    fail('RV3001', `"${wanted}" is no host`, { origin: '--host', hint: HOST_NAMES.join(' or ') });
  }
  try {
    return { name: 'native', host: await nativeHost() };
  } catch (error) {
    const isMissing = error instanceof RivuletError && error.diagnostics[0]?.code === 'RV3004';
    if (wanted === 'native' || !isMissing) throw error;
    return { name: 'wasm', host: await wasmHost() };
  }
}
