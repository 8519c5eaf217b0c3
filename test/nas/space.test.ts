/** The space, its genes, and the networks they show: against the released ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { createRandom } from '../../src/core/random.ts';
import { parseJsonObject } from '../../src/formats/json.ts';
import { inspect } from '../../src/inspect.ts';
import { architectureOf, costOf, layersOf } from '../../src/nas/architecture.ts';
import {
  canonical,
  crossover,
  type Genome,
  hashOf,
  keyOf,
  largestGenome,
  mutate,
  positionsOf,
  randomGenome,
  readGenome,
} from '../../src/nas/genome.ts';
import { modelBytesOf } from '../../src/nas/graph.ts';
import { readMcunetJson, writeMcunetJson } from '../../src/nas/mcunet-json.ts';
import { blockCount, MCUNET, networkCount, SPACES, type Space } from '../../src/nas/space.ts';
import { ZOO, type ZooNetwork } from '../../src/zoo/networks.ts';

const RELEASED = SPACES.find(({ name }) => name === 'mcunet-released')!;

/** Width of each released network, as computed from its channels; `../shared/spec` says the same. */
const WIDTHS: Readonly<Record<string, number>> = {
  'mcunet-in0': 0.6,
  'mcunet-in1': 0.5,
  'mcunet-in2': 0.5,
  'mcunet-in3': 0.5,
  'mcunet-in4': 1,
  'mcunet-vww0': 0.5,
  'mcunet-vww1': 0.5,
  'mcunet-vww2': 0.5,
};

/** The genome that shows a released network. */
function genomeOf(space: Space, network: ZooNetwork): Genome {
  const blocks = network.blocks.slice(1);
  const depths: number[] = [];
  const [kernels, expansions]: [number[], number[]] = [[], []];
  let next = 0;
  for (const { depths: choices } of space.stages) {
    const { channels } = blocks[next]!;
    const depth = blocks.slice(next).findIndex((block) => block.channels !== channels);
    const members = blocks.slice(next, depth < 0 ? undefined : next + depth);
    depths.push(members.length);
    next += members.length;
    for (let i = 0; i < choices.at(-1)!; ++i) {
      kernels.push(members[i]?.kernel ?? 3);
      expansions.push(members[i]?.expansion ?? 3);
    }
  }
  return { resolution: network.resolution, widths: [WIDTHS[network.name]!], kernels, expansions, depths };
}

describe.each(ZOO.filter(({ name }) => name in WIDTHS))('the released $name', (network) => {
  const space = { ...RELEASED, classes: network.classes };
  const architecture = architectureOf(space, genomeOf(space, network));

  it('is a network of the space, with its MACs and parameters to the last one', () => {
    const shapes = (n: typeof architecture) => layersOf(n).map(({ name, ...layer }) => layer);
    expect(shapes(architecture)).toEqual(shapes(network));
    expect(costOf(architecture)).toEqual(costOf(network));
    const { macs, trainedParameters } = costOf(architecture);
    expect((macs / 1e6).toFixed(2)).toBe(network.published.macs);
    expect((trainedParameters / 1e6).toFixed(3)).toBe(network.published.parameters);
  });

  it('is written to a configuration and read from it', () => {
    const text = writeMcunetJson(network);
    const read = readMcunetJson(new TextEncoder().encode(text), 'net.json');
    expect(costOf(read)).toEqual(costOf(network));
    expect(layersOf(read)).toEqual(layersOf(network));
    expect(writeMcunetJson(read)).toBe(text);
  });
});

describe('a configuration that says something else is refused', () => {
  const base = () => JSON.parse(writeMcunetJson(ZOO[2]!));
  const cases: [string, (json: ReturnType<typeof base>) => void, RegExp][] = [
    ['another family', (json) => (json.name = 'MobileNetV3'), /ProxylessNASNets/],
    ['another activation', (json) => (json.blocks[1].mobile_inverted_conv.act_func = 'h_swish'), /relu6/],
    [
      'channels that do not follow',
      (json) => (json.blocks[1].mobile_inverted_conv.in_channels = 3),
      /in_channels/,
    ],
    ['a residual that is not there', (json) => (json.blocks[2].shortcut = null), /shortcut/],
    ['a residual too many', (json) => (json.blocks[0].shortcut = {}), /shortcut/],
    [
      'an expansion of nothing',
      (json) => (json.blocks[1].mobile_inverted_conv.expand_ratio = 0),
      /expand_ratio/,
    ],
    ['no resolution', (json) => delete json.resolution, /resolution/],
  ];
  it.each(cases)('%s', (_, change, message) => {
    const json = base();
    change(json);
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    expect(() => readMcunetJson(bytes, 'net.json')).toThrow(message);
    expect(() => readMcunetJson(bytes, 'net.json')).toThrow(/RV6001/);
  });

  it('but a block that is the identity is skipped, and mid_channels count', () => {
    const json = base();
    json.blocks.splice(3, 0, { mobile_inverted_conv: { name: 'ZeroLayer' }, shortcut: {} });
    const conv = json.blocks[1].mobile_inverted_conv;
    conv.mid_channels = conv.in_channels * conv.expand_ratio;
    conv.expand_ratio = 1;
    const read = readMcunetJson(new TextEncoder().encode(JSON.stringify(json)), 'net.json');
    expect(costOf(read)).toEqual(costOf(ZOO[2]!));
  });
});

