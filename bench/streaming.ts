/**
 * `npm run bench:streaming`: the SRAM of every network at hand and in the zoo, layer by layer, streamed, and with pushed
 * rows, and what streaming costs in instructions and flash. Writes the tables of docs/streaming.md between their
 * comments. Ends with status 1 when a network needs more than its bound. Names as arguments measure only those and write
 * nothing. Takes minutes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Compilation, type CompileOptions, compile } from '../src/compile.ts';
import { canRun } from '../src/run/toolchain.ts';
import { findTarget } from '../src/targets/index.ts';
import { footprint } from './footprint.ts';
import { grouped, replaceBetween, table } from './page.ts';
import { SRAM_BOUNDS, streamedNetworks } from './streamed-networks.ts';

const PAGE = 'docs/streaming.md';
const CORE = 'cortex-m4';

/** Networks small enough to be run three times on an emulator. */
const EMULATED = ['mlperf_kws_int8', 'mlperf_vww_96_int8', 'mlperf_resnet8_int8', 'vww', 'detection'];

const SCHEDULES = {
  whole: { schedule: 'whole' },
  stream: { schedule: 'stream' },
  rows: { inputMode: 'rows' },
} as const satisfies Record<string, CompileOptions>;

type ScheduleName = keyof typeof SCHEDULES;

const NAMES = Object.keys(SCHEDULES) as ScheduleName[];

interface Compiled {
  readonly compilation: Compilation;
  /** Of processor time, so that a busy machine measures the same. */
  readonly seconds: number;
}

function compileAll(name: string, bytes: Uint8Array): Record<ScheduleName, Compiled> {
  const compiled = (options: CompileOptions): Compiled => {
    const start = process.cpuUsage();
    const compilation = compile(bytes, { file: `${name}.tflite`, target: CORE, ...options });
    const { user, system } = process.cpuUsage(start);
    return { compilation, seconds: (user + system) / 1e6 };
  };
  return {
    whole: compiled(SCHEDULES.whole),
    stream: compiled(SCHEDULES.stream),
    rows: compiled(SCHEDULES.rows),
  };
}

function sramOf({ compilation }: Compiled): number {
  return compilation.report.sram.total;
}

/** network, three figures of SRAM, the lower bounds of the streamed ones, seconds. */
function sramRow(name: string, compiled: Record<ScheduleName, Compiled>): string[] {
  const live = (schedule: ScheduleName): string => grouped(compiled[schedule].compilation.plan.liveBytes);
  return [
    name,
    ...NAMES.map((schedule) => grouped(sramOf(compiled[schedule]))),
    live('stream'),
    live('rows'),
    Math.max(compiled.stream.seconds, compiled.rows.seconds).toFixed(1),
  ];
}

function violationsOf(name: string, compiled: Record<ScheduleName, Compiled>): string[] {
  return (['stream', 'rows'] as const).flatMap((schedule) => {
    const bound = SRAM_BOUNDS[name]?.[schedule] ?? Number.POSITIVE_INFINITY;
    const sram = sramOf(compiled[schedule]);
    return sram > bound
      ? [`${name}, ${schedule}: ${sram} bytes of SRAM, at most ${bound} were promised`]
      : [];
  });
}

/** network, then instructions and flash of each schedule, and the deepest stack of all. */
async function costRow(name: string, compiled: Record<ScheduleName, Compiled>): Promise<string[]> {
  const whole = await footprint(compiled.whole.compilation, CORE);
  const stream = await footprint(compiled.stream.compilation, CORE);
  const rows = await footprint(compiled.rows.compilation, CORE);
  const more = (x: number): string => {
    const percent = ((100 * x) / whole.instructions - 100).toFixed(1);
    return `${percent.startsWith('-') ? percent.replace('-', '−') : `+${percent}`} %`;
  };
  return [
    name,
    grouped(whole.instructions),
    more(stream.instructions),
    more(rows.instructions),
    grouped(stream.flash - whole.flash),
    grouped(rows.flash - whole.flash),
    ...[whole, stream, rows].map(({ stack }) => grouped(stack)),
  ];
}

const wanted = process.argv.slice(2);
const networks = streamedNetworks().filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const emulator = await canRun(findTarget(CORE).core);
const sram: string[][] = [];
const costs: string[][] = [];
const violations: string[] = [];
for (const { name, bytes } of networks) {
  const compiled = compileAll(name, bytes());
  sram.push(sramRow(name, compiled));
  violations.push(...violationsOf(name, compiled));
  if (emulator && EMULATED.includes(name)) costs.push(await costRow(name, compiled));
  console.log(sram.at(-1)!.join('  '));
}
const sramTable = table(
  ['network', 'layer by layer', 'streamed', 'rows pushed', 'live, streamed', 'live, rows', 'compile, CPU s'],
  sram,
);
const costTable = table(
  [
    'network',
    'instructions, layer by layer',
    'streamed',
    'rows pushed',
    'flash, streamed',
    'rows pushed',
    'stack, layer by layer',
    'streamed',
    'rows pushed',
  ],
  costs,
);
console.log(`\n${sramTable}\n\n${costTable}`);
if (wanted.length === 0) {
  const page = replaceBetween(readFileSync(PAGE, 'utf8'), 'SRAM', sramTable);
  writeFileSync(PAGE, costs.length > 0 ? replaceBetween(page, 'cost', costTable) : page);
}
for (const violation of violations) console.error(violation);
if (violations.length > 0) process.exitCode = 1;
