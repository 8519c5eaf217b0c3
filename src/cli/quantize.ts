import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { Diagnostic } from '../core/diagnostics.ts';
import type { Dataset } from '../data/dataset.ts';
import { inputsOf, type ModelInput, type Normalisation, RAW, SYMMETRIC, UNIT } from '../data/inputs.ts';
import { sample, split } from '../data/split.ts';
import { writeTflite } from '../export/tflite.ts';
import { importModel } from '../import/model.ts';
import { type Graph, requireValue } from '../ir/types.ts';
import { type Measured, measure } from '../quantize/measure.ts';
import { rebatched } from '../quantize/prepare.ts';
import { type Choice, type Quantized, quantize, type Trial } from '../quantize/quantize.ts';
import { CALIBRATIONS, type Calibration } from '../quantize/ranges.ts';
import { wasmHost } from '../run/engine/wasm-host.ts';
import { networkOf } from '../train/blocks.ts';
import { parseDescription } from '../train/description.ts';
import { inferenceGraph } from '../train/inference.ts';
import { readStates } from '../train/trained.ts';
import { VERSION } from '../version.ts';
import { addData, type DataFlags, openFlagged, soundsOf } from './data.ts';
import { addJson, readModel } from './model.ts';
import { parseCount } from './numbers.ts';
import { bytes, commandLine, count, EXIT, heading, printable, type Result, table } from './output.ts';
import { writeFileAt } from './write.ts';

/** What pixels are to the network, and the int8 input that says the same. */
const PIXELS: Readonly<Record<string, Normalisation & Pick<ModelInput, 'zeroPoint'> & { step: number }>> = {
  symmetric: { ...SYMMETRIC, step: 1 / 127.5, zeroPoint: 0 },
  unit: { ...UNIT, step: 1 / 255, zeroPoint: -128 },
  raw: { ...RAW, step: 1, zeroPoint: -128 },
};

interface Options extends DataFlags {
  readonly output?: string;
  readonly result?: string;
  readonly calibration: Calibration | 'auto';
  readonly equalize?: boolean;
  readonly correctBias?: boolean;
  readonly pixels: string;
  readonly samples: number;
  readonly testSamples: number;
  readonly seed: number;
}

interface QuantizeReport extends Pick<Quantized, 'choice' | 'trials' | 'layers' | 'sqnr'>, Measured {
  readonly command: string;
  readonly version: string;
  readonly date: string;
  /** Of the choice of items. */
  readonly seed: number;
  readonly model: string;
  readonly samples: { readonly calibration: number; readonly test: number };
  readonly written: { readonly file: string; readonly bytes: number } | null;
  readonly warnings: readonly Diagnostic[];
}

export function addQuantize(
  program: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addData(addJson(program.command('quantize')))
    .argument(
      '<model>',
      'a float32 model: a .onnx file (opset 13 to 21), a .tflite file, or NAME.json as "rivulet train" writes it',
    )
    .option('-o, --output <file>', 'the .tflite file to write; without it, only report')
    .addOption(
      new Option('--calibration <how>', 'how ranges are chosen; auto: the way that measures best')
        .choices(['auto', ...Object.keys(CALIBRATIONS)])
        .default('auto'),
    )
    .option('--equalize', 'equalise neighbouring layers (default: if it helps)')
    .option('--no-equalize', 'do not')
    .option('--correct-bias', 'make up for the mean error of rounded weights (default: if it helps)')
    .option('--no-correct-bias', 'do not')
    .addOption(
      new Option('--pixels <range>', 'what the network takes pixels for: -1 to 1, 0 to 1, or 0 to 255')
        .choices(Object.keys(PIXELS))
        .default('symmetric'),
    )
    .option('--samples <n>', 'items to calibrate with', parseCount, 200)
    .option('--test-samples <n>', 'items to test with', parseCount, 1000)
    .option('--seed <n>', 'of the choice of items', parseCount, 1)
    .option('--result <file>', 'keep what came out as JSON, with the command line')
    .summary('a float32 model as int8, calibrated and measured')
    .description(
      'Quantises a float32 model after its training, with the rules of TensorFlow Lite, and compares both on items it was not calibrated with.',
    )
    .action(async (path: string, options: Options) => {
      const report = await run(path, options, tell);
      if (options.result !== undefined)
        await writeFileAt(options.result, `${JSON.stringify(report, null, 2)}\n`);
      deliver({ document: report, text: describe(report), notes: report.warnings, exitCode: EXIT.ok });
    });
}

