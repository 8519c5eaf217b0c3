import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { fail } from '../core/diagnostics.ts';
import { type ParetoPoint, type ParetoReport, pareto } from '../pareto.ts';
import { paretoSvg } from '../report/pareto-svg.ts';
import { addJson, MODEL_HELP, readModel } from './model.ts';
import { count, EXIT, printable, type Result, table } from './output.ts';

interface Options {
  readonly inputMode: 'resident' | 'rows';
  readonly maxExtraMacs: number;
  readonly target: string;
  readonly svg?: string;
}

export function addPareto(
  program: Command,
  deliver: (result: Result) => void,
  progress: (text: string) => void,
): void {
  addJson(program.command('pareto'))
    .argument('<model>', MODEL_HELP)
    .addOption(
      new Option('--input-mode <mode>', 'whether the input lies in SRAM or is pushed row by row')
        .choices(['resident', 'rows'])
        .default('resident'),
    )
    .option('--max-extra-macs <percent>', 'how far to go', parsePercent, 50)
    .option('--target <name>', 'a core or board, for whose kernels memory is planned', 'host')
    .option('--svg <file>', 'draw the front')
    .summary('SRAM against multiply-accumulates')
    .description(
      'Lists what SRAM the model can do with, and what each step further down costs in multiply-accumulates. Every point computes the same bytes.',
    )
    .action(async (path: string, { inputMode, maxExtraMacs, target, svg }: Options) => {
      const report = pareto(await readModel(path), {
        file: basename(path),
        inputMode,
        maxExtraMacs,
        target,
        progress: (done, points) => progress(`placing schedule ${done + 1} of ${points}`),
      });
      if (svg !== undefined) await draw(report, svg);
      deliver({ document: report, text: `${describe(report)}\n`, exitCode: EXIT.ok });
    });
}

function parsePercent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError(`"${text}" is not a percentage.`);
  return value;
}

async function draw({ model, inputMode, points }: ParetoReport, file: string): Promise<void> {
  const dots = points.map((point) => ({ ...point, label: labelOf(point) }));
  try {
    await writeFile(file, paretoSvg(`${model}, input ${inputMode}`, dots));
  } catch (error) {
    fail('RV3005', `the picture cannot be written: ${(error as Error).message}`, { origin: '--svg' });
  }
}

function describe({ model, inputMode, points }: ParetoReport): string {
  return [
    `${printable(model)}, input ${inputMode}`,
    '',
    table(
      [
        { title: 'SRAM', right: true },
        { title: 'MACs', right: true },
        { title: 'more', right: true },
        { title: 'schedule' },
        { title: 'at the price of', limit: 100 },
      ],
      points.map((point) => [
        count(point.sram),
        count(point.macs),
        `${point.extraPercent.toFixed(1)} %`,
        point.schedule,
        leversText(point),
      ]),
    ),
    '',
  ].join('\n');
}

function labelOf(point: ParetoPoint): string {
  return `${count(point.sram)} B, ${count(point.macs)} MACs (+${point.extraPercent.toFixed(1)} %) ${point.schedule} ${leversText(point)}`;
}

/** Kinds of levers with the operators they start from. */
function leversText({ levers }: ParetoPoint): string {
  const kinds = [...new Set(levers.map(({ kind }) => kind))];
  return kinds
    .map((kind) => `${kind} ${levers.filter((lever) => lever.kind === kind).map(({ operator }) => operator)}`)
    .join('; ');
}
