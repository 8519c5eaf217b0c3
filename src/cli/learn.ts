/** `rivulet learn`: firmware that trains, measured, and its training rehearsed on this computer. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Diagnostic, fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import type { Dataset, Item } from '../data/dataset.ts';
import { inputsOf } from '../data/inputs.ts';
import { sample, split } from '../data/split.ts';
import { slotBytes } from '../emit/flash.ts';
import { identifierFrom, requireIdentifier } from '../emit/names.ts';
import { emitProject, type Project } from '../emit/project.ts';
import { counterBytes } from '../emit/push.ts';
import { savedBytes } from '../emit/states.ts';
import { compileTraining, type TrainingProgram } from '../learn/compile-training.ts';
import type { Scheme } from '../learn/scheme.ts';
import { encodeSlot, slotLayoutOf } from '../learn/slot.ts';
import {
  ARITHMETICS,
  type Arithmetic,
  compare,
  type RehearsalRun,
  type Spread,
  spreadOf,
} from '../rehearse/compare.ts';
import { featuresOf } from '../rehearse/features.ts';
import { curveSvg } from '../report/curve-svg.ts';
import { contentHash } from '../run/cache.ts';
import { chooseHost } from '../run/engine/host.ts';
import { requireEmulatedCore } from '../run/executors.ts';
import { FloatRehearsal } from '../run/float-rehearsal.ts';
import { Rehearsal } from '../run/rehearsal.ts';
import { profileTraining, type TrainingFirmwareRequest } from '../run/training-firmware.ts';
import { findTarget } from '../targets/index.ts';
import { BUILD, VERSION } from '../version.ts';
import { addData, type DataFlags, openFlagged, soundsOf } from './data.ts';
import { addExport } from './learn-export.ts';
import { learnerInput, number, readGraph, readScheme } from './learn-model.ts';
import { addLearnPlan } from './learn-plan.ts';
import { bytes, commandLine, count, EXIT, heading, type Result, table } from './output.ts';
import { writeFileAt } from './write.ts';

interface SchemeOptions {
  readonly scheme: string;
}

interface CompileOptions extends SchemeOptions {
  readonly target?: string;
  readonly name?: string;
  readonly inputMode?: 'rows' | 'resident';
  readonly output?: string;
}

interface RehearseOptions extends SchemeOptions, DataFlags {
  readonly epochs: number;
  readonly rate: number;
  readonly seed: readonly number[];
  readonly beside: readonly Arithmetic[];
  readonly rateWithoutQas?: number;
  readonly host?: string;
  readonly trainSamples?: number;
  readonly testSamples?: number;
  readonly output?: string;
  readonly svg?: string;
  readonly state?: string;
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
      .requiredOption(
        '--scheme <file>',
        'what is trained, a JSON file; docs/on-device-training.md says what is in it',
      )
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

  addData(model(learn.command('rehearse')))
    .summary('train on this computer, bit for bit as the device will, and see what accuracy it reaches')
    .option('--epochs <n>', 'times that all samples are shown', number, 3)
    .option('--rate <r>', 'highest learning rate; it falls to 0 along a cosine', number, 0.00125)
    .option('--seed <n,...>', 'of the order of samples and of rounding, a run for each', numbers, [1])
    .option(
      '--beside <what,...>',
      'train also in float32, and in integers without quantisation-aware scaling: float32, no-qas',
      arithmetics,
      [],
    )
    .option('--rate-without-qas <r>', `default ${WITHOUT_QAS} times the rate`, number)
    .option('--host <name>', 'native or wasm: who computes; default: native where there is a C compiler')
    .option('--train-samples <n>', 'train with so many, drawn with seed 1', number)
    .option('--test-samples <n>', 'test with so many, drawn with seed 1', number)
    .option('-o, --output <file>', 'keep the result as JSON')
    .option('--svg <file>', 'draw the curve')
    .option('--state <file>', 'keep what has been learnt, as the device saves it: for "rivulet learn export"')
    .action(async (path: string, options: RehearseOptions) => {
      const { result, slot } = await runRehearsal(path, options, tell);
      if (options.output !== undefined)
        await writeFileAt(options.output, `${JSON.stringify(result, null, 2)}\n`);
      if (options.svg !== undefined)
        await writeFileAt(options.svg, curveSvg(result.runs, `${result.model}, ${result.scheme.name}`));
      if (options.state !== undefined) await writeFileAt(options.state, slot!);
      deliver({ document: result, text: rehearsalText(result), notes: result.warnings, exitCode: EXIT.ok });
    });

  addExport(model(learn.command('export')), deliver);
}

function numbers(text: string): number[] {
  return text.split(',').map(number);
}

function arithmetics(text: string): Arithmetic[] {
  return text.split(',').map((name) => {
    const known = ARITHMETICS.find((arithmetic) => arithmetic === name && name !== 'device');
    if (known === undefined) throw new InvalidArgumentError(`"${name}" is neither float32 nor no-qas.`);
    return known;
  });
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
    await writeFileAt(join(folder, name), text);
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
    slot: slotBytes(savedBytes(program)),
    layers: training.layers.map(({ layer, selection }) => ({ layer, channels: selection })),
  };
}

function programText(made: Made, folder: string | undefined): string {
  const { name, scheme, sram, constants, slot, layers } = describeProgram(made);
  const whole = layers.filter(({ channels }) => channels !== 'none').length;
  return [
    heading(`${name} learns by the scheme ${scheme.name}`),
    `trains   ${layers.length} layers, ${whole} of them weights`,
    `SRAM     ${bytes(sram.arena + sram.counters)} and the stack; ${count(sram.states)} of them persist`,
    `flash    ${bytes(constants)} of constants, and the code ("rivulet learn profile" measures both)`,
    `saved    in two slots of ${bytes(slot)} of flash`,
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
    /** When the newest of its files was written, a day. */
    readonly date: string;
    readonly classes: readonly string[];
    readonly train: number;
    readonly test: number;
  };
  /** What of the data was left out, and what looks odd. */
  readonly warnings: readonly Diagnostic[];
  readonly runs: readonly RehearsalRun[];
  readonly testAccuracy: readonly Spread[];
}

