/**
 * `npm run bench:train`: images per second of a full training step (forward, backward, update) of the network in
 * mobilenet.ts on the host engine, native and WebAssembly, one thread, beside PyTorch on one thread, all in one run and
 * taking turns. Writes its section of docs/benchmarks.md.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { LEARNING_RATE, trainingGraph } from '../src/autodiff/training.ts';
import { RivuletError } from '../src/core/diagnostics.ts';
import { createRandom } from '../src/core/random.ts';
import { lower } from '../src/lower/lower.ts';
import type { Program } from '../src/program/types.ts';
import { Engine, type EngineHost } from '../src/run/engine/engine.ts';
import { nativeHost } from '../src/run/engine/native-host.ts';
import { wasmHost } from '../src/run/engine/wasm-host.ts';
import { CLASSES, HEAD_CHANNELS, mobileNet, STAGES, STEM } from './mobilenet.ts';
import { grouped, replaceBetween, table } from './page.ts';

const PAGE = 'docs/benchmarks.md';
const BATCH = 32;
const ROUNDS = 8;
const LONGEST = 6;
/** Of each candidate in each round. */
const SECONDS = 1.5;
/** Where the sources are, seen from here as well as from dist/bench. */
const SCRIPT = join(process.cwd(), 'bench/torch_train.py');
/** The first Python that has PyTorch; Debian's packages belong to the second. */
const PYTHONS = ['python3', '/usr/bin/python3'];

interface Candidate {
  readonly name: string;
  /** Where the time goes: milliseconds by kernel, the longest first. */
  kernels?(): readonly (readonly [kernel: string, ms: number])[];
  /** Seconds of the best step in one round. */
  measure(): number;
}

function engineCandidate(name: string, host: EngineHost, program: Program): Candidate {
  const engine = Engine.open(program, host);
  const random = createRandom(1);
  const image = engine.input('image');
  for (let i = 0; i < image.length; ++i) image[i] = 2 * random() - 1;
  const labels = engine.input('labels');
  for (let i = 0; i < BATCH; ++i) labels[i] = i % CLASSES;
  engine.input(LEARNING_RATE)[0] = 0.05;
  return {
    name,
    kernels() {
      const times = new Map<string, number>();
      engine
        .profile(() => performance.now())
        .forEach((ms, i) => {
          const { kernel } = program.calls[i]!;
          times.set(kernel, (times.get(kernel) ?? 0) + ms);
        });
      return [...times].sort(([, a], [, b]) => b - a);
    },
    measure() {
      // Weights that fit one batch perfectly have gradients that are no longer normal numbers.
      engine.reset();
      const end = performance.now() + 1000 * SECONDS;
      let best = Number.POSITIVE_INFINITY;
      while (performance.now() < end) {
        const start = performance.now();
        engine.run();
        best = Math.min(best, performance.now() - start);
      }
      return best / 1000;
    },
  };
}

/** PyTorch, or undefined where no Python has it. */
function torchCandidate(): Candidate | undefined {
  const python = PYTHONS.find((command) => spawnSync(command, ['-c', 'import torch']).status === 0);
  if (python === undefined) return undefined;
  const input = JSON.stringify({ stem: STEM, stages: STAGES, head: HEAD_CHANNELS, classes: CLASSES });
  const ask = (seconds: number): { version: string; seconds: number } =>
    JSON.parse(spawnSync(python, [SCRIPT, `${BATCH}`, `${seconds}`], { input, encoding: 'utf8' }).stdout);
  return { name: `PyTorch ${ask(0.1).version}, 1 thread`, measure: () => ask(SECONDS / 2).seconds };
}

async function candidates(program: Program): Promise<Candidate[]> {
  const found: Candidate[] = [];
  try {
    found.push(engineCandidate('native', await nativeHost(), program));
  } catch (error) {
    if (!(error instanceof RivuletError)) throw error;
    console.log(`native: absent\n${error.message}`);
  }
  found.push(engineCandidate('WebAssembly', await wasmHost(), program));
  const torch = torchCandidate();
  if (torch === undefined) console.log('PyTorch: absent');
  else found.push(torch);
  return found;
}

const graph = trainingGraph(mobileNet(BATCH), 'loss', { optimizer: { kind: 'sgd', momentum: 0.9 } });
const program = lower(graph, { isas: ['simd', 'portable'], optimize: 'speed' });
const macs = program.calls.reduce((sum, call) => sum + call.macs, 0) / BATCH;
const contenders = await candidates(program);
const best = contenders.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round < ROUNDS; ++round) {
  contenders.forEach(({ measure }, i) => {
    best[i] = Math.min(best[i]!, measure());
  });
}
const reference = contenders.findIndex(({ name }) => name.startsWith('PyTorch'));
const rows = contenders.map(({ name }, i) => [
  name,
  grouped(Math.round(BATCH / best[i]!)),
  (1000 * best[i]!).toFixed(2),
  reference < 0 ? '' : (best[reference]! / best[i]!).toFixed(2),
]);
const text = [
  `${(macs / 1e6).toFixed(2)} M multiply-accumulates an image and step, batch ${BATCH}, on ${cpus()[0]?.model ?? 'unknown'}, Node`,
  `${process.version}; the load of other programs when it ended: ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores.`,
  '',
  table(['', 'images a second', 'ms a step', 'times PyTorch'], rows),
].join('\n');
console.log(text);
for (const { name, kernels } of contenders) {
  const longest = kernels?.().slice(0, LONGEST) ?? [];
  if (longest.length === 0) continue;
  console.log(`\n${name}: ${longest.map(([kernel, ms]) => `${kernel} ${ms.toFixed(2)} ms`).join(', ')}`);
}
writeFileSync(PAGE, replaceBetween(readFileSync(PAGE, 'utf8'), 'training', text));
