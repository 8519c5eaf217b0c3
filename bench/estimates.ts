/**
 * `npm run bench:estimates`: how close the instructions that `rivulet compile` estimates come to those that an emulator
 * counts, for models that the estimates were not made from, and what the cycles behind a latency are worth. Writes two
 * parts of docs/benchmarks.md between their comments; takes minutes. mcunetv2_large is left out: it would take most
 * of them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Compilation, type CompileOptions, compile } from '../src/compile.ts';
import { writeTflite } from '../src/formats/tflite/writer.ts';
import { canRun } from '../src/run/toolchain.ts';
import { CORES } from '../src/targets/cores.ts';
import { findTarget } from '../src/targets/index.ts';
import { zooModel } from '../src/zoo/model.ts';
import { footprint } from './footprint.ts';
import { type BenchModel, modelsAtHand } from './models.ts';
import { replaceBetween, table } from './page.ts';
import { COUNTED_ENGINES, PUBLISHED_BOARD, PUBLISHED_LATENCIES } from './published-latencies.ts';

const PAGE = 'docs/benchmarks.md';

const LEFT_OUT = ['mcunetv2_large'];

/** Ways to compile, and the cores that they are compared on: schedules change the same C everywhere. */
const WAYS: readonly { name: string; options: CompileOptions; cores?: readonly string[] }[] = [
  { name: 'speed', options: {} },
  { name: 'size', options: { optimize: 'size' }, cores: ['cortex-m4', 'cortex-m55'] },
  { name: 'speed, streamed', options: { schedule: 'stream' }, cores: ['cortex-m4', 'cortex-m55'] },
];

interface Comparison {
  readonly model: string;
  /** Of the instructions that were counted. */
  readonly error: number;
}

function compiled({ name, bytes }: BenchModel, target: string, options: CompileOptions): Compilation {
  return compile(bytes, { file: `${name}.tflite`, target, ...options });
}

async function compareAll(core: string, options: CompileOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const model of modelsAtHand().filter(({ name }) => !LEFT_OUT.includes(name))) {
    const compilation = compiled(model, core, options);
    const { instructions } = await footprint(compilation, core);
    comparisons.push({
      model: model.name,
      error: compilation.report.latency!.instructions / instructions - 1,
    });
  }
  return comparisons;
}

async function errorTable(): Promise<string> {
  const rows: string[][] = [];
  for (const core of CORES.filter(({ machines }) => machines.length > 0)) {
    if (!(await canRun(core))) continue;
    for (const { name, options, cores } of WAYS) {
      if (cores && !cores.includes(core.name)) continue;
      const comparisons = await compareAll(core.name, options);
      const size = ({ error }: Comparison): number => Math.abs(error);
      const mean = comparisons.reduce((sum, one) => sum + size(one), 0) / comparisons.length;
      const worst = comparisons.reduce((a, b) => (size(b) > size(a) ? b : a));
      rows.push([core.name, name, percent(mean), percent(worst.error), worst.model]);
      console.log(rows.at(-1)!.join('  '));
    }
  }
  return table(['core', 'optimised for', 'mean', 'worst', 'of'], rows);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`.replace('-', '−');
}

/** Milliseconds at the board's clock, by the model of the core. */
function modelledMs(instructions: number): number {
  const { core, clockHz } = findTarget(PUBLISHED_BOARD);
  return (1000 * instructions * core.cyclesPerInstruction) / clockHz;
}

function engineTable(): string {
  const { clockHz } = findTarget(PUBLISHED_BOARD);
  return table(
    [
      'engine',
      'instructions, millions',
      'published, ms',
      'cycles an instruction',
      'by the model, ms',
      'error',
    ],
    COUNTED_ENGINES.map(({ engine, instructions, publishedMs }) => [
      engine,
      (instructions / 1e6).toFixed(1),
      String(publishedMs),
      ((publishedMs / 1000) * (clockHz / instructions)).toFixed(2),
      modelledMs(instructions).toFixed(0),
      percent(modelledMs(instructions) / publishedMs - 1),
    ]),
  );
}

function networkTable(): string {
  const { clockHz } = findTarget(PUBLISHED_BOARD);
  return table(
    ['network', 'MACs, millions', 'TinyEngine, published, ms', 'its cycles a MAC', 'Rivulet, estimate, ms'],
    PUBLISHED_LATENCIES.map(({ network, publishedMs }) => {
      const bytes = writeTflite(zooModel(network));
      const { macs, latency } = compiled({ name: network, bytes }, PUBLISHED_BOARD, {}).report;
      const cyclesPerMac = ((publishedMs / 1000) * clockHz) / macs;
      return [
        network,
        (macs / 1e6).toFixed(1),
        String(publishedMs),
        cyclesPerMac.toFixed(2),
        latency!.milliseconds.toFixed(0),
      ];
    }),
  );
}

const parts = {
  'published engines': engineTable(),
  'published networks': networkTable(),
  'instruction estimates': await errorTable(),
};
let page = readFileSync(PAGE, 'utf8');
for (const [name, text] of Object.entries(parts)) page = replaceBetween(page, name, text);
writeFileSync(PAGE, page);
console.log(Object.values(parts).join('\n\n'));
