/** `rivulet learn`: firmware that trains, measured, and its training rehearsed on this computer. */
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Diagnostic, fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import type { Dataset, Item } from '../data/dataset.ts';
import { inputsOf } from '../data/inputs.ts';
import { openData } from '../data/open.ts';
import { sample, split } from '../data/split.ts';
import { identifierFrom, requireIdentifier } from '../emit/names.ts';
import { emitProject, type Project } from '../emit/project.ts';
import { counterBytes } from '../emit/push.ts';
import { compileTraining, type TrainingProgram } from '../learn/compile-training.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { accuracy, type EpochResult, rehearse } from '../rehearse/epochs.ts';
import { featuresOf } from '../rehearse/features.ts';
import { curveSvg } from '../report/curve-svg.ts';
import { contentHash } from '../run/cache.ts';
import { requireEmulatedCore } from '../run/executors.ts';
import { readBytes } from '../run/files.ts';
import { Rehearsal } from '../run/rehearsal.ts';
import { profileTraining, type TrainingFirmwareRequest } from '../run/training-firmware.ts';
import { findTarget } from '../targets/index.ts';
import { VERSION } from '../version.ts';
import { learnerInput, number, readGraph, writeText } from './learn-model.ts';
import { addLearnPlan } from './learn-plan.ts';
import { bytes, count, EXIT, heading, type Result, table } from './output.ts';

interface SchemeOptions {
  readonly scheme: string;
}

interface CompileOptions extends SchemeOptions {
  readonly target?: string;
  readonly name?: string;
  readonly inputMode?: 'rows' | 'resident';
  readonly output?: string;
}

interface RehearseOptions extends SchemeOptions {
  readonly data: string;
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
  readonly trainSamples?: number;
  readonly testSamples?: number;
  readonly output?: string;
  readonly svg?: string;
}

export function addLearn(
  program: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  const learn = program
    .command('learn')
    .summary('networks that go on learning on the microcontroller')
    .description(
      'Training in integers on the device: firmware, its cost, and its accuracy before there is a board.',
    );
  const model = (command: Command): Command =>
    command
      .argument('<model>', 'a .tflite file, or the .json of a backbone beside its .safetensors')
      .requiredOption('--scheme <file>', 'what is trained, a JSON file; docs/training.md says what is in it')
      .option('--json', 'print one JSON document');
  const firmware = (command: Command): Command =>
    model(command)
      .option('--target <name>', 'core or board, see "rivulet targets"; default host')
      .option('--name <id>', "the model's name in C; default from the file name")
      .option(
        '--input-mode <mode>',
        'rows: the application pushes the image row by row (default); resident: it lies in SRAM',
      );

  firmware(learn.command('compile'))
    .summary('write a C project that runs and trains the network')
    .option('-o, --output <dir>', 'folder for the C project; without it, only report')
    .action(async (path: string, options: CompileOptions) => {
      const made = await makeFirmware(path, options);
      const files = options.output === undefined ? [] : await writeProject(made.project, options.output);
      deliver({
        document: { ...describeProgram(made), files },
        text: programText(made, options.output),
        exitCode: EXIT.ok,
      });
    });

  firmware(learn.command('profile'))
    .summary('instructions and memory of a real training firmware under QEMU')
    .action(async (path: string, options: CompileOptions) => {
      if (options.target === undefined) {
        fail('RV3001', 'no target is given', { origin: '--target', hint: 'for example --target cortex-m4' });
      }
      const made = await makeFirmware(path, { ...options, target: requireEmulatedCore(options.target!) });
      const image = new Uint8Array(made.program.inputs[0]!.bytes).map((_, i) => (i * 37 + 11) & 255);
      const { layers, ...profile } = await profileTraining(made, { image, label: 0, rate: 0.001 });
      const { instructions, sram, flash } = profile;
      deliver({
        document: { ...profile, layers },
        text: [
          heading(`${made.name}, scheme ${made.scheme.name}, on ${profile.core} (${profile.machine})`),
          `instructions  inference ${count(instructions.forward)}, a step ${count(instructions.step)}`,
          `SRAM          ${bytes(sram.total)} (data ${count(sram.data)}, bss ${count(sram.bss)}, stack ${count(sram.stack)})`,
          `flash         ${bytes(flash.total)} (text ${count(flash.text)}, rodata ${count(flash.rodata)}, data ${count(flash.data)})`,
          '',
          table(
            [
              { title: 'operator' },
              { title: 'MACs', right: true },
              { title: 'instructions', right: true },
              { title: 'name', limit: 48 },
            ],
            layers.map(({ op, macs, instructions: n, name }) => [op, count(macs), count(n), name]),
          ),
          '',
        ].join('\n'),
        exitCode: EXIT.ok,
      });
    });

  addLearnPlan(learn, deliver, tell);

  model(learn.command('rehearse'))
    .summary('train on this computer, bit for bit as the device will, and see what accuracy it reaches')
    .requiredOption(
      '--data <dir>',
      'pictures in a folder for each class (train/ and test/ above them), IDX, .npy or CSV files',
    )
    .option('--epochs <n>', 'times that all samples are shown', number, 3)
    .option('--rate <r>', 'highest learning rate; it falls to 0 along a cosine', number, 0.00125)
    .option('--seed <n>', 'of the order of samples and of rounding', number, 1)
    .option('--train-samples <n>', 'train with so many, drawn with seed 1', number)
    .option('--test-samples <n>', 'test with so many, drawn with seed 1', number)
    .option('-o, --output <file>', 'keep the result as JSON')
    .option('--svg <file>', 'draw the curve')
    .action(async (path: string, options: RehearseOptions) => {
      const result = await runRehearsal(path, options, tell);
      if (options.output !== undefined)
        await writeText(options.output, `${JSON.stringify(result, null, 2)}\n`);
      if (options.svg !== undefined)
        await writeText(options.svg, curveSvg(result.curve, `${result.model}, ${result.scheme.name}`));
      deliver({ document: result, text: rehearsalText(result), notes: result.warnings, exitCode: EXIT.ok });
    });
}

