/** `rivulet learn plan`: what to train, for the memory there is. */
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Diagnostic, fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { inputsOf } from '../data/inputs.ts';
import type { Graph } from '../ir/types.ts';
import { type ChosenScheme, type Cost, chooseScheme, type Limits } from '../learn/choose-scheme.ts';
import type { Contributions } from '../learn/contributions.ts';
import { classifierOf } from '../learn/layers.ts';
import type { Scheme } from '../learn/scheme.ts';
import { analyse } from '../rehearse/contributions.ts';
import { drawSamples } from '../rehearse/samples.ts';
import { contributionsSvg } from '../report/contributions-svg.ts';
import { contentHash } from '../run/cache.ts';
import { canRun } from '../run/toolchain.ts';
import { findTarget, type Target } from '../targets/index.ts';
import { BUILD, VERSION } from '../version.ts';
import { addData, type DataFlags, openFlagged, soundsOf } from './data.ts';
import { learnerInput, number, readGraph } from './learn-model.ts';
import { bytes, count, EXIT, heading, type Result, table } from './output.ts';
import { SchemeCosts, schemeOf } from './scheme-costs.ts';
import { writeFileAt } from './write.ts';

interface Options extends DataFlags {
  readonly budget: number;
  readonly flash?: number;
  readonly maxInstructions?: number;
  readonly target: string;
  readonly classes?: number;
  readonly stack?: number;
  readonly samples: number;
  readonly heldOut: number;
  readonly epochs: number;
  readonly rate: number;
  readonly seeds: number;
  readonly depth: number;
  readonly points: number;
  readonly workers: number;
  readonly output?: string;
  readonly results?: string;
  readonly svg?: string;
}

/** Shares of a layer's input channels that are tried. */
const RATIOS = [1, 0.5, 0.25, 0.125];

export function addLearnPlan(
  learn: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addData(learn.command('plan'))
    .argument('<model>', 'a .tflite file, or the .json of a backbone beside its .safetensors')
    .summary(
      'find what to train within a budget: contributions of layers, and the scheme that makes most of them',
    )
    .description('Of the data for testing nothing is used.')
    .requiredOption('--budget <size>', 'SRAM of the training firmware, stack included: 100KB, or bytes', size)
    .option('--flash <size>', 'flash at most', size)
    .option('--max-instructions <n>', 'instructions of a step at most, by estimate', positive)
    .option('--target <name>', 'core or board, see "rivulet targets"', 'cortex-m4')
    .option('--classes <n>', 'outputs of the new classifier; default as the data have', positive)
    .option('--stack <size>', 'count so much for the stack instead of measuring it in an emulator', size)
    .option('--samples <n>', 'items that each trial learns from', positive, 200)
    .option('--held-out <n>', 'other items that its accuracy is measured with', positive, 300)
    .option('--epochs <n>', 'times that a trial shows them', positive, 1)
    .option('--rate <r>', 'highest learning rate; it falls to 0 along a cosine', number, 0.00125)
    .option('--seeds <n>', 'trials of each kind; contributions are means', positive, 2)
    .option('--depth <n>', 'last layers that are analysed', positive, 24)
    .option('--points <n>', 'budgets in the table, up to the one given', positive, 4)
    .option('--workers <n>', 'trials at the same time', positive, 1)
    .option('-o, --output <file>', 'write the scheme, for "learn compile"')
    .option('--results <file>', 'keep contributions, table and scheme as JSON')
    .option('--svg <file>', 'draw the contributions')
    .option('--json', 'print one JSON document')
    .action(async (path: string, options: Options) => {
      const result = await plan(path, options, tell);
      const { output, results, svg } = options;
      if (output !== undefined) await writeFileAt(output, `${JSON.stringify(result.scheme, null, 2)}\n`);
      if (results !== undefined) await writeFileAt(results, `${JSON.stringify(result, null, 2)}\n`);
      if (svg !== undefined) {
        const title = `${result.model}: gains in accuracy, percent points`;
        await writeFileAt(svg, contributionsSvg(title, result.contributions, result.scheme));
      }
      deliver({ document: result, text: planText(result), notes: result.warnings, exitCode: EXIT.ok });
    });
}

/** 100KB (of 1024 bytes), 2MB, or bytes. */
function size(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(|B|KB|MB)$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError(`"${text}" is not a size such as 100KB.`);
  const factor = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2 }[unit!.toUpperCase()]!;
  return Math.floor(Number(digits) * factor);
}

function positive(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`"${text}" is not 1, 2, 3 ...`);
  return value;
}

/** One row of the table: the most that fits a budget. */
interface Point {
  /** Bytes of SRAM. */
  readonly budget: number;
  readonly gain: number;
  readonly cost: Cost;
  readonly scheme: Scheme;
}

interface PlanResult {
  readonly command: string;
  readonly version: string;
  readonly date: string;
  readonly model: string;
  readonly target: string;
  readonly limits: Limits;
  /** Bytes counted for the stack; measured: by linked firmware in an emulator, as flash is. */
  readonly stack: number | 'measured';
  readonly data: { readonly folder: string; readonly classes: readonly string[] };
  /** `seeds`: each trial was run with the seeds 1 to this. */
  readonly trials: Pick<Options, 'samples' | 'heldOut' | 'epochs' | 'rate' | 'seeds' | 'depth'> & {
    readonly ratios: readonly number[];
  };
  readonly contributions: Contributions;
  /** By ascending budget; of equal schemes the smallest budget. */
  readonly pareto: readonly Point[];
  /** Of the whole budget. */
  readonly scheme: Scheme;
  readonly gain: number;
  readonly cost: Cost;
  readonly warnings: readonly Diagnostic[];
}

