import type { EngineHost, EngineMemory } from './engine.ts';

/**
 * A host that lays one engine after the other into the same memory, which then need not be asked for and cleared each time:
 * only the engine that was opened last may be used. For programs whose buffers are written before they are read, as those
 * of graphs are.
 */
export function reusedMemory(host: EngineHost): EngineHost {
  let memory: EngineMemory | undefined;
  return {
    open(bytes) {
      if (memory === undefined || memory.bytes.length < bytes) memory = host.open(bytes);
      return memory;
    },
  };
}
