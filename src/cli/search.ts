/** `rivulet search`: networks for a chip, found instead of chosen. */
import type { Command } from 'commander';
import type { Result } from './output.ts';
import { addSearchAll } from './search-all.ts';
import { addSearchBaseline } from './search-baseline.ts';
import { addSearchFinish } from './search-finish.ts';
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
  addSearchAll(search, deliver, tell);
  addSearchSpace(search, deliver, tell);
  addSearchTrain(search, deliver, tell);
  addSearchRun(search, deliver, tell);
  addSearchFinish(search, deliver, tell);
  addSearchBaseline(search, deliver);
}
