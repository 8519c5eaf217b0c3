/** Which host the engine gets. */
import { fail, RivuletError } from '../../core/diagnostics.ts';
import type { EngineHost } from './engine.ts';
import { nativeHost } from './native-host.ts';
import { wasmHost } from './wasm-host.ts';

export type HostName = 'wasm' | 'native';

/** The kernels of that name: wasm anywhere, native where there is a C compiler (RV3004 if not). */
export function openHost(name: HostName): Promise<EngineHost> {
  return name === 'native' ? nativeHost() : wasmHost();
}

/**
 * The host that a user asked for, or the fastest at hand: native, and WebAssembly where there is no C compiler or koffi
 * cannot be loaded. RV3001 for a name that is none; RV3004 and RV9004 as `nativeHost`.
 */
export async function chooseHost(
  wanted?: string,
): Promise<{ readonly name: HostName; readonly host: EngineHost }> {
  if (wanted === 'wasm' || wanted === 'native') return { name: wanted, host: await openHost(wanted) };
  if (wanted !== undefined) {
    fail('RV3001', `"${wanted}" is no host`, { origin: '--host', hint: 'native or wasm' });
  }
  try {
    return { name: 'native', host: await openHost('native') };
  } catch (error) {
    if (!(error instanceof RivuletError && error.diagnostics[0]?.code === 'RV3004')) throw error;
    return { name: 'wasm', host: await openHost('wasm') };
  }
}