async function plan(path: string, options: Options, tell: (text: string) => void): Promise<PlanResult> {
  const target = findTarget(options.target);
  const { graph, identity } = await readGraph(path);
  const depth = Math.min(options.depth, classifierOf(graph).index);
  const { contributions, classes, outputs, trials, warnings } = await contribute(
    graph,
    identity,
    path,
    { ...options, depth },
    tell,
  );
  const stack = options.stack ?? (await stackOf(target));
  const costs = new SchemeCosts(graph, {
    ...{ classes: outputs, target, stack },
    tell: (placed) => tell(`placing the ${placed === 0 ? 'classifier alone' : `scheme no. ${placed}`}`),
  });
  const limits: Limits = {
    sram: options.budget,
    ...(options.flash !== undefined && { flash: options.flash }),
    ...(options.maxInstructions !== undefined && { instructions: options.maxInstructions }),
  };
  const best = await chooseScheme(contributions, limits, costs);
  const least = (await costs.counted({ biases: 0, weights: [] })).sram;
  const name = `${basename(path).replace(/\.\w+$/, '')}-${options.budget}B`;
  const points: Point[] = [];
  for (let i = 0; i < options.points; ++i) {
    const budget = Math.round(least + ((options.budget - least) * i) / options.points);
    points.push(
      pointOf(budget, await chooseScheme(contributions, { ...limits, sram: budget }, costs), outputs),
    );
  }
  const last = pointOf(options.budget, best, outputs, name);
  return {
    command: `rivulet ${process.argv.slice(2).join(' ')}`,
    version: VERSION,
    date: new Date().toISOString().slice(0, 10),
    model: basename(path),
    target: target.name,
    limits,
    stack,
    data: { folder: basename(options.data), classes },
    trials,
    contributions,
    pareto: frontOf([...points, last]),
    scheme: last.scheme,
    gain: best.gain,
    cost: best.cost,
    warnings,
  };
}

/** Measured where the toolchain and an emulator of the core are there; elsewhere it must be given or is not counted. */
async function stackOf({ core }: Target): Promise<number | 'measured'> {
  return core.machines.length > 0 && (await canRun(core)) ? 'measured' : 0;
}

async function contribute(
  graph: Graph,
  identity: string,
  path: string,
  options: Options,
  tell: (text: string) => void,
) {
  const { samples, heldOut, epochs, rate, seeds, depth, workers } = options;
  const { type, pictures } = learnerInput(graph, basename(path));
  const source = await openFlagged(options, await soundsOf(options), pictures, tell);
  try {
    const { classes } = source.train;
    const outputs = options.classes ?? classes.length;
    if (classes.length > outputs) {
      fail('RV5001', `the classifier has ${outputs} classes, the data ${classes.length}`, {
        origin: '--classes',
      });
    }
    const toInput = inputsOf(source.train, type);
    const drawn = drawSamples(
      source.train,
      samples,
      heldOut,
      (values) => asBytes(toInput(values)),
      options.data,
    );
    const began = Date.now();
    const contributions = await analyse(graph, {
      ...{ ...drawn, classes: outputs, depth, ratios: RATIOS, epochs, rate, seeds, workers },
      identity: contentHash([identity, BUILD]),
      tell: (done, all, known) => tell(trialText(done, all, known, Date.now() - began)),
    });
    const counted = { samples: drawn.train.labels.length, heldOut: drawn.held.labels.length };
    const trials = { ...counted, epochs, rate, seeds, depth, ratios: RATIOS };
    return { contributions, classes, outputs, trials, warnings: source.warnings };
  } finally {
    source.close();
  }
}

function trialText(done: number, all: number, known: number, milliseconds: number): string {
  const text = `trials: ${count(done)} of ${count(all)}`;
  if (done === known) return known === 0 ? text : `${text}, known from before`;
  const minutes = ((milliseconds / (done - known)) * (all - done)) / 60_000;
  return `${text}, about ${minutes.toFixed(1)} min left`;
}

function pointOf(
  budget: number,
  { gain, cost, biases, weights }: ChosenScheme,
  classes: number,
  name = `${budget}B`,
): Point {
  return { budget, gain, cost, scheme: schemeOf({ biases, weights }, classes, name) };
}

/** Points that gain more than every smaller one. */
function frontOf(points: readonly Point[]): Point[] {
  return points.filter(({ gain }, i) => points.slice(0, i).every((smaller) => smaller.gain < gain));
}

function planText({
  model,
  target,
  limits,
  stack,
  contributions,
  pareto,
  scheme,
  gain,
  cost,
}: PlanResult): string {
  const points = (share: number): string => (100 * share).toFixed(2);
  const schemeText = ({ biases, weights }: Scheme): string =>
    [`biases ${biases}`, ...weights.map(({ layer, ratio }) => `${layer} x ${ratio}`)].join(', ');
  return [
    heading(
      `${model} on ${target}, ${bytes(limits.sram!)}: gains over the classifier alone, in percent points`,
    ),
    table(
      [
        { title: 'budget', right: true },
        { title: 'SRAM', right: true },
        { title: 'flash', right: true },
        { title: 'instructions', right: true },
        { title: 'gain', right: true },
        { title: 'what is trained', limit: 120 },
      ],
      pareto.map((point) => [
        count(point.budget),
        count(point.cost.sram),
        count(point.cost.flash),
        count(point.cost.instructions),
        points(point.gain),
        schemeText(point.scheme),
      ]),
    ),
    `scheme    ${schemeText(scheme)}`,
    `SRAM      ${bytes(cost.sram)}, ${stack === 'measured' ? 'static and stack, measured' : `${count(stack)} of them for the stack`}`,
    `expected  ${points(contributions.baseline)} % and ${points(gain)} points, if contributions add up`,
    '',
  ].join('\n');
}
