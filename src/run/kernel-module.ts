/** The kernels as one WebAssembly module: what tools/build-kernels.mjs made. */
import { KERNELS_WASM } from '../generated/kernels-wasm.ts';

export const PAGE = 65536;
/** The kernels' own stack and data lie below this address. */
export const HEAP = 4 * PAGE;

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiled once in the life of the process. It imports its memory as `env.memory`. */
export function kernelModule(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(Uint8Array.from(atob(KERNELS_WASM), (char) => char.charCodeAt(0)));
  return compiled;
}