async function readScheme(path: string): Promise<Scheme> {
  return parseScheme(new TextDecoder().decode(await readBytes(path, '--scheme')), path);
}

interface Made extends TrainingFirmwareRequest, TrainingProgram {
  readonly scheme: Scheme;
}

async function makeFirmware(path: string, options: CompileOptions): Promise<Made> {
  const { inputMode = 'rows', target: wanted = 'host' } = options;
  if (inputMode !== 'rows' && inputMode !== 'resident') {
    fail('RV3001', `"${inputMode}" is not possible`, { origin: '--input-mode', hint: 'rows or resident' });
  }
  const [{ graph }, scheme, target] = [
    await readGraph(path),
    await readScheme(options.scheme),
    findTarget(wanted),
  ];
  const name = requireIdentifier(options.name ?? identifierFrom(basename(path).replace(/\.\w+$/, '')));
  const kernels = { isas: target.core.isas, optimize: 'speed' } as const;
  const made = compileTraining(graph, { scheme, kernels, inputMode });
  const provenance = `Made by Rivulet ${VERSION} from ${basename(path)} and ${basename(options.scheme)}: learn compile --target ${target.name} --name ${name} --input-mode ${inputMode}`;
  const project = emitProject(made.program, made.plan, { name, optimize: 'speed', provenance });
  return { ...made, scheme, name, project, core: target.core.name, optimize: 'speed' };
}

async function writeProject(project: Project, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, text] of project) {
    paths.push(join(folder, name));
    await writeText(join(folder, name), text);
  }
  return paths;
}

function describeProgram({ name, scheme, program, plan, training }: Made) {
  const states = program.states.reduce((sum, state) => sum + state.bytes, 0);
  const constants = program.constants.reduce((sum, { data }) => sum + data.byteLength, 0);
  return {
    name,
    scheme,
    sram: { arena: plan.arenaBytes, counters: counterBytes(program, plan), states },
    constants,
    layers: training.layers.map(({ layer, selection }) => ({ layer, channels: selection })),
  };
}

function programText(made: Made, folder: string | undefined): string {
  const { name, scheme, sram, constants, layers } = describeProgram(made);
  const whole = layers.filter(({ channels }) => channels !== 'none').length;
  return [
    heading(`${name} learns by the scheme ${scheme.name}`),
    `trains   ${layers.length} layers, ${whole} of them weights`,
    `SRAM     ${bytes(sram.arena + sram.counters)} and the stack; ${count(sram.states)} of them persist`,
    `flash    ${bytes(constants)} of constants, and the code ("rivulet learn profile" measures both)`,
    ...(folder === undefined ? [] : [`project  ${folder}`]),
    '',
  ].join('\n');
}

