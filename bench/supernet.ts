/**
 * `npm run bench:supernet`: what a network drawn from a search space costs in a step of a supernet: its program, its engine,
 * one pass forward and backward, and moving weights and gradients, in milliseconds on a processor, native. Writes its
 * section of docs/benchmarks.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { gradientGraph } from '../src/autodiff/training.ts';
import { createRandom } from '../src/core/random.ts';
import { largestGenome, randomGenome } from '../src/nas/genome.ts';
import { SPACES, subspace } from '../src/nas/space.ts';
import { Engine, hostProgram } from '../src/run/engine/engine.ts';
import { nativeHost } from '../src/run/engine/native-host.ts';
import { reusedMemory } from '../src/run/engine/reused-memory.ts';
import { Supernet } from '../src/supernet/supernet.ts';
import { networkOfGenome } from '../src/supernet/train.ts';
import { networkOf } from '../src/train/blocks.ts';
import { MOMENTS } from '../src/train/evaluation.ts';
import { DEFAULT_RECIPE } from '../src/train/recipe.ts';
import { sizeOf } from '../src/train/size.ts';
import { grouped, replaceBetween, table } from './page.ts';

const PAGE = 'docs/benchmarks.md';
const BATCH = 64;
/** The first ones are for the compiler of JavaScript to get to know the code. */
const WARM_UP = 8;
const NETWORKS = 24;
const STEPS = 4;
const WIDTH = 0.3;

const cifar = SPACES.find(({ name }) => name === 'cifar')!;
const space = subspace(cifar, 32, WIDTH);
const host = await nativeHost();
const memory = reusedMemory(host);
const random = createRandom(1);
const drawn = () => networkOfGenome(space, randomGenome(space, random));

/** Milliseconds by what they were spent on. */
const spent = new Map<string, number>();
let counting = false;
function timed<T>(what: string, action: () => T): T {
  const start = process.cpuUsage();
  const result = action();
  const { user, system } = process.cpuUsage(start);
  if (counting) spent.set(what, (spent.get(what) ?? 0) + (user + system) / 1000);
  return result;
}

let macs = 0;
for (let i = 0; i < WARM_UP + NETWORKS; ++i) {
  counting = i >= WARM_UP;
  const network = drawn();
  if (counting) macs += sizeOf((how) => networkOf(network, how)).macs / NETWORKS;
  const program = timed('graph, gradients, program', () => {
    const graph = networkOf(network, { batch: BATCH, seed: null });
    const states = [...graph.values.values()].filter(
      ({ role, name }) => role === 'state' && !name.endsWith(MOMENTS),
    );
    return hostProgram(
      gradientGraph(
        graph,
        'loss',
        states.map(({ name }) => name),
      ),
    );
  });
  const engine = timed('addresses, engine', () => Engine.open(program, memory));
  timed('forward, backward', () => engine.run());
  if (i % 4 !== 0) continue;
  // The same where each engine has memory of its own.
  const fresh = timed('engine in fresh memory (not part of a step)', () => Engine.open(program, host));
  timed('first pass in fresh memory (not part of a step)', () => fresh.run());
}
const perNetwork = [...spent].map(([what, ms]): [string, string] => {
  const count = what.includes('fresh') ? NETWORKS / 4 : NETWORKS;
  return [what, (ms / count).toFixed(1)];
});

const largest = networkOfGenome(space, largestGenome(space));
const supernet = new Supernet(largest, { ...DEFAULT_RECIPE, batch: BATCH }, host, () =>
  Array.from({ length: 4 }, drawn),
);
supernet.step(0, 0);
counting = true;
for (let step = 1; step <= STEPS; ++step) timed('step', () => supernet.step(0, step));
const step = spent.get('step')! / STEPS;

const text = [
  `Space \`${space.name}\`, 32x32, width ${WIDTH}: ${grouped(Math.round(macs))} MACs in the mean, batch ${BATCH}, on ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}.`,
  '',
  table(['a network of a step', 'ms'], [...perNetwork, ['**a whole step of 4 networks**', step.toFixed(1)]]),
].join('\n');
console.log(text);
writeFileSync(PAGE, replaceBetween(readFileSync(PAGE, 'utf8'), 'supernet', text));
