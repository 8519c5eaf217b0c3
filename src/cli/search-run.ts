/** `rivulet search run`: the best network of a trained supernet that a chip has room and time for. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { scatterSvg } from '../report/scatter-svg.ts';
import { chooseHost } from '../run/engine/host.ts';
import type { Settings } from '../search/evolution.ts';
import type { Limits } from '../search/limits.ts';
import {
  type Found,
  ledgerIn,
  limitsFor,
  runSearch,
  type SearchRequest,
  type SearchResult,
  spaceText,
} from '../search/run-search.ts';
import { readSupernet } from '../search/supernet-folder.ts';
import type { WayName } from '../search/ways.ts';
import { findTarget } from '../targets/index.ts';
import { VERSION } from '../version.ts';
import { addJson } from './model.ts';
import { parseCount, parsePositive } from './numbers.ts';
import { bytes, commandLine, count, EXIT, heading, percent, type Result, seldom, table } from './output.ts';
import { EFFORT_HELP, openSearchData, readEffort } from './search-data.ts';
import { threadsOption, type WorkersChoice, withWorkers, workersOption } from './workers-options.ts';
import { writeFileAt } from './write.ts';

/** What a chip allows, as options. */
export interface LimitOptions {
  readonly target: string;
  readonly maxSram?: number;
  readonly maxFlash?: number;
  readonly maxLatency?: number;
  readonly maxMacs?: number;
  readonly inputMode: string;
  readonly recompute?: boolean;
}

interface Options extends LimitOptions, WorkersChoice {
  readonly supernet: string;
  readonly data: string;
  readonly effort: string;
  readonly population?: number;
  readonly iterations?: number;
  readonly parents?: number;
  readonly mutation?: number;
  readonly random?: boolean;
  readonly seed?: number;
  readonly predictor?: boolean;
  readonly candidates?: string;
  readonly host?: string;
  readonly output: string;
}

export function addLimits(command: Command): Command {
  return command
    .option('--max-sram <bytes>', "SRAM of the network, instead of the target's", parseCount)
    .option('--max-flash <bytes>', "flash of the network, instead of the target's", parseCount)
    .option('--max-latency <ms>', "of one inference, by the compiler's estimate", parsePositive)
    .option('--max-macs <number>', 'multiply-accumulates of one inference', parseCount)
    .option('--input-mode <mode>', 'resident, or rows: the application can push rows', 'resident')
    .option('--recompute', 'let networks compute up to a quarter again where they need less SRAM then');
}

export function addSearchRun(
  search: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addLimits(
    addJson(search.command('run'))
      .summary('the best network of a supernet that a chip has room for')
      .description(
        'Evolves networks of a trained supernet under the limits of a chip. Each is compiled for it, with the fastest schedule that fits, and judged by items that were held out. Everything that is found out is kept at once: the same command goes on from there, and ends with the same result.',
      )
      .requiredOption('--supernet <dir>', 'what "search train" has written')
      .requiredOption('--data <dir>', 'the data that it was trained with')
      .requiredOption('--target <name>', 'core or board, see "rivulet targets"'),
  )
    .option('--effort <name>', EFFORT_HELP, 'full')
    .option('--population <number>', 'networks of a generation', parseCount)
    .option('--iterations <number>', 'generations behind the first', parseCount)
    .option('--parents <number>', 'networks that have children', parseCount)
    .option('--mutation <probability>', 'that a gene is drawn anew', parsePositive)
    .option('--random', 'draw as many networks at random instead, to compare with')
    .option('--seed <number>', 'of everything that is drawn', parseCount)
    .option('--predictor', 'guess the accuracies of children, and judge the best of four times as many')
    .option('--candidates <file>', 'what is known about networks; default candidates.jsonl in the output')
    .option('--host <name>', 'native or wasm; default: native where there is a C compiler')
    .addOption(threadsOption())
    .addOption(workersOption())
    .requiredOption('-o, --output <dir>', 'folder for search.json, front.svg and winner.json')
    .action(async (options: Options) => deliver(await run(options, tell)));
}

async function run(options: Options, tell: (text: string) => void): Promise<Result> {
  const [supernet, effort] = await Promise.all([readSupernet(options.supernet), readEffort(options.effort)]);
  const { space } = supernet;
  const { name: host } = await chooseHost(options.host);
  const source = await openSearchData(options.data, {
    side: space.resolutions[0]!,
    channels: space.imageChannels,
    tell,
  });
  try {
    const chip = chipOf(options);
    const { found, document, files } = await withWorkers(options, tell, (workers) =>
      searchAndWrite(
        {
          supernet,
          data: { name: basename(options.data), train: source.train },
          ...chip,
          settings: settingsOf(effort.search, options),
          predictor: options.predictor === true,
          host,
          workers,
          ledger: options.candidates ?? ledgerIn(options.output),
        },
        options.output,
        tell,
      ),
    );
    return {
      document: { ...document, files },
      text: [...describe(document, found), `written  ${files.join(', ')}`, ''].join('\n'),
      notes: source.warnings,
      exitCode: EXIT.ok,
    };
  } finally {
    source.close();
  }
}

