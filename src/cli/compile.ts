import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Compilation } from '../compile.ts';
import { type Diagnostic, type DiagnosticDetail, errorDiagnostic, fail } from '../core/diagnostics.ts';
import { type CompileReport, type Fit, removedTotals } from '../report/compile-report.ts';
import { reportPage } from '../report/page.ts';
import type { Target } from '../targets/index.ts';
import { readFrontEnd } from './data.ts';
import { addModelOptions, compileModel, MODEL_HELP, type ModelOptions } from './model.ts';
import { bytes, count, EXIT, heading, printable, type Result, table, withUnit } from './output.ts';

interface Options extends ModelOptions {
  readonly output?: string;
  readonly frontend?: string;
}

export function addCompile(program: Command, deliver: (result: Result) => void): void {
  addModelOptions(
    program.command('compile'),
    'core or board whose memory it has to fit, see "rivulet targets"',
  )
    .argument('<model>', MODEL_HELP)
    .option(
      '-o, --output <dir>',
      'folder for the C project, report.json and report.html; without it, only report',
    )
    .option('--name <id>', "the model's name in C, which begins every symbol; default from the file name")
    .option(
      '--frontend <file>',
      'a JSON file that says how sound becomes the input (log-mel or MFCC): its C is written beside the network',
    )
    .summary('write a plain C project; every byte of SRAM and flash known')
    .description(
      'Compiles a model to a C99 project without heap, OS or library. Ends with 3 if it does not fit the target; the files are written all the same.',
    )
    .action(async (path: string, options: Options) => {
      const compilation = await compileModel(
        path,
        options,
        options.frontend === undefined ? undefined : await readFrontEnd(options.frontend),
      );
      const { report, warnings } = compilation;
      const files = options.output === undefined ? [] : await writeProject(compilation, options.output);
      deliver({
        document: { ...report, name: compilation.name, files, warnings },
        text: describe(compilation, options.output, files.length),
        notes: [...warnings, ...misfits(compilation)],
        exitCode: report.fit.fits ? EXIT.ok : EXIT.doesNotFit,
      });
    });
}

/**
 * Writes all files aside first and moves them in place when they are complete: a full disk leaves an earlier project as
 * it was. Returns their paths.
 */
