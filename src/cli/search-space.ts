/** `rivulet search space`: stage 1 of TinyNAS. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../core/diagnostics.ts';
import { SAMPLES } from '../nas/samples-kind.ts';
import { findSpace, type Space } from '../nas/space.ts';
import {
  type Budget,
  fittingMacs,
  type Pair,
  pairsOf,
  ranked,
  readSamples,
  type Sample,
  type SampleOrigin,
  type ScheduleKind,
  type Score,
  scoreOf,
} from '../nas/stage-one.ts';
import { cdfSvg } from '../report/cdf-svg.ts';
import { findTarget, type Target } from '../targets/index.ts';
import { VERSION } from '../version.ts';
import { parseCount } from './numbers.ts';
import { bytes, count, EXIT, heading, type Result, table } from './output.ts';
import { threadsOption, type WorkersChoice, withWorkers, workersOption } from './workers-options.ts';

interface Options extends WorkersChoice {
  readonly target: string;
  readonly space: string;
  readonly samples: number;
  readonly seed: number;
  readonly budgetSram?: number;
  readonly budgetFlash?: number;
  readonly output?: string;
}

const SCHEDULES: readonly ScheduleKind[] = ['whole', 'rows'];
/** Pairs that are listed and drawn. */
const LISTED = 10;

export function addSearchSpace(
  search: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  search
    .command('space')
    .summary('which width and resolution the memory of a chip asks for')
    .description(
      'Draws networks of every width and resolution of a search space, keeps those that fit, and chooses the pair whose networks compute most: layer by layer, and streamed. With -o all networks are kept: a run that was stopped goes on, and another budget takes no time.',
    )
    .requiredOption('--target <name>', 'core or board, see "rivulet targets"')
    .option('--space <name>', 'mcunet, mcunet-released, cifar, fashion', 'mcunet')
    .option('--samples <number>', 'networks of each pair', parseCount, 1000)
    .option('--seed <number>', 'of the networks', parseCount, 1)
    .option('--budget-sram <bytes>', "SRAM of the network, instead of the target's", parseCount)
    .option('--budget-flash <bytes>', "flash of the network, instead of the target's", parseCount)
    .addOption(threadsOption())
    .addOption(workersOption())
    .option('-o, --output <dir>', 'folder for the networks, a summary and pictures')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => {
      const space = findSpace(options.space);
      const target = findTarget(options.target);
      if (space.widthPer === 'block') {
        const hint = 'its widths and resolutions are genes of one search';
        fail('RV3001', `stage 1 has nothing to choose in the space ${space.name}`, {
          origin: '--space',
          hint,
        });
      }
      const budget = budgetOf(options, target);
      const started = performance.now();
      const drawn = await drawAll(space, target, options, tell);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const schedules = Object.fromEntries(SCHEDULES.map((kind) => [kind, resultOf(drawn, budget, kind)]));
      const { samples, seed } = options;
      const summary = { space: space.name, target: target.name, core: target.core.name, version: VERSION };
      const document = {
        ...summary,
        command: commandOf(space, target, options, budget),
        samples,
        seed,
        budget,
        networks: samples * drawn.length,
        schedules,
      };
      const files =
        options.output === undefined ? [] : await writeResults(options.output, document, drawn, budget);
      deliver({
        document: { ...document, files },
        text: [
          heading(
            `${space.name} on ${target.name}, ${bytes(budget.sram)} of SRAM, ${bytes(budget.flash)} of flash`,
          ),
          `${count(document.networks)} networks, ${count(seconds)} s`,
          ...SCHEDULES.flatMap((kind) => ['', ...describe(kind, schedules[kind]!)]),
          ...(files.length === 0 ? [] : ['', `written: ${files.join(', ')}`]),
          '',
        ].join('\n'),
        exitCode: SCHEDULES.every((kind) => schedules[kind]!.chosen === null) ? EXIT.doesNotFit : EXIT.ok,
      });
    });
}

function budgetOf({ budgetSram, budgetFlash }: Options, target: Target): Budget {
  const [sram, flash] = [budgetSram ?? target.sram, budgetFlash ?? target.flash];
  if (sram === undefined || flash === undefined) {
    return fail('RV3001', `${target.name} is a core and sets no limits`, {
      origin: '--target',
      hint: 'name a board, or add --budget-sram and --budget-flash',
    });
  }
  return { sram, flash };
}

/** The command line that gives the same result anywhere. */
function commandOf(
  space: Space,
  target: Target,
  { samples, seed }: Options,
  { sram, flash }: Budget,
): string {
  const memory = `--budget-sram ${sram} --budget-flash ${flash}`;
  return `rivulet search space --target ${target.name} --space ${space.name} --samples ${samples} --seed ${seed} ${memory}`;
}

interface Drawn extends Pair {
  readonly samples: readonly Sample[];
}

