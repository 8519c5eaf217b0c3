/** `rivulet search finish`: the winner of a search becomes a model and a firmware. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { DataSource } from '../data/dataset.ts';
import { parseJsonObject } from '../formats/json.ts';
import { readGenome } from '../nas/genome.ts';
import { chooseHost } from '../run/engine/host.ts';
import { readBytes } from '../run/files.ts';
import type { Effort } from '../search/efforts.ts';
import { type Finished, finish } from '../search/finish.ts';
import { type Limits, limitText } from '../search/limits.ts';
import { searchParts } from '../search/run-search.ts';
import { readSupernet, type SupernetFolder } from '../search/supernet-folder.ts';
import { WAY_NAMES, type WayName } from '../search/ways.ts';
import { networkOfGenome, partStates } from '../supernet/train.ts';
import { findTarget } from '../targets/index.ts';
import { addJson } from './model.ts';
import { bytes, commandLine, count, EXIT, heading, percent, type Result } from './output.ts';
import { EFFORT_HELP, openSearchData, readEffort, trainingProgress } from './search-data.ts';
import type { SearchDocument } from './search-run.ts';
import { writeFileAt } from './write.ts';

interface Options {
  readonly search: string;
  readonly supernet: string;
  readonly data: string;
  readonly effort: string;
  readonly host?: string;
  readonly output: string;
}

export function addSearchFinish(
  search: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addJson(search.command('finish'))
    .summary('fine-tune, quantise, compile and verify the winner of a search')
    .description(
      'Fine-tunes the winner from the weights that it inherits, quantises it, writes it as .tflite, compiles it for the target of the search, and runs it on the emulated chip. Accuracies are those of the part for testing, looked at once.',
    )
    .requiredOption('--search <dir>', 'what "search run" has written')
    .requiredOption('--supernet <dir>', 'what "search train" has written')
    .requiredOption('--data <dir>', 'the data that it was trained with')
    .option('--effort <name>', EFFORT_HELP, 'standard')
    .option('--host <name>', 'native or wasm; default: native where there is a C compiler')
    .requiredOption('-o, --output <dir>', 'folder for winner.tflite, the firmware and finish.json')
    .action(async (options: Options) => {
      const [supernet, effort, winnerOf] = await Promise.all([
        readSupernet(options.supernet),
        readEffort(options.effort),
        readWinner(options.search),
      ]);
      const winner = winnerOf(supernet);
      const { space } = supernet;
      const side = space.resolutions[0]!;
      const source = await openSearchData(options.data, { side, channels: space.imageChannels, tell });
      try {
        const { finished, document } = await finishWinner(
          { ...options, supernet, winner, source, dataName: basename(options.data), effort },
          tell,
        );
        deliver({
          document,
          text: [...describeFinished(winner, finished), ''].join('\n'),
          notes: source.warnings,
          exitCode: finished.exceeds === null ? EXIT.ok : EXIT.doesNotFit,
        });
      } finally {
        source.close();
      }
    });
}

/** What of search.json the winner needs. */
export type Winner = Pick<SearchDocument, 'target' | 'limits'> & {
  readonly genome: SearchDocument['winner']['genome'];
  readonly cost: SearchDocument['winner']['cost'];
  readonly accuracy: number;
};

async function readWinner(folder: string): Promise<(supernet: SupernetFolder) => Winner> {
  const path = join(folder, 'search.json');
  const json = parseJsonObject(
    await readBytes(path, '--search'),
    { code: 'RV6004', maxBytes: 1 << 28 },
    path,
  );
  const winner = json.object('winner');
  const cost = winner.object('cost');
  const limits = json.object('limits');
  const optional = (key: keyof Limits) => (limits.has(key) ? { [key]: limits.number(key) } : {});
  const way = cost.text('way') as WayName;
  if (!WAY_NAMES.includes(way)) cost.refuse('way', `one of ${WAY_NAMES.join(', ')} belongs here`);
  return ({ space }) => ({
    target: json.text('target'),
    limits: {
      sram: limits.number('sram'),
      flash: limits.number('flash'),
      ...optional('latency'),
      ...optional('macs'),
    },
    genome: readGenome(space, winner.object('genome')),
    accuracy: winner.number('accuracy'),
    cost: {
      way,
      macs: cost.number('macs'),
      sram: cost.number('sram'),
      flash: cost.number('flash'),
      latency: cost.isNull('latency') ? null : cost.number('latency'),
    },
  });
}

/** What the files of a finished winner are called. */
const NAME = 'winner';

export interface FinishOptions {
  readonly supernet: SupernetFolder;
  readonly winner: Winner;
  readonly source: DataSource;
  readonly dataName: string;
  readonly effort: Effort;
  readonly host?: string;
  readonly output: string;
}

/** Finishes the winner and writes finish.json. */
export async function finishWinner(
  { supernet, winner, source, dataName, effort, host: wanted, output }: FinishOptions,
  tell: (text: string) => void,
) {
  const { host, name: hostName } = await chooseHost(wanted);
  const { space, states } = supernet;
  const network = networkOfGenome(space, winner.genome);
  const { items } = searchParts(supernet, { name: dataName, train: source.train });
  const { epoch, steps } = trainingProgress(tell);
  const finished = await finish({
    network,
    states: partStates(supernet.largest, states, network, items, host),
    train: source.train,
    test: source.test,
    recipe: effort.finetune,
    target: findTarget(winner.target),
    limits: winner.limits,
    way: winner.cost.way,
    host,
    hostName,
    folder: output,
    name: NAME,
    progress: {
      onEpoch: (result) => epoch('the winner', effort.finetune.epochs, result),
      onProgress: steps,
    },
  });
  const document = { command: commandLine(), winner, recipe: effort.finetune, network, ...finished };
  await writeFileAt(join(output, 'finish.json'), `${JSON.stringify(document, null, 2)}\n`);
  return { finished, document };
}

export function describeFinished(winner: Winner, finished: Finished): string[] {
  const { test, cost, linked, verified, files, exceeds } = finished;
  const accuracy =
    test === null
      ? `accuracy   ${percent(winner.accuracy)} of the items held out of the supernet; the data have no part for testing`
      : `accuracy   int8 ${percent(test.accuracy.int8)}, float32 ${percent(test.accuracy.float)} (${count(test.count)} items for testing)`;
  const linkedText = (part: number | undefined): string =>
    part === undefined ? '' : `, linked ${bytes(part)}`;
  return [
    heading(`${NAME} for ${winner.target}: ${count(cost.macs)} MACs`),
    accuracy,
    `SRAM       ${bytes(cost.sram)} of ${bytes(winner.limits.sram)}, schedule ${cost.way}${linkedText(linked?.sram)}`,
    `flash      ${bytes(cost.flash)} of ${bytes(winner.limits.flash)}${linkedText(linked?.flash)}`,
    ...(cost.latency === null
      ? []
      : [
          `latency    about ${cost.latency.toFixed(1)} ms (estimate)${winner.limits.latency === undefined ? '' : ` of ${winner.limits.latency} ms`}`,
        ]),
    ...(exceeds === null
      ? []
      : [`EXCEEDS    ${limitText(winner.limits, exceeds)}: search again with a limit somewhat below it`]),
    verified === null
      ? 'verified   not: there is no emulator or compiler for this target here'
      : `verified   ${verified} inputs on the emulated chip: the bytes of the definition`,
    `written    ${files.join(', ')}`,
  ];
}
