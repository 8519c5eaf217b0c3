/**
 * Stage 1 of TinyNAS (arXiv 2007.10319, section 3.1): which width and resolution a chip's memory asks for. Of each pair,
 * networks are drawn and those that fit are kept; the pair wins whose networks that fit compute most, because within one
 * family of networks accuracy rises with what is computed. No network is trained.
 */
import { fail } from '../core/diagnostics.ts';
import { createRandom, fnv1a } from '../core/random.ts';
import type { Target } from '../targets/index.ts';
import { architectureOf } from './architecture.ts';
import { CostModel, type NetworkCost } from './costs.ts';
import { keyOf, randomGenome } from './genome.ts';
import { type Space, subspace } from './space.ts';

/** A network that was drawn. What it costs does not depend on any budget. */
export interface Sample extends Omit<NetworkCost, 'latency'> {
  /** As `keyOf` says. */
  readonly key: string;
}

/** Bytes. */
export interface Budget {
  readonly sram: number;
  readonly flash: number;
}

/** whole: layer by layer, the image in SRAM; rows: streamed, the image pushed row by row. */
export type ScheduleKind = 'whole' | 'rows';

export interface Pair {
  readonly resolution: number;
  readonly width: number;
}

/** All pairs, narrow ones first. */
export function pairsOf({ widths, resolutions }: Space): Pair[] {
  return widths.flatMap((width) => resolutions.map((resolution) => ({ resolution, width })));
}

/** Networks of a pair; equal arguments give equal ones. */
export function samplesOf(
  space: Space,
  { resolution, width }: Pair,
  { samples, seed, target }: { samples: number; seed: number; target: Target },
): Sample[] {
  const model = new CostModel(target);
  const part = subspace(space, resolution, width);
  const random = createRandom(fnv1a(new TextEncoder().encode(`${seed} ${resolution} ${width}`)));
  return Array.from({ length: samples }, () => {
    const genome = randomGenome(part, random);
    const { macs, sramWhole, sramRows, flash } = model.network(architectureOf(part, genome));
    return { key: keyOf(part, genome), macs, sramWhole, sramRows, flash };
  });
}

/** What of a pair fits. */
export interface Score extends Pair {
  readonly samples: number;
  readonly fitting: number;
  /** Mean multiply-accumulates of what fits; 0 if nothing does. */
  readonly meanMacs: number;
  /** What a fifth of what fits exceeds. */
  readonly macs80: number;
}

export function scoreOf(
  pair: Pair,
  samples: readonly Sample[],
  budget: Budget,
  schedule: ScheduleKind,
): Score {
  const macs = fittingMacs(samples, budget, schedule);
  return {
    ...pair,
    samples: samples.length,
    fitting: macs.length,
    meanMacs: macs.length === 0 ? 0 : Math.round(macs.reduce((sum, each) => sum + each, 0) / macs.length),
    macs80: macs[Math.min(macs.length - 1, Math.floor(0.8 * macs.length))] ?? 0,
  };
}

/** Multiply-accumulates of the samples that fit, ascending. */
export function fittingMacs(samples: readonly Sample[], budget: Budget, schedule: ScheduleKind): number[] {
  return samples
    .filter(({ sramWhole, sramRows, flash }) => {
      return (schedule === 'whole' ? sramWhole : sramRows) <= budget.sram && flash <= budget.flash;
    })
    .map(({ macs }) => macs)
    .sort((a, b) => a - b);
}

/** Of a pair of which less fits, the mean says little: the publication does not say what to do with it. */
const LEAST_SHARE = 0.02;

/** Pairs of which enough fits, the best first; of equals the one with the larger image. */
export function ranked(scores: readonly Score[]): Score[] {
  return scores
    .filter(({ fitting, samples }) => fitting >= Math.max(1, LEAST_SHARE * samples))
    .sort((a, b) => b.meanMacs - a.meanMacs || b.resolution - a.resolution);
}

/** Says which samples a text holds: whoever asks for others must draw them. */
export interface SampleOrigin extends Pair {
  readonly space: string;
  /** Kernels, and with them memory, are chosen for a core. */
  readonly core: string;
  readonly samples: number;
  readonly seed: number;
  /** Of Rivulet. */
  readonly version: string;
}

/** A line that says where samples come from, then one a sample: key, MACs, SRAM whole and in rows, flash. */
export function writeSamples(origin: SampleOrigin, samples: readonly Sample[]): string {
  const lines = samples.map(({ key, macs, sramWhole, sramRows, flash }) =>
    [key, macs, sramWhole, sramRows, flash].join(','),
  );
  return `${[JSON.stringify(origin), ...lines].join('\n')}\n`;
}

/** @throws RivuletError RV6004 if the samples are others, or the text is damaged */
export function readSamples(text: string, origin: SampleOrigin, file: string): Sample[] {
  const [head, ...lines] = text.trimEnd().split('\n');
  const expected = JSON.stringify(origin);
  if (head !== expected) {
    const hint = 'name another folder, or remove this one';
    fail('RV6004', `the samples are ${head?.slice(0, 200)}, not ${expected}`, { origin: file, hint });
  }
  const samples = lines.map((line): Sample => {
    const [key = '', ...numbers] = line.split(',');
    const [macs = Number.NaN, sramWhole = 0, sramRows = 0, flash = 0] = numbers.map(Number);
    return { key, macs, sramWhole, sramRows, flash };
  });
  const isComplete = samples.every(({ macs, flash }) => macs > 0 && flash > 0);
  if (samples.length !== origin.samples || !isComplete) {
    fail('RV6004', `${samples.length} samples of ${origin.samples}, or not all of them whole`, {
      origin: file,
      hint: 'remove the file, its samples are drawn again',
    });
  }
  return samples;
}
