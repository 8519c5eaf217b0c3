/** Kinds of work made for tests; a registry as src/workers/kinds.ts. Built modules: threads cannot load TypeScript. */
import { fail } from '../../dist/src/core/diagnostics.js';

/** What the blobs of batches were to this thread: as many objects as it has been given. */
const seen = new Set();

export const KINDS = {
  /** A hash of a part of the blobs, slowly. */
  mix: {
    name: 'mix',
    async run({ from, rounds }, { left, right }) {
      let hash = from >>> 0;
      for (let i = 0; i < rounds; ++i) {
        const at = (from + i) % left.length;
        hash = (Math.imul(hash ^ left[at], 16777619) + right[(at * 7) % right.length]) >>> 0;
      }
      return { from, hash };
    },
  },
  /** Whether the blob is in shared memory, and how many different ones came to this thread. */
  look: {
    name: 'look',
    run(_, { data }) {
      seen.add(data);
      return { shared: data.buffer instanceof SharedArrayBuffer, objects: seen.size, first: data[0] };
    },
  },
  /** Waits, and says where it was done. */
  wait: {
    name: 'wait',
    async run({ milliseconds }) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return process.pid;
    },
  },
  refuse: {
    name: 'refuse',
    run: ({ item }) =>
      item < 0 ? fail('RV4002', `item ${item} is none`, { origin: 'items', hint: 'begin at 0' }) : item,
  },
  /** Not on purpose. */
  stumble: { name: 'stumble', run: () => undefined.length },
  /** Ends the process, as a job does that needs more memory than there is. */
  poison: { name: 'poison', run: () => process.kill(process.pid, 'SIGKILL') },
  /** Ends its thread. */
  leave: { name: 'leave', run: () => process.exit(3) },
};

export default Object.fromEntries(Object.entries(KINDS).map(([name, kind]) => [name, async () => kind]));
