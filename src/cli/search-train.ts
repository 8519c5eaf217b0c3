/** `rivulet search train`: one set of weights for all networks of a search space. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { networkCount } from '../nas/space.ts';
import { adaptSpace, narrowSpace } from '../nas/space-json.ts';
import { chooseHost } from '../run/engine/host.ts';
import { makeSupernet } from '../search/make-supernet.ts';
import { addJson } from './model.ts';
import { commandLine, count, EXIT, heading, minutes, percent, type Result, table } from './output.ts';
import {
  DATA_HELP,
  EFFORT_HELP,
  openSearchData,
  readEffort,
  readSpace,
  trainingProgress,
} from './search-data.ts';

interface Options {
  readonly data: string;
  readonly space: string;
  readonly width?: number;
  readonly resolution?: number;
  readonly effort: string;
  readonly host?: string;
  readonly output: string;
}

export function addSearchTrain(
  search: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addJson(search.command('train'))
    .summary('train all networks of a space in one set of weights')
    .description(
      'Trains the largest network of a space, then all of them together in its weights (a supernet). Each epoch leaves a checkpoint: the same command goes on from there, and ends with the same bytes.',
    )
    .requiredOption('--data <dir>', DATA_HELP)
    .requiredOption('--space <name>', 'mcunet, mcunet-released, mcunet-v2, cifar, fashion, or a .json file')
    .option('--width <multiplier>', 'one of the widths of the space; "search space" says which', Number)
    .option('--resolution <pixels>', 'one of the resolutions of the space', Number)
    .option('--effort <name>', EFFORT_HELP, 'standard')
    .option('--host <name>', 'native or wasm; default: native where there is a C compiler')
    .requiredOption('-o, --output <dir>', 'folder for space.json, weights.safetensors and supernet.json')
    .action(async (options: Options) => deliver(await run(options, tell)));
}

async function run(options: Options, tell: (text: string) => void): Promise<Result> {
  const [chosen, effort] = await Promise.all([readSpace(options.space), readEffort(options.effort)]);
  const narrow = narrowSpace(chosen, options.width, options.resolution);
  const { host, name: hostName } = await chooseHost(options.host);
  const side = narrow.resolutions[0]!;
  const source = await openSearchData(options.data, { side, channels: narrow.imageChannels, tell });
  try {
    const { train, warnings } = source;
    const space = adaptSpace(narrow, narrow.imageChannels, train.classes.length);
    const { epoch, steps } = trainingProgress(tell);
    const { supernet: plan, items } = effort;
    const { record } = await makeSupernet({
      folder: options.output,
      space,
      data: { name: basename(options.data), train },
      items,
      plan,
      host,
      hostName,
      command: commandLine(),
      progress: {
        onEpoch: (stage, result) => epoch(STAGES[stage], plan[stage].epochs, result),
        onProgress: steps,
      },
    });
    return {
      document: { ...record, space, warnings },
      text: [
        heading(`${space.name}: ${networkCount(space).toExponential(1)} networks in one set of weights`),
        table(
          [
            { title: 'trained' },
            { title: 'epoch', right: true },
            { title: 'loss', right: true },
            { title: 'held out', right: true },
            { title: 'seconds', right: true },
          ],
          (['largest', 'shared'] as const).flatMap((stage) =>
            record.epochs[stage].map(({ epoch: number, loss, heldOutAccuracy, seconds }) => [
              STAGES[stage],
              String(number),
              loss.toFixed(4),
              heldOutAccuracy === null ? '-' : percent(heldOutAccuracy),
              seconds.toFixed(1),
            ]),
          ),
        ),
        `${minutes(record.seconds)}, ${minutes(record.cpuSeconds)} on a processor; ${count(train.length)} items in the data`,
        `written  ${options.output}`,
        '',
      ].join('\n'),
      notes: warnings,
      exitCode: EXIT.ok,
    };
  } finally {
    source.close();
  }
}

const STAGES = { largest: 'the largest network', shared: 'all networks' } as const;
