/**
 * `npm run honesty -- SEARCH SUPERNET [FILE]`: the winner of a search and 20 random ones of the networks that it judged,
 * compiled with other weights and linked for its target. SRAM must be what the search said, flash within 2 %. SEARCH and
 * SUPERNET are folders that `rivulet search run` and `search train` have written; FILE keeps the figures.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SearchDocument } from '../src/cli/search-run.ts';
import { createRandom } from '../src/core/random.ts';
import { parseSpace } from '../src/nas/space-json.ts';
import { linkedNetwork } from '../src/search/honesty.ts';
import { VERSION } from '../src/version.ts';

const COUNT = 20;
const TOLERANCE = 0.02;

const [folder, supernet, file] = process.argv.slice(2);
if (folder === undefined || supernet === undefined) throw new Error('usage: honesty SEARCH SUPERNET [FILE]');
const { target, limits, winner, judged } = JSON.parse(
  readFileSync(join(folder, 'search.json'), 'utf8'),
) as SearchDocument;
const space = parseSpace(readFileSync(join(supernet, 'space.json')), 'space.json');
const random = createRandom(1);
const others = judged.filter(({ key }) => key !== winner.key);
while (others.length > COUNT) others.splice(Math.floor(random() * others.length), 1);

const networks = [];
for (const { key, genome, cost } of [winner, ...others]) {
  const linked = await linkedNetwork(space, genome, cost.way, target, limits);
  const flashError = cost.flash / linked.flash - 1;
  const isHonest = linked.sram === cost.sram && Math.abs(flashError) <= TOLERANCE;
  networks.push({ key, way: cost.way, sram: cost.sram, flash: cost.flash, linked, flashError });
  console.log(
    `${isHonest ? 'ok ' : 'NOT'} ${cost.way.padEnd(9)} SRAM ${cost.sram} linked ${linked.sram}, flash ${cost.flash} linked ${linked.flash} (${(100 * flashError).toFixed(2)} %)  ${key}`,
  );
  if (!isHonest) process.exitCode = 1;
}
const worst = Math.max(...networks.map(({ flashError }) => Math.abs(flashError)));
console.log(`${networks.length} networks on ${target}: flash off by at most ${(100 * worst).toFixed(2)} %`);
if (file !== undefined) {
  const command = `npm run honesty -- ${[folder, supernet].map((path) => basename(path)).join(' ')}`;
  const document = { command, version: VERSION, target, space: space.name, limits, worst, networks };
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
}
