/**
 * `npm run bench:time`: what a window costs over time, beside the same window from scratch, on an emulated Cortex-M4.
 * Writes the table of docs/streaming.md between its comments. One network is a development model, which a checkout does
 * not have; the others are those of test/support/time-models.ts.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chooseOverTime } from '../src/choose-over-time.ts';
import { compile } from '../src/compile.ts';
import { emitProject } from '../src/emit/project.ts';
import { sramBytes } from '../src/emit/push.ts';
import type { Graph } from '../src/ir/types.ts';
import { lower } from '../src/lower/lower.ts';
import { type Plan, plan } from '../src/plan/plan.ts';
import { framePort, type Program } from '../src/program/types.ts';
import { runFirmware, type Tensors } from '../src/run/execute.ts';
import { buildFirmware } from '../src/run/firmware.ts';
import { findTarget } from '../src/targets/index.ts';
import { randomFrames } from '../test/support/streams.ts';
import { keywordNetwork, temporalNetwork } from '../test/support/time-models.ts';

const PAGE = 'docs/streaming.md';
const CORE = 'cortex-m4';
const KERNELS = { isas: findTarget(CORE).core.isas, optimize: 'speed' } as const;
const KEYWORDS = '../shared/models/mlperf_kws_int8.tflite';

interface Cost {
  readonly macs: number;
  readonly instructions: number;
  readonly sram: number;
}

/** Of the last `runs` runs of a program, together. */
async function costOf(
  program: Program,
  planned: Plan,
  samples: readonly Tensors[],
  runs: number,
): Promise<Cost> {
  const firmware = await buildFirmware({
    files: emitProject(program, planned, { name: 'model', optimize: 'speed', provenance: '' }),
    name: 'model',
    inputBytes: samples[0]!.map(({ length }) => length),
    outputBytes: program.outputs.map(({ bytes }) => bytes),
    layers: program.calls.length,
    core: CORE,
    optimize: 'speed',
  });
  const { profiles } = await runFirmware(firmware, samples, { profile: true, timeoutMs: 600_000 });
  return {
    macs: program.calls.reduce((sum, { macs }) => sum + macs, 0),
    instructions: profiles!.slice(-runs).reduce((sum, { total }) => sum + total, 0),
    sram: sramBytes(program, planned),
  };
}

/** network, window and hop; MACs, instructions and SRAM from scratch and over time. */
async function row(name: string, graph: Graph, maxSram?: number): Promise<string[]> {
  const whole = lower(graph, KERNELS);
  const { program, plan: planned } = chooseOverTime(graph, undefined, maxSram, KERNELS);
  const { windowFrames, hopFrames } = program.sliding!;
  const frames = randomFrames(program, windowFrames + hopFrames, 1);
  const window = Buffer.concat(frames.slice(-windowFrames));
  if (window.length !== framePort(program).bytes * windowFrames) throw new Error('not a window');
  const scratch = await costOf(whole, plan(whole), [[window]], 1);
  const over = await costOf(
    program,
    planned,
    frames.map((frame) => [frame]),
    hopFrames,
  );
  const both = (key: keyof Cost): string[] => [grouped(scratch[key]), grouped(over[key])];
  const share = `${((100 * over.instructions) / scratch.instructions).toFixed(1)} %`;
  return [
    name,
    `${windowFrames} / ${hopFrames}`,
    ...both('macs'),
    ...both('instructions'),
    share,
    ...both('sram'),
  ];
}

/** 1234567 as 1,234,567. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const rows: string[][] = [];
if (existsSync(KEYWORDS)) {
  const { graph } = compile(readFileSync(KEYWORDS), { file: 'kws.tflite' });
  rows.push(await row('mlperf_kws_int8', graph), await row('the same, least kept', graph, 0));
}
rows.push(await row('DS-CNN, nothing padded along time', keywordNetwork(0, 64)));
rows.push(await row('temporal convolutions', temporalNetwork()));
const head = [
  'network',
  'window / hop',
  'MACs from scratch',
  'over time',
  'instructions from scratch',
  'over time',
  '',
  'SRAM from scratch',
  'over time',
];
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map(line).join('\n');
console.log(table);
const page = readFileSync(PAGE, 'utf8');
const [start, end] = ['<!-- time -->\n', '<!-- end of time -->'];
const [from, to] = [page.indexOf(start) + start.length, page.indexOf(end)];
writeFileSync(PAGE, `${page.slice(0, from)}${table}\n${page.slice(to)}`);