/** The day on which the newest file below `path` was written. */
async function dateOf(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true }).catch(() => []);
  const times = await Promise.all([path, ...entries.map((name) => join(path, name))].map(writtenAt));
  return new Date(times.reduce((latest, time) => Math.max(latest, time), 0)).toISOString().slice(0, 10);
}

async function writtenAt(path: string): Promise<number> {
  const stats = await stat(path);
  return stats.isFile() ? stats.mtimeMs : 0;
}

/** A unit of weight is 1/100 to 1/1000: without scaling, a step is that much smaller, squared. The best of four, measured. */
const WITHOUT_QAS = 200_000;

/** Share of the items that is held out where the data do not say what the test is. */
const HELD_OUT = 0.2;

async function runRehearsal(
  path: string,
  options: RehearseOptions,
  tell: (text: string) => void,
): Promise<{ result: RehearsalResult; slot: Uint8Array | null }> {
  const { epochs, rate, rateWithoutQas = WITHOUT_QAS * rate, state } = options;
  const { host } = await chooseHost(options.host);
  const [{ graph, identity }, wanted] = [await readGraph(path), await readScheme(options.scheme)];
  if (state !== undefined && wanted.classes === undefined) {
    fail('RV5001', 'the scheme does not say how many classes there are, so no firmware has this state', {
      origin: options.scheme,
      hint: 'add "classes" to keep what is learnt',
    });
  }
  const { type, pictures } = learnerInput(graph, basename(path));
  const sounds = await soundsOf(options);
  const source = await openFlagged(options, sounds, pictures, tell);
  try {
    const { classes } = source.train;
    const scheme = { ...wanted, classes: wanted.classes ?? classes.length };
    const rehearsal = Rehearsal.create(graph, scheme, host);
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
        JSON.stringify(sounds ?? null),
        what,
        String(part.length),
        BUILD,
      ]);
      const compute = (values: Item['values']) => rehearsal.features(asBytes(toInput(values)));
      const report = (done: number, all: number): void =>
        tell(`${what}: ${count(done)} of ${count(all)} through the frozen layers`);
      return featuresOf(part, key, compute, report);
    };
    const train = await features(parts.train, 'train', options.trainSamples);
    const test = await features(parts.test, 'test', options.testSamples);
    const { runs, state: slot } = await compare(train, test, {
      arithmetics: ['device', ...options.beside],
      seeds: options.seed,
      epochs,
      rateOf: (arithmetic) => (arithmetic === 'no-qas' ? rateWithoutQas : rate),
      learner(arithmetic, seed) {
        if (arithmetic === 'float32') return new FloatRehearsal(graph, scheme, host);
        const qas = arithmetic === 'device' && scheme.qas;
        return Rehearsal.create(graph, { ...scheme, qas }, host, seed);
      },
      key: [train.key, test.key, JSON.stringify(scheme)].join(),
      stateOf: (learner) =>
        learner instanceof Rehearsal
          ? encodeSlot(slotLayoutOf(learner.training, scheme), learner.learnt())
          : null,
      tell,
    });
    const result: RehearsalResult = {
      command: commandLine(),
      version: VERSION,
      date: new Date().toISOString().slice(0, 10),
      model: basename(path),
      scheme,
      data: {
        folder: basename(options.data),
        date: await dateOf(options.data),
        classes,
        train: train.count,
        test: test.count,
      },
      warnings: source.warnings,
      runs,
      testAccuracy: spreadOf(runs),
    };
    return { result, slot };
  } finally {
    source.close();
  }
}

function rehearsalText({ model, scheme, data, runs, testAccuracy }: RehearsalResult): string {
  const percent = (x: number | null): string => (x === null ? '-' : `${(100 * x).toFixed(2)} %`);
  return [
    heading(
      `${model}, scheme ${scheme.name}: ${count(data.train)} samples to train, ${count(data.test)} to test`,
    ),
    table(
      [
        { title: 'arithmetic' },
        { title: 'seed', right: true },
        { title: 'epoch', right: true },
        { title: 'loss', right: true },
        { title: 'train', right: true },
        { title: 'test', right: true },
      ],
      runs.flatMap(({ arithmetic, seed, curve }) =>
        curve.map(({ epoch, loss, trainAccuracy, testAccuracy: test }) => [
          arithmetic,
          String(seed),
          String(epoch),
          loss === null ? '-' : loss.toFixed(3),
          percent(trainAccuracy),
          percent(test),
        ]),
      ),
    ),
    ...testAccuracy.map(({ arithmetic, runs: n, mean, least, most }) => {
      const spread = n > 1 ? `, ${percent(least)} to ${percent(most)} of ${n} seeds` : '';
      return `test accuracy, ${ARITHMETIC_TITLES[arithmetic]}: ${percent(mean)}${spread}`;
    }),
    '',
  ].join('\n');
}

const ARITHMETIC_TITLES: Readonly<Record<Arithmetic, string>> = {
  device: "by the device's own arithmetic",
  float32: 'in float32',
  'no-qas': 'in integers without quantisation-aware scaling',
};