interface RehearsalResult {
  readonly command: string;
  readonly version: string;
  readonly date: string;
  readonly model: string;
  readonly scheme: Scheme;
  readonly data: {
    readonly folder: string;
    readonly classes: readonly string[];
    readonly train: number;
    readonly test: number;
  };
  /** What of the data was left out, and what looks odd. */
  readonly warnings: readonly Diagnostic[];
  readonly seed: number;
  readonly rate: number;
  readonly curve: readonly EpochResult[];
  readonly testAccuracy: number;
}

/** Share of the items that is held out where the data do not say what the test is. */
const HELD_OUT = 0.2;

async function runRehearsal(
  path: string,
  options: RehearseOptions,
  tell: (text: string) => void,
): Promise<RehearsalResult> {
  const { epochs, rate, seed } = options;
  const [{ graph, identity }, wanted] = [await readGraph(path), await readScheme(options.scheme)];
  const { type, pictures } = learnerInput(graph, basename(path));
  const progress = (done: number, all: number): void => tell(`data: ${count(done)} of ${count(all)} read`);
  const source = await openData(options.data, pictures === undefined ? {} : { ...pictures, progress });
  try {
    const { classes } = source.train;
    const scheme = { ...wanted, classes: wanted.classes ?? classes.length };
    const rehearsal = await Rehearsal.create(graph, scheme, seed);
    if (classes.length > scheme.classes) {
      fail('RV5001', `the classifier has ${scheme.classes} classes, the data ${classes.length}`, {
        origin: options.scheme,
      });
    }
    const parts =
      source.test === undefined
        ? (({ first, second }) => ({ test: first, train: second }))(split(source.train, HELD_OUT, 1))
        : { train: source.train, test: source.test };
    const features = (dataset: Dataset, what: string, samples = dataset.length) => {
      const part = samples < dataset.length ? sample(dataset, samples, 1) : dataset;
      const toInput = inputsOf(part, type);
      const key = contentHash([
        identity,
        rehearsal.frozenKey,
        resolve(options.data),
        what,
        String(part.length),
        VERSION,
      ]);
      const compute = (values: Item['values']) => rehearsal.features(asBytes(toInput(values)));
      const report = (done: number, all: number): void =>
        tell(`${what}: ${count(done)} of ${count(all)} through the frozen layers`);
      return featuresOf(part, key, compute, report);
    };
    const train = await features(parts.train, 'train', options.trainSamples);
    const test = await features(parts.test, 'test', options.testSamples);
    const curve: EpochResult[] = [];
    const steps = (epoch: number, done: number, all: number): void =>
      tell(`epoch ${epoch} of ${epochs}: ${count(done)} of ${count(all)} steps`);
    for await (const result of rehearse(rehearsal, train, test, { epochs, rate, seed, tell: steps })) {
      curve.push(result);
      const loss = result.loss === null ? '' : `, loss ${result.loss.toFixed(3)}`;
      tell(`epoch ${result.epoch}: test ${(100 * result.testAccuracy).toFixed(2)} %${loss}`);
    }
    return {
      command: `rivulet ${process.argv.slice(2).join(' ')}`,
      version: VERSION,
      date: new Date().toISOString().slice(0, 10),
      model: basename(path),
      scheme,
      data: { folder: basename(options.data), classes, train: train.count, test: test.count },
      warnings: source.warnings,
      seed,
      rate,
      curve,
      testAccuracy: accuracy(rehearsal, test),
    };
  } finally {
    source.close();
  }
}

function rehearsalText({ model, scheme, data, curve, testAccuracy }: RehearsalResult): string {
  const percent = (x: number | null): string => (x === null ? '-' : `${(100 * x).toFixed(2)} %`);
  return [
    heading(
      `${model}, scheme ${scheme.name}: ${count(data.train)} samples to train, ${count(data.test)} to test`,
    ),
    table(
      [
        { title: 'epoch', right: true },
        { title: 'loss', right: true },
        { title: 'train', right: true },
        { title: 'test', right: true },
      ],
      curve.map(({ epoch, loss, trainAccuracy, testAccuracy: test }) => [
        String(epoch),
        loss === null ? '-' : loss.toFixed(3),
        percent(trainAccuracy),
        percent(test),
      ]),
    ),
    `test accuracy, by the device's own arithmetic: ${percent(testAccuracy)}`,
    '',
  ].join('\n');
}
