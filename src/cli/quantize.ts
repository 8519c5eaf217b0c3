/** `rivulet quantize`: a float32 model becomes an int8 TFLite model, and says what it lost. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Diagnostic, fail } from '../core/diagnostics.ts';
import type { Dataset, Item } from '../data/dataset.ts';
import { inputsOf, type ModelInput, type Normalisation, RAW, SYMMETRIC, UNIT } from '../data/inputs.ts';
import { sample, split } from '../data/split.ts';
import { writeTflite } from '../export/tflite.ts';
import { importModel } from '../import/model.ts';
import { elementCount, type Graph, requireValue } from '../ir/types.ts';
import { rebatched } from '../quantize/prepare.ts';
import { argmax } from '../quantize/quality.ts';
import { type Choice, type Quantized, quantize, type Trial } from '../quantize/quantize.ts';
import { CALIBRATIONS, type Calibration } from '../quantize/ranges.ts';
import { openEngine } from '../run/engine/engine.ts';
import { wasmHost } from '../run/engine/wasm-host.ts';
import { networkOf } from '../train/blocks.ts';
import { parseDescription } from '../train/description.ts';
import { inferenceGraph } from '../train/inference.ts';
import { readStates } from '../train/trained.ts';
import { addData, type DataFlags, openFlagged, soundsOf } from './data.ts';
import { addJson, readModel } from './model.ts';
import { bytes, count, EXIT, heading, printable, type Result, table } from './output.ts';

/** What pixels are to the network, and the int8 input that says the same. */
const PIXELS: Readonly<Record<string, Normalisation & Pick<ModelInput, 'zeroPoint'> & { step: number }>> = {
  symmetric: { ...SYMMETRIC, step: 1 / 127.5, zeroPoint: 0 },
  unit: { ...UNIT, step: 1 / 255, zeroPoint: -128 },
  raw: { ...RAW, step: 1, zeroPoint: -128 },
};

interface Options extends DataFlags {
  readonly output?: string;
  readonly calibration: Calibration | 'auto';
  readonly equalize?: boolean;
  readonly correctBias?: boolean;
  readonly pixels: string;
  readonly samples: number;
  readonly testSamples: number;
  readonly seed: number;
}

interface QuantizeReport extends Pick<Quantized, 'choice' | 'trials' | 'layers' | 'sqnr'> {
  readonly model: string;
  readonly samples: { readonly calibration: number; readonly test: number };
  readonly accuracy: { readonly float: number; readonly int8: number };
  /** Share of test items with the same answer. */
  readonly agreement: number;
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
      'a float32 model: a .onnx file (opset 13 to 21), a .tflite file, or the .json of what "rivulet train" trained',
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
    .option('--samples <n>', 'items to calibrate with', number, 200)
    .option('--test-samples <n>', 'items to test with', number, 1000)
    .option('--seed <n>', 'of the choice of items', number, 1)
    .summary('a float32 model as int8, calibrated and measured')
    .description(
      'Quantises a float32 model after its training, with the rules of TensorFlow Lite, and compares both on items it was not calibrated with.',
    )
    .action(async (path: string, options: Options) => {
      const report = await run(path, options, tell);
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
    if (options.output !== undefined) await write(options.output, file);
    return {
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

/** A model's file, or a description with its trained states. */
async function readFloat(
  path: string,
): Promise<{ readonly graph: Graph; readonly warnings: readonly Diagnostic[] }> {
  const model = await readModel(path);
  if (model instanceof Uint8Array) return importModel(model, basename(path), 'float');
  const network = parseDescription(model.description, basename(path));
  const states = readStates(network, model.tensors, basename(path));
  return { graph: inferenceGraph((how) => networkOf(network, how), states), warnings: [] };
}

/** Both networks on every item of `test`. */
function measure(
  graphs: { readonly float: Graph; readonly int8: Graph },
  test: Dataset,
  normalisation: Normalisation,
  host: Awaited<ReturnType<typeof wasmHost>>,
): Pick<QuantizeReport, 'accuracy' | 'agreement'> {
  const outputs = elementCount(requireValue(graphs.float, graphs.float.outputs[0]!).shape);
  if (outputs < test.classes.length) {
    fail('RV4006', `the network has ${outputs} outputs, the data ${test.classes.length} classes`);
  }
  const answer = (graph: Graph, dtype: 'float32' | 'int8') => {
    const input = requireValue(graph, graph.inputs[0]!);
    const scale = input.quantization?.scales[0] ?? 1;
    const zeroPoint = input.quantization?.zeroPoints[0] ?? 0;
    const type = { shape: input.shape, dtype, scale, zeroPoint };
    const toInput = inputsOf(test, type, normalisation);
    const engine = openEngine(graph, host);
    return (values: Item['values']): number => {
      (engine.input(0) as Float32Array | Int8Array).set(toInput(values));
      engine.run();
      return argmax(engine.output(0) as Float32Array | Int8Array);
    };
  };
  const [ofFloat, ofInt8] = [answer(graphs.float, 'float32'), answer(graphs.int8, 'int8')];
  const right = { float: 0, int8: 0, same: 0 };
  for (let i = 0; i < test.length; ++i) {
    const { values, label } = test.item(i);
    const [a, b] = [ofFloat(values), ofInt8(values)];
    right.float += Number(a === label);
    right.int8 += Number(b === label);
    right.same += Number(a === b);
  }
  return {
    accuracy: { float: right.float / test.length, int8: right.int8 / test.length },
    agreement: right.same / test.length,
  };
}

async function write(file: string, model: Uint8Array): Promise<void> {
  try {
    await writeFile(file, model);
  } catch (error) {
    fail('RV3005', `the model cannot be written: ${(error as Error).message}`, {
      origin: `-o ${file}`,
      hint: 'name a file in a folder that exists and can be written to',
    });
  }
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

function number(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1)
    throw new InvalidArgumentError(`"${text}" is not a positive integer.`);
  return value;
}