async function writeProject(compilation: Compilation, folder: string): Promise<string[]> {
  const files = [
    ...compilation.project,
    ['report.json', `${JSON.stringify(compilation.report, null, 2)}\n`] as const,
    ['report.html', reportPage(compilation)] as const,
  ];
  try {
    await mkdir(folder, { recursive: true });
    const aside = await mkdtemp(join(folder, '.rivulet-'));
    try {
      for (const [name, text] of files) await writeFile(join(aside, name), text);
      for (const [name] of files) await rename(join(aside, name), join(folder, name));
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  } catch (error) {
    fail('RV3005', `the project cannot be written: ${(error as Error).message}`, {
      origin: `-o ${folder}`,
      hint: 'name a folder that can be made or written to',
    });
  }
  return files.map(([name]) => join(folder, name));
}

/** What does not fit the target, with the layer that decides the SRAM. */
function misfits({ report: { fit, peak, layers, sliding }, target }: Compilation): Diagnostic[] {
  const overTime = sliding !== null;
  const misfit = (memory: string, found: Fit | null, detail: DiagnosticDetail): Diagnostic[] =>
    found === null || found.margin >= 0
      ? []
      : [
          errorDiagnostic(
            'RV3006',
            `${bytes(found.needed)} of ${memory} are needed, ${target.name} has ${bytes(found.available)}: ${bytes(-found.margin)} too many`,
            detail,
          ),
        ];
  const origin =
    peak && `layer ${peak.layer} (${layers[peak.layer]!.op}) "${printable(peak.name)}", which sets the peak`;
  return [
    ...misfit('SRAM', fit.sram, {
      ...(origin && { origin }),
      hint: overTime
        ? 'less cannot be kept between frames; a model without padding along time keeps the least'
        : '--schedule stream, --input-mode rows and --max-extra-macs need less; rivulet pareto lists how far down it goes',
    }),
    ...misfit('flash', fit.flash, {
      hint: '--optimize size makes the code smaller, a narrower network the weights',
    }),
  ];
}

function describe({ name, report, target }: Compilation, folder: string | undefined, files: number): string {
  const { sram, flash, peak, layers } = report;
  return [
    heading(`${name} for ${target.name}: ${count(report.macs)} MACs, ${count(layers.length)} layers`),
    ...slidingLine(report),
    ...memoryLine(
      'SRAM ',
      sram.total,
      report.fit.sram,
      `${sram.frontEnd > 0 ? `${count(sram.frontEnd)} of it for sound; ` : ''}stack not included`,
    ),
    ...memoryLine(
      'flash',
      flash.total,
      report.fit.flash,
      `weights ${count(flash.weights)}, tables ${count(flash.tables)}, code about ${count(flash.code)}`,
    ),
    ...(peak
      ? [`peak   layer ${peak.layer} "${printable(peak.name)}" with ${bytes(peak.liveBytes)} live`]
      : []),
    ...(report.latency ? latencyLines(report.latency, target) : []),
    ...removedLine(report),
    '',
    layerTable(report),
    '',
    ...(folder === undefined ? [] : [`${files} files are in ${folder}`, '']),
  ].join('\n');
}

function slidingLine({ sliding, macs }: CompileReport): string[] {
  if (sliding === null) return [];
  const { windowFrames, hopFrames, windowMacs } = sliding;
  const share =
    windowMacs === 0 ? '' : `, ${((100 * macs) / windowMacs).toFixed(1)} % of the MACs from scratch`;
  return [`time   a window of ${windowFrames} frames every ${hopFrames}${share}`];
}

/** The size, what it is made of, and how it compares with the target. */
function memoryLine(label: string, total: number, fit: Fit | null, parts: string): string[] {
  const line = `${label}  ${bytes(total)} (${parts})`;
  if (fit === null) return [line];
  const verdict =
    fit.margin >= 0
      ? `fits ${bytes(fit.available)}, ${bytes(fit.margin)} to spare`
      : `DOES NOT FIT ${bytes(fit.available)}`;
  return [`${line}: ${verdict}`];
}

function latencyLines(latency: NonNullable<CompileReport['latency']>, target: Target): string[] {
  const { milliseconds, clockHz, unmeasured } = latency;
  const about = Number(milliseconds.toPrecision(3));
  return [
    `latency: about ${about} ms (estimate, ${target.description} at ${withUnit(clockHz, 'Hz')})`,
    ...(unmeasured.length > 0
      ? [`         never measured on ${target.core.name}, taken for the mean: ${unmeasured.join(', ')}`]
      : []),
  ];
}

/** Channels that every input would have left the same. */
function removedLine(report: CompileReport): string[] {
  const { channels, macs } = removedTotals(report);
  return channels === 0
    ? []
    : [
        `less   ${count(channels)} channels that no input changes are not computed: ${count(macs)} MACs fewer than the model has`,
      ];
}

function layerTable({ layers, peak, latency, sliding }: CompileReport): string {
  return table(
    [
      { title: '#', right: true },
      { title: 'operator' },
      { title: 'MACs', right: true },
      ...(latency ? [{ title: 'instructions', right: true }] : []),
      ...(sliding === null ? [] : [{ title: 'rows', right: true }]),
      { title: 'live SRAM', right: true },
      { title: '' },
      { title: 'kernel' },
      { title: 'name', limit: 48 },
    ],
    layers.map((layer) => [
      String(layer.index),
      layer.op,
      count(layer.macs),
      ...(layer.instructions === null ? [] : [`~${count(layer.instructions)}`]),
      ...(sliding === null
        ? []
        : [layer.rows === null ? '-' : `${layer.rows.computed} of ${layer.rows.all}`]),
      count(layer.sram),
      layer.index === peak?.layer ? 'peak' : '',
      layer.kernel,
      layer.name,
    ]),
  );
}