/** The samples of every pair: read where they were kept, drawn where not. */
async function drawAll(
  space: Space,
  target: Target,
  options: Options,
  tell: (text: string) => void,
): Promise<Drawn[]> {
  const { samples, seed, output } = options;
  const folder = output === undefined ? undefined : join(output, 'samples');
  if (folder !== undefined) await writing(() => mkdir(folder, { recursive: true }));
  const origins = pairsOf(space).map(
    (pair): SampleOrigin => ({
      space: space.name,
      core: target.core.name,
      ...pair,
      samples,
      seed,
      version: VERSION,
    }),
  );
  const texts = await Promise.all(
    origins.map((origin) => (folder === undefined ? null : kept(folder, origin))),
  );
  const missing = origins.filter((_, i) => texts[i] === null);
  const started = performance.now();
  let done = 0;
  const finish = async (text: string, i: number): Promise<void> => {
    const origin = missing[i]!;
    texts[origins.indexOf(origin)] = text;
    done += 1;
    const left = ((performance.now() - started) / done) * (missing.length - done);
    const time = left > 90_000 ? `${Math.round(left / 60_000)} min` : `${Math.round(left / 1000)} s`;
    tell(`w${origin.width} r${origin.resolution}, ${done} of ${missing.length} pairs, about ${time} left`);
    if (folder !== undefined) await writing(() => replace(join(folder, fileOf(origin)), text));
  };
  if (missing.length > 0) {
    const jobs = missing.map((origin) => JSON.stringify(origin));
    const writes: Promise<void>[] = [];
    const onResult = (text: string, i: number): void => {
      const written = finish(text, i);
      // Told at the end, where all of them are awaited.
      written.catch(() => undefined);
      writes.push(written);
    };
    await withWorkers(options, tell, (workers) => workers.map({ kind: SAMPLES, jobs, blobs: {}, onResult }));
    await Promise.all(writes);
  }
  return origins.map((origin, i) => ({
    resolution: origin.resolution,
    width: origin.width,
    samples: readSamples(texts[i]!, origin, folder === undefined ? 'samples' : join(folder, fileOf(origin))),
  }));
}

function fileOf({ width, resolution }: Pair): string {
  return `w${width}-r${resolution}.csv`;
}

async function kept(folder: string, origin: SampleOrigin): Promise<string | null> {
  try {
    return await readFile(join(folder, fileOf(origin)), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return fail('RV1006', (error as Error).message, { origin: join(folder, fileOf(origin)) });
  }
}

/** A file is there whole or not at all: whoever is stopped here goes on. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

async function writing(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: '-o' });
  }
}

interface ScheduleResult {
  readonly chosen: Score | null;
  /** Pairs of which enough fits, the best first. */
  readonly ranking: readonly Score[];
}

function resultOf(drawn: readonly Drawn[], budget: Budget, kind: ScheduleKind): ScheduleResult {
  const ranking = ranked(
    drawn.map(({ resolution, width, samples }) => scoreOf({ resolution, width }, samples, budget, kind)),
  );
  return { chosen: ranking[0] ?? null, ranking };
}

interface Document {
  readonly space: string;
  readonly target: string;
  readonly schedules: Readonly<Record<string, ScheduleResult>>;
}

async function writeResults(
  output: string,
  document: Document,
  drawn: readonly Drawn[],
  budget: Budget,
): Promise<string[]> {
  const files: [string, string][] = [['summary.json', `${JSON.stringify(document, null, 2)}\n`]];
  for (const kind of SCHEDULES) {
    const distributions = document.schedules[kind]!.ranking.slice(0, LISTED).map(
      ({ resolution, width, meanMacs }) => {
        const { samples } = drawn.find((each) => each.resolution === resolution && each.width === width)!;
        const label = `w${width} r${resolution}, mean ${(meanMacs / 1e6).toFixed(1)} M`;
        return { label, values: fittingMacs(samples, budget, kind) };
      },
    );
    if (distributions.length === 0) continue;
    const title = `${document.space} on ${document.target}, ${KINDS[kind]}`;
    files.push([`cdf-${kind}.svg`, cdfSvg(title, distributions, { name: 'million MACs', size: 1e6 })]);
  }
  for (const [name, text] of files) await writing(() => writeFile(join(output, name), text));
  return files.map(([name]) => join(output, name));
}

const KINDS: Readonly<Record<ScheduleKind, string>> = {
  whole: 'layer by layer',
  rows: 'streamed, rows pushed',
};

function describe(kind: ScheduleKind, { chosen, ranking }: ScheduleResult): string[] {
  if (chosen === null) return [heading(`${KINDS[kind]}: nothing fits`)];
  return [
    heading(`${KINDS[kind]}: width ${chosen.width}, resolution ${chosen.resolution}`),
    table(
      [
        { title: 'width', right: true },
        { title: 'resolution', right: true },
        { title: 'fit', right: true },
        { title: 'mean MACs', right: true },
        { title: '80 % below', right: true },
      ],
      ranking
        .slice(0, LISTED)
        .map(({ width, resolution, fitting, samples, meanMacs, macs80 }) => [
          String(width),
          String(resolution),
          `${((100 * fitting) / samples).toFixed(1)} %`,
          count(meanMacs),
          count(macs80),
        ]),
    ),
  ];
}
