/**
 * `npm run compare-searches -- FILE SEARCH...`: what evolution has found beside random search, after as many networks that
 * were judged. Each SEARCH is a folder that `rivulet search run` has written; FILE keeps the figures.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchDocument } from '../src/cli/search-run.ts';
import { VERSION } from '../src/version.ts';

const [file, ...folders] = process.argv.slice(2);
if (file === undefined || folders.length === 0) throw new Error('usage: compare-searches FILE SEARCH...');

const searches = folders.map((folder) => {
  const found = JSON.parse(readFileSync(join(folder, 'search.json'), 'utf8')) as SearchDocument;
  const { command, settings, judged, generations, winner } = found;
  const soFar = generations.map((_, i) => Math.max(...generations.slice(0, i + 1).map(({ best }) => best)));
  const { key, accuracy, cost } = winner;
  const { strategy, seed } = settings;
  return {
    command,
    strategy,
    seed,
    judged: judged.length,
    bestSoFar: soFar,
    winner: { key, accuracy, cost },
  };
});

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const meanOf = (wanted: string): number | null => {
  const accuracies = searches.flatMap(({ strategy, winner }) =>
    strategy === wanted ? [winner.accuracy] : [],
  );
  return accuracies.length === 0 ? null : accuracies.reduce((sum, each) => sum + each, 0) / accuracies.length;
};
for (const { strategy, seed, judged, bestSoFar } of searches) {
  console.log(`${strategy.padEnd(9)} seed ${seed}, ${judged} networks: ${bestSoFar.map(percent).join(', ')}`);
}
const mean = { evolution: meanOf('evolution'), random: meanOf('random') };
for (const [strategy, accuracy] of Object.entries(mean)) {
  if (accuracy !== null) console.log(`${strategy}: ${percent(accuracy)} in the mean`);
}
writeFileSync(file, `${JSON.stringify({ version: VERSION, mean, searches }, null, 2)}\n`);
