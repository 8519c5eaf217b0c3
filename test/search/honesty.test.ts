/** What a search promises of networks is what the linked programs take. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/core/random.ts';
import { architectureOf } from '../../src/nas/architecture.ts';
import { randomGenome } from '../../src/nas/genome.ts';
import { modelBytesOf } from '../../src/nas/graph.ts';
import { findSpace, subspace } from '../../src/nas/space.ts';
import { canRun } from '../../src/run/toolchain.ts';
import { linkedNetwork } from '../../src/search/honesty.ts';
import { exactCost, type WayName } from '../../src/search/ways.ts';
import { findTarget } from '../../src/targets/index.ts';

const SPACE = subspace(findSpace('fashion'), 28, 0.3);
const RUNS: readonly [target: string, ways: readonly WayName[], sram: number][] = [
  ['nrf52840', ['whole', 'stream'], 60_000],
  ['microbit', ['whole', 'stream'], 12_000],
  ['esp32-c3', ['whole', 'rows'], 10_000],
];

describe.each(RUNS)('on %s', async (name, ways, sram) => {
  const target = findTarget(name);
  it.skipIf(!(await canRun(target.core)))(
    `SRAM is that of the linked program, flash within 2 %, ${ways.join(' or ')}`,
    async () => {
      const limits = { sram, flash: 1e6 };
      const random = createRandom(sram);
      const used = new Set<WayName>();
      for (let network = 0; network < 2; ++network) {
        const genome = randomGenome(SPACE, random);
        const cost = exactCost(modelBytesOf(architectureOf(SPACE, genome)), name, ways, limits);
        if (typeof cost === 'string') throw new Error(`${cost} is exceeded`);
        const linked = await linkedNetwork(SPACE, genome, cost.way, name, limits);
        expect(linked.sram).toBe(cost.sram);
        expect(cost.sram).toBeLessThanOrEqual(sram);
        expect(Math.abs(cost.flash / linked.flash - 1)).toBeLessThan(0.02);
        used.add(cost.way);
      }
      expect([...used]).toEqual([sram === 60_000 ? 'whole' : ways[1]]);
    },
  );
});
