/** `rivulet search baseline`: the largest MobileNetV2 within limits, to compare the winner of a search with. */
import type { Command } from 'commander';
import { adaptSpace } from '../nas/space-json.ts';
import { largestMobileNetV2 } from '../search/baseline.ts';
import { addJson } from './model.ts';
import { parseCount } from './numbers.ts';
import { bytes, commandLine, count, EXIT, heading, type Result } from './output.ts';
import { readSpace } from './search-data.ts';
import { addLimits, chipOf, type LimitOptions } from './search-run.ts';
import { writeFileAt } from './write.ts';

interface Options extends LimitOptions {
  readonly space: string;
  readonly classes?: number;
  readonly resolution?: number;
  readonly output: string;
}

export function addSearchBaseline(search: Command, deliver: (result: Result) => void): void {
  addLimits(
    addJson(search.command('baseline'))
      .summary('the largest uniformly scaled MobileNetV2 that fits')
      .description(
        'Scales all channels of MobileNetV2 by one factor until it keeps the limits of a chip, over all resolutions of a space, and writes the one with most multiply-accumulates for "rivulet train".',
      )
      .requiredOption('--space <name>', 'whose strides and resolutions it takes, by name or a .json file')
      .requiredOption('--target <name>', 'core or board, see "rivulet targets"'),
  )
    .option('--classes <number>', "instead of the space's", parseCount)
    .option('--resolution <pixels>', 'only this one', parseCount)
    .requiredOption('-o, --output <file>', 'the network, NAME.json')
    .action(async (options: Options) => {
      const chosen = await readSpace(options.space);
      const adapted = adaptSpace(chosen, chosen.imageChannels, options.classes ?? chosen.classes);
      const space =
        options.resolution === undefined ? adapted : { ...adapted, resolutions: [options.resolution] };
      const { target, limits, ways } = chipOf(options);
      const { network, width, resolution, cost } = largestMobileNetV2(space, target, limits, ways);
      await writeFileAt(options.output, `${JSON.stringify(network, null, 2)}\n`);
      deliver({
        document: { command: commandLine(), width, resolution, limits, cost, network },
        text: [
          heading(`MobileNetV2 w${width}, ${resolution} pixels: ${count(cost.macs)} MACs`),
          `SRAM     ${bytes(cost.sram)} of ${bytes(limits.sram)}, schedule ${cost.way}`,
          `flash    ${bytes(cost.flash)} of ${bytes(limits.flash)}`,
          ...(cost.latency === null ? [] : [`latency  about ${cost.latency.toFixed(1)} ms (estimate)`]),
          `written  ${options.output}`,
          '',
        ].join('\n'),
        exitCode: EXIT.ok,
      });
    });
}
