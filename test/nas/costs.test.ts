/** What the search believes about networks against what the compiler makes of them. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { createRandom } from '../../src/core/random.ts';
import { codeParts, sumCode } from '../../src/cost/code-size.ts';
import { architectureOf, costOf } from '../../src/nas/architecture.ts';
import { CostModel } from '../../src/nas/costs.ts';
import { randomGenome } from '../../src/nas/genome.ts';
import { graphOf, modelBytesOf } from '../../src/nas/graph.ts';
import { SPACES } from '../../src/nas/space.ts';
import { runPasses } from '../../src/passes/pipeline.ts';
import { findTarget } from '../../src/targets/index.ts';
import { TradeOffSearch } from '../../src/tradeoff/search.ts';

const TARGET = findTarget('stm32f746');
const KERNELS = { isas: TARGET.core.isas, optimize: 'speed' } as const;

describe.each(['mcunet', 'cifar', 'fashion', 'mcunet-v2'])('networks of the space %s', (name) => {
  const space = SPACES.find((each) => each.name === name)!;
  const random = createRandom(5);
  const model = new CostModel(TARGET);
  const small = { ...space, resolutions: space.resolutions.slice(0, 2) };

  it.each([1, 2])('cost what the compiler says, network %i', () => {
    const architecture = architectureOf(space, randomGenome(small, random));
    const cost = model.network(architecture);
    expect(cost.macs).toBe(costOf(architecture).macs);
    const { report, plan } = compile(modelBytesOf(architecture), { target: TARGET.name, schedule: 'whole' });
    expect(report.flash.weights + report.flash.tables).toBeLessThanOrEqual(cost.flash);
    expect(Math.abs(cost.flash / report.flash.total - 1)).toBeLessThan(0.005);
    // The directions that the planner finds for a network as a whole are not always those it finds for the piece.
    expect(cost.sramWhole).toBeLessThanOrEqual(plan.arenaBytes);
    expect(plan.arenaBytes / cost.sramWhole).toBeLessThan(1.03);
    // The compiler's search cuts inside blocks too, where it seldom gains anything.
    const graph = runPasses(graphOf(architecture), 'int8');
    const { liveBytes } = new TradeOffSearch(graph, true, KERNELS).front(0).at(-1)!;
    expect(cost.sramRows).toBeGreaterThanOrEqual(liveBytes);
    expect(cost.sramRows / liveBytes).toBeLessThan(1.25);
  });
});

it('adds up code as if it were one project', () => {
  const space = SPACES[0]!;
  const architecture = architectureOf(space, randomGenome({ ...space, resolutions: [48] }, createRandom(1)));
  const { program, plan, report } = compile(modelBytesOf(architecture), { target: TARGET.name });
  const parts = codeParts({ program, plan, optimize: 'speed' }, 'cortex-m7');
  expect(sumCode([parts], 2, 'cortex-m7', 'speed').bytes).toBe(report.flash.code);
  // What two projects have in common they have once.
  const twice = sumCode([parts, parts], 2, 'cortex-m7', 'speed').bytes - report.flash.code;
  expect(twice).toBeGreaterThan(parts.layerBytes);
  expect(twice).toBeLessThan(2 * parts.layerBytes);
});

it('says of a streamed network what the compiler places', () => {
  const space = SPACES[0]!;
  const genome = randomGenome({ ...space, resolutions: [48], widths: [0.4] }, createRandom(2));
  const architecture = architectureOf(space, genome);
  const cost = new CostModel(TARGET).network(architecture);
  const { report } = compile(modelBytesOf(architecture), { target: TARGET.name, inputMode: 'rows' });
  expect(report.sram.arena / cost.sramRows).toBeGreaterThan(0.9);
  expect(report.sram.arena / cost.sramRows).toBeLessThan(1.05);
  expect(Math.abs(cost.flash / report.flash.total - 1)).toBeLessThan(0.01);
});
