/** `rivulet search`: networks for a chip, found instead of chosen. */
import type { Command } from 'commander';
import type { Result } from './output.ts';
import { addSearchRun } from './search-run.ts';
import { addSearchSpace } from './search-space.ts';
import { addSearchTrain } from './search-train.ts';

export function addSearch(
  program: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  const search = program
    .command('search')
    .summary('networks for a data set and a chip')
    .description('Finds the network that a microcontroller has room for (TinyNAS).');
  addSearchSpace(search, deliver, tell);
  addSearchTrain(search, deliver, tell);
  addSearchRun(search, deliver, tell);
}