async function run(path: string, options: Options, tell: (text: string) => void): Promise<QuantizeReport> {
  const imported = await readFloat(path);
  const float = rebatched(imported.graph);
  const input = requireValue(float, float.inputs[0]!);
  const [, height, width, channels] = input.shape;
  const pictures = input.shape.length === 4 && (channels === 1 || channels === 3);
  const size = pictures ? ({ size: [height!, width!], channels } as const) : undefined;
  const source = await openFlagged(options, await soundsOf(options), size, tell);
  try {
    const parts =
      source.test === undefined
        ? (({ first, second }) => ({ test: first, train: second }))(split(source.train, 0.2, options.seed))
        : { train: source.train, test: source.test };
    const some = (part: Dataset, most: number): Dataset =>
      most < part.length ? sample(part, most, options.seed) : part;
    const [calibration, test] = [some(parts.train, options.samples), some(parts.test, options.testSamples)];
    const { step, zeroPoint, ...normalisation } = PIXELS[options.pixels]!;
    const type: ModelInput = { shape: input.shape, dtype: 'float32', scale: 1, zeroPoint: 0 };
    const toFloat = inputsOf(calibration, type, normalisation);
    const items = Array.from({ length: calibration.length }, (_, i) => calibration.item(i));
    const samples = items.map(({ values }) => toFloat(values) as Float32Array);
    tell(`calibrating with ${count(samples.length)} items`);
    const host = await wasmHost();
    const { equalize, correctBias } = options;
    const made = quantize(float, samples, {
      host,
      calibration: options.calibration,
      ...(equalize !== undefined && { equalize }),
      ...(correctBias !== undefined && { correctBias }),
      ...(calibration.kind === 'pixels' && { input: { scale: step, zeroPoint } }),
    });
    const file = writeTflite(made.graph, `quantised by Rivulet from ${basename(path)}`);
    // What is measured is the file, not what it was written from.
    const written = importModel(file, 'written.tflite').graph;
    const measured = measure({ float, int8: written }, test, normalisation, host);
    if (options.output !== undefined) await writeFileAt(options.output, file);
    return {
      command: commandLine(),
      version: VERSION,
      date: new Date().toISOString().slice(0, 10),
      seed: options.seed,
      model: basename(path),
      choice: made.choice,
      trials: made.trials,
      samples: { calibration: samples.length, test: test.length },
      ...measured,
      sqnr: made.sqnr,
      layers: made.layers,
      written: options.output === undefined ? null : { file: options.output, bytes: file.length },
      warnings: [...imported.warnings, ...source.warnings],
    };
  } finally {
    source.close();
  }
}

/** The model of a file, or a network that `rivulet train` has left: its description, with its states beside it. */
async function readFloat(path: string): Promise<{ graph: Graph; warnings: readonly Diagnostic[] }> {
  const model = await readModel(path);
  const name = basename(path);
  if (model instanceof Uint8Array || !isDescription(model.description))
    return importModel(model, name, 'float');
  const network = parseDescription(model.description, name);
  const states = readStates(network, model.tensors, name.replace(/json$/i, 'safetensors'));
  return { graph: inferenceGraph((how) => networkOf(network, how), states), warnings: [] };
}

/** Descriptions of int8 blocks are JSON too. */
function isDescription(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, 1 << 16));
  return /"blocks"\s*:/.test(text) && /"classes"\s*:/.test(text);
}

/** Layers that are named. */
const WORST = 5;

function describe(report: QuantizeReport): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const { accuracy, agreement, samples, choice, trials, layers, written } = report;
  const worst = [...layers].sort((a, b) => a.sqnr - b.sqnr).slice(0, WORST);
  return [
    heading(`${printable(report.model)}: ${wayText(choice)}`),
    `accuracy   float32 ${percent(accuracy.float)}, int8 ${percent(accuracy.int8)}, the same answer ${percent(agreement)} (${count(samples.test)} items)`,
    `noise      ${decibels(report.sqnr)} below the output (${count(samples.calibration)} items)`,
    ...(written === null ? [] : [`written    ${printable(written.file)}, ${bytes(written.bytes)}`]),
    '',
    table(
      [{ title: 'tried' }, { title: 'SQNR', right: true }, { title: 'same answer', right: true }],
      trials.map((trial: Trial) => [wayText(trial), decibels(trial.sqnr), percent(trial.agreement)]),
    ),
    '',
    table(
      [
        { title: 'layers with the most noise', limit: 48 },
        { title: 'operator' },
        { title: 'SQNR', right: true },
      ],
      worst.map(({ name, op, sqnr }) => [name, op, decibels(sqnr)]),
    ),
    '',
  ].join('\n');
}

function wayText({ calibration, equalize, correctBias }: Choice): string {
  return [calibration, ...(equalize ? ['equalised'] : []), ...(correctBias ? ['biases corrected'] : [])].join(
    ', ',
  );
}

function decibels(sqnr: number): string {
  return Number.isFinite(sqnr) ? `${sqnr.toFixed(1)} dB` : 'none';
}