describe.each(SPACES)('the space $name', (space) => {
  const random = createRandom(7);

  it('draws, changes and crosses genomes that are its own', () => {
    const [a, b] = [randomGenome(space, random), randomGenome(space, random)];
    for (const genome of [
      a,
      b,
      mutate(space, a, 0.3, random),
      crossover(a, b, random),
      largestGenome(space),
    ]) {
      const text = new TextEncoder().encode(JSON.stringify(genome));
      expect(readGenome(space, parseJsonObject(text, { code: 'RV6001', maxBytes: 1e5 }, 'genome'))).toEqual(
        genome,
      );
      expect(genome.kernels).toHaveLength(blockCount(space));
    }
    expect(mutate(space, a, 0, random)).toEqual(a);
  });

  it('takes a genome by what it shows', () => {
    const genome = { ...randomGenome(space, random), depths: space.stages.map(({ depths }) => depths[0]!) };
    const shown = new Set(positionsOf(space, genome).map(({ index }) => index));
    const hidden = genome.kernels.findIndex((_, i) => !shown.has(i));
    const kernels = genome.kernels.map((k, i) => (i === hidden ? (k === 3 ? 7 : 3) : k));
    expect(keyOf(space, { ...genome, kernels })).toBe(keyOf(space, genome));
    expect(canonical(space, { ...genome, kernels })).toEqual(canonical(space, genome));
    expect(hashOf(space, canonical(space, genome))).toBe(hashOf(space, genome));
    const other = { ...genome, kernels: genome.kernels.map((k, i) => (i === 0 ? (k === 3 ? 7 : 3) : k)) };
    expect(keyOf(space, other)).not.toBe(keyOf(space, genome));
  });

  it('names layers by where they stand, whatever is before them', () => {
    const short = { ...largestGenome(space), depths: space.stages.map(({ depths }) => depths[0]!) };
    const names = new Set(layersOf(architectureOf(space, largestGenome(space))).map(({ name }) => name));
    for (const { name } of layersOf(architectureOf(space, short))) {
      if (!name.endsWith('/add')) expect(names).toContain(name);
    }
  });
});

it('has the published grid and about the published number of networks', () => {
  expect(MCUNET.resolutions).toHaveLength(12);
  expect(MCUNET.widths).toEqual([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  // Five stages of 9^2 + 9^3 + 9^4 networks, and nine for the last block: 2e19 times 9, times the grid.
  expect(networkCount(MCUNET)).toBe(108 * 9 * (81 + 729 + 6561) ** 5);
});

it('refuses genes of another space', () => {
  const genome = { ...largestGenome(MCUNET), resolution: 50 };
  const text = new TextEncoder().encode(JSON.stringify(genome));
  const json = parseJsonObject(text, { code: 'RV6001', maxBytes: 1e5 }, 'genome');
  expect(() => readGenome(MCUNET, json)).toThrow(/RV6002.*50/);
});

it('has placeholders that no pass finds anything in', () => {
  const spaces = SPACES.filter(({ name }) => ['mcunet', 'cifar', 'fashion'].includes(name));
  fc.assert(
    fc.property(fc.constantFrom(...spaces), fc.nat(), (space, seed) => {
      const genome = { ...randomGenome(space, createRandom(seed)), resolution: space.resolutions[0]! };
      const architecture = architectureOf(space, genome);
      const bytes = modelBytesOf(architecture, { seed });
      expect(inspect(bytes).macs).toBe(costOf(architecture).macs);
      const { report } = compile(bytes);
      expect(report.removed).toEqual([]);
      expect(report.macs).toBe(costOf(architecture).macs);
    }),
    { numRuns: 6 },
  );
});
