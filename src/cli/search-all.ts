/** `rivulet search`: from data and a board to a model and a firmware, in one command. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { fail, RivuletError } from '../core/diagnostics.ts';
import { findSpace, type Space } from '../nas/space.ts';
import { adaptSpace } from '../nas/space-json.ts';
import { chooseHost } from '../run/engine/host.ts';
import { choosePair, spaceFor } from '../search/choose-space.ts';
import type { Effort } from '../search/efforts.ts';
import { makeSupernet } from '../search/make-supernet.ts';
import { ledgerIn, spaceText } from '../search/run-search.ts';
import { addJson } from './model.ts';
import { bytes, commandLine, count, EXIT, minutes, percent, type Result, seldom } from './output.ts';
import {
  DATA_HELP,
  EFFORT_HELP,
  openSearchData,
  readEffort,
  readSpace,
  trainingProgress,
} from './search-data.ts';
import { describeFinished, finishWinner } from './search-finish.ts';
import { addLimits, chipOf, type LimitOptions, searchAndWrite } from './search-run.ts';
import { threadsOption, type WorkersChoice, withWorkers, workersOption } from './workers-options.ts';
import { writeFileAt } from './write.ts';

interface Options extends LimitOptions, WorkersChoice {
  readonly data: string;
  readonly space?: string;
  readonly effort: string;
  readonly predictor?: boolean;
  readonly host?: string;
  readonly output: string;
}

/** What `rivulet search` does where no other command follows. */
export function addSearchAll(
  search: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addLimits(
    addJson(search.command('all', { isDefault: true }))
      .summary('all of it: from data and a board to a firmware (the default)')
      .description(
        'Chooses the part of a search space that the chip has room for, trains a supernet, searches it under the limits, and fine-tunes, quantises, compiles and verifies the winner. It can be stopped anywhere: the same command goes on from there.',
      )
      .requiredOption('--data <dir>', DATA_HELP)
      .requiredOption('--target <name>', 'board, see "rivulet targets"'),
  )
    .option(
      '--space <name>',
      'a search space by name, or a .json file; default: one for pictures of that size',
    )
    .option('--effort <name>', EFFORT_HELP, 'standard')
    .option('--predictor', 'guess the accuracies of children, and judge the best of four times as many')
    .option('--host <name>', 'native or wasm; default: native where there is a C compiler')
    .addOption(threadsOption())
    .addOption(workersOption())
    .requiredOption('-o, --output <dir>', 'folder for everything')
    .action(async (options: Options) => deliver(await run(options, tell)));
}

async function run(options: Options, tell: (text: string) => void): Promise<Result> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const effort = await readEffort(options.effort);
  const chip = chipOf(options);
  const own = await ownSize(options.data, tell);
  const open = await openSpace(options.space, own);
  const name = `${open.name} on ${chip.target.name}`;
  tell(`${name}: ${bytes(chip.limits.sram)} of SRAM, ${bytes(chip.limits.flash)} of flash`);
  const now = seldom(tell);
  const pair = choosePair(open, chip.target, chip.limits, chip.ways, (_, done, all) =>
    now(() => `widths and resolutions: ${done} of ${all}`),
  );
  const side = pair.space.resolutions[0]!;
  const source = await openSearchData(options.data, { side, channels: open.imageChannels, tell });
  try {
    const space = adaptSpace(pair.space, open.imageChannels, source.train.classes.length);
    tell(`space: ${spaceText(space)}`);
    const data = { name: basename(options.data), train: source.train };
    const supernet = await superOf(options, effort, space, data, tell);
    const { host, output } = options;
    const { found, document } = await withWorkers(options, tell, (workers) =>
      searchAndWrite(
        {
          supernet,
          data,
          ...chip,
          settings: effort.search,
          predictor: options.predictor === true,
          host: supernet.record.host,
          workers,
          ledger: ledgerIn(join(output, 'search')),
        },
        join(output, 'search'),
        tell,
      ),
    );
    const { genome, cost, accuracy } = found.winner;
    const winner = { target: document.target, limits: document.limits, genome, cost, accuracy };
    const { finished } = await finishWinner(
      { supernet, winner, source, dataName: data.name, effort, ...(host && { host }), output },
      tell,
    );
    const { user, system } = process.cpuUsage(cpu);
    const summary = {
      command: commandLine(),
      space: spaceText(space),
      pairs: pair.scores,
      winner,
      key: found.winner.key,
      judged: found.judged.length,
      finished,
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
    await writeFileAt(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    const { seconds, cpuSeconds } = summary;
    return {
      document: summary,
      text: [
        ...describeFinished(winner, finished),
        '',
        `network    ${summary.key}`,
        `searched   ${summary.space}: ${count(summary.judged)} networks, the best ${percent(accuracy)} with weights that it shares`,
        `took       ${minutes(seconds)}, ${minutes(cpuSeconds)} on a processor`,
        `more       ${['summary.json', 'finish.json', join('search', 'front.svg')].map((file) => join(output, file)).join(', ')}`,
        '',
      ].join('\n'),
      notes: source.warnings,
      exitCode: finished.exceeds === null ? EXIT.ok : EXIT.doesNotFit,
    };
  } finally {
    source.close();
  }
}

/** Height and channels of the pictures as they are; undefined where sizes differ. */
async function ownSize(path: string, tell: (text: string) => void) {
  try {
    const source = await openSearchData(path, { channels: undefined, tell });
    source.close();
    const [height = 0, width = 0, channels = 1] = source.train.shape;
    if (source.train.shape.length < 2 || height !== width) {
      fail('RV4006', `items of [${source.train.shape.join(', ')}] are no square pictures`, {
        origin: '--data',
      });
    }
    return { side: height, channels };
  } catch (error) {
    if (error instanceof RivuletError && error.diagnostics.every(({ code }) => code === 'RV4003'))
      return undefined;
    throw error;
  }
}

/** The space that is asked for, or one for such pictures; of its resolutions theirs, if it is one of them. */
async function openSpace(
  name: string | undefined,
  own: { side: number; channels: number } | undefined,
): Promise<Space> {
  const chosen =
    name === undefined ? findSpace(own ? spaceFor(own.side, own.channels) : 'mcunet') : await readSpace(name);
  const space = own === undefined ? chosen : { ...chosen, imageChannels: own.channels };
  return own !== undefined && space.resolutions.includes(own.side)
    ? { ...space, resolutions: [own.side] }
    : space;
}

async function superOf(
  options: Options,
  { supernet: plan, items }: Effort,
  space: Space,
  data: Parameters<typeof makeSupernet>[0]['data'],
  tell: (text: string) => void,
) {
  const { host, name: hostName } = await chooseHost(options.host);
  const { epoch, steps } = trainingProgress(tell);
  const names = { largest: 'the largest network', shared: 'all networks' } as const;
  return makeSupernet({
    folder: join(options.output, 'supernet'),
    space,
    data,
    items,
    plan,
    host,
    hostName,
    command: commandLine(),
    progress: {
      onEpoch: (stage, result) => epoch(names[stage], plan[stage].epochs, result),
      onProgress: steps,
    },
  });
}
