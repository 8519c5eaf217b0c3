/** The engine's default host: kernels as WebAssembly. Needs nothing on the machine, and runs in a browser. */
import { fail } from '../../core/diagnostics.ts';
import { HEAP, kernelModule, PAGE } from '../kernel-module.ts';
import type { EngineHost, EngineMemory } from './engine.ts';

export async function wasmHost(): Promise<EngineHost> {
  const module = await kernelModule();
  return { open: (bytes) => openMemory(module, bytes) };
}

function openMemory(module: WebAssembly.Module, bytes: number): EngineMemory {
  const pages = HEAP / PAGE + Math.ceil(bytes / PAGE);
  if (pages > PAGE) fail('RV3006', `the program needs ${bytes} bytes, WebAssembly has 4 GiB`);
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const table = exports.__indirect_function_table as WebAssembly.Table;
  const runSteps = exports.rv_run_steps as (steps: number, count: number) => void;
  const indices = new Map<string, number>();
  return {
    bytes: new Uint8Array(memory.buffer, HEAP),
    base: HEAP,
    pointerBytes: 4,
    kernel(name) {
      const known = indices.get(name);
      if (known !== undefined) return known;
      const kernel =
        exports[`rv_${name}`] ?? fail('RV9003', `kernel ${name} is missing from the WebAssembly module`);
      const index = table.grow(1, kernel);
      indices.set(name, index);
      return index;
    },
    run: runSteps,
  };
}