/** Target, limits and schedules as the options say. */
export function chipOf(options: LimitOptions) {
  const target = findTarget(options.target);
  const given: Partial<Limits> = {
    ...(options.maxSram !== undefined && { sram: options.maxSram }),
    ...(options.maxFlash !== undefined && { flash: options.maxFlash }),
    ...(options.maxLatency !== undefined && { latency: options.maxLatency }),
    ...(options.maxMacs !== undefined && { macs: options.maxMacs }),
  };
  const ways: WayName[] = ['whole', 'stream'];
  if (options.inputMode === 'rows') ways.push('rows');
  if (options.recompute === true) ways.push('recompute');
  return { target, limits: limitsFor(target, given), ways };
}

function settingsOf(standard: Settings, options: Options): Settings {
  const { population, iterations, parents, mutation, seed } = options;
  return {
    strategy: options.random === true ? 'random' : standard.strategy,
    population: population ?? standard.population,
    iterations: iterations ?? standard.iterations,
    parents: parents ?? standard.parents,
    mutation: mutation ?? standard.mutation,
    seed: seed ?? standard.seed,
  };
}

export interface SearchDocument {
  readonly command: string;
  readonly version: string;
  readonly target: string;
  readonly space: string;
  readonly limits: Limits;
  readonly ways: readonly WayName[];
  readonly settings: Settings;
  readonly predictor: boolean;
  /** Items that accuracies are measured by. */
  readonly heldOut: number;
  readonly winner: SearchResult['winner'];
  readonly front: readonly Found[];
  /** The best accuracy, and the mean, of each generation. */
  readonly generations: readonly { readonly best: number; readonly mean: number }[];
  readonly judged: readonly Found[];
}

/** Searches, tells how far it is, and writes search.json, front.svg and winner.json. */
export async function searchAndWrite(
  request: Omit<SearchRequest, 'progress'>,
  output: string,
  tell: (text: string) => void,
): Promise<{ found: SearchResult; document: SearchDocument; files: string[] }> {
  const { supernet, target, limits, ways, settings, predictor } = request;
  const now = seldom(tell);
  const found = await runSearch({
    ...request,
    progress: {
      onProgress: (what, done, all) => now(() => `${what} ${done} of ${all}`),
      onGeneration: (judged, generation) => {
        const { accuracy, cost } = judged.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
        tell(
          `generation ${generation} of ${settings.iterations}: ${count(judged.length)} networks, the best ${percent(accuracy)} with ${bytes(cost.sram)} of SRAM, ${bytes(cost.flash)} of flash`,
        );
      },
    },
  });
  const document: SearchDocument = {
    command: commandLine(),
    version: VERSION,
    target: target.name,
    space: spaceText(supernet.space),
    limits,
    ways,
    settings,
    predictor,
    heldOut: found.heldOut,
    winner: found.winner,
    front: found.front,
    generations: generationsOf(found.judged),
    judged: found.judged,
  };
  const files: [string, string][] = [
    ['search.json', `${JSON.stringify(document)}\n`],
    ['front.svg', frontSvg(document)],
    ['winner.json', `${JSON.stringify(found.winner.network, null, 2)}\n`],
  ];
  for (const [name, text] of files) await writeFileAt(join(output, name), text);
  return { found, document, files: files.map(([name]) => join(output, name)) };
}

function generationsOf(judged: readonly Found[]): SearchDocument['generations'] {
  const byGeneration: number[][] = [];
  for (const { generation, accuracy } of judged) {
    byGeneration[generation] ??= [];
    byGeneration[generation].push(accuracy);
  }
  return byGeneration.map((accuracies) => ({
    best: Math.max(...accuracies),
    mean: accuracies.reduce((sum, each) => sum + each, 0) / accuracies.length,
  }));
}

function frontSvg({ target, space, judged, front, winner }: SearchDocument): string {
  const onFront = new Set(front.map(({ key }) => key));
  const panel = (title: string, cost: (found: Found) => number) => ({
    title,
    dots: judged.map((found) => ({
      label: `${found.key}: ${percent(found.accuracy)}, ${bytes(found.cost.sram)}, ${found.cost.way}`,
      cost: cost(found),
      accuracy: 100 * found.accuracy,
      isOnFront: onFront.has(found.key),
      isWinner: found.key === winner.key,
    })),
  });
  const panels = [
    panel('SRAM, kB', ({ cost }) => cost.sram / 1000),
    panel('flash, kB', ({ cost }) => cost.flash / 1000),
    winner.cost.latency === null
      ? panel('million MACs', ({ cost }) => cost.macs / 1e6)
      : panel('latency, ms', ({ cost }) => cost.latency ?? 0),
  ];
  return scatterSvg(`${space} on ${target}`, panels);
}

/** Networks that are listed. */
const LISTED = 8;

function describe(document: SearchDocument, { winner, front, judged, heldOut }: SearchResult): string[] {
  return [
    heading(
      `${document.space} on ${document.target}: ${percent(winner.accuracy)} of ${count(heldOut)} items`,
    ),
    `${count(judged.length)} networks were judged; of those that no other beats, the best:`,
    '',
    table(
      [
        { title: 'held out', right: true },
        { title: 'MACs', right: true },
        { title: 'SRAM', right: true },
        { title: 'flash', right: true },
        { title: 'latency', right: true },
        { title: 'schedule' },
        { title: 'network', limit: 60 },
      ],
      front
        .slice(0, LISTED)
        .map(({ accuracy, cost, key }) => [
          percent(accuracy),
          count(cost.macs),
          bytes(cost.sram),
          bytes(cost.flash),
          cost.latency === null ? '-' : `${cost.latency.toFixed(1)} ms`,
          cost.way,
          key,
        ]),
    ),
    '',
  ];
}
