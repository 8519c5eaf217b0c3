/** `rivulet train`: a float32 network from a description, a recipe and data. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Diagnostic, fail } from '../core/diagnostics.ts';
import { contentHash } from '../run/cache.ts';
import { chooseHost } from '../run/engine/host.ts';
import { readBytes } from '../run/files.ts';
import { readItems } from '../train/batches.ts';
import { type NetworkDescription, networkOf } from '../train/blocks.ts';
import type { EpochResult } from '../train/checkpoint.ts';
import { parseDescription } from '../train/description.ts';
import { type Evaluation, evaluate } from '../train/evaluation.ts';
import { DEFAULT_RECIPE, parseRecipe, type Recipe } from '../train/recipe.ts';
import { sizeOf } from '../train/size.ts';
import { writeStates } from '../train/trained.ts';
import { train } from '../train/trainer.ts';
import { VERSION } from '../version.ts';
import { addData, type DataFlags, openFlagged, type SoundOptions, soundsOf } from './data.ts';
import { addJson } from './model.ts';
import { count, EXIT, heading, type Result, table } from './output.ts';

interface Options extends DataFlags {
  readonly output: string;
  readonly recipe?: string;
  readonly result?: string;
  readonly seed?: number;
  readonly host?: string;
}

export function addTrain(
  program: Command,
  deliver: (result: Result) => void,
  tell: (text: string) => void,
): void {
  addData(addJson(program.command('train')))
    .summary('train a float32 network on this computer')
    .description(
      'Trains the network that a JSON file describes (docs/training.md) and keeps it as NAME.json with NAME.safetensors. NAME.checkpoint says where it stands after each epoch: the same command goes on from there.',
    )
    .argument('<network>', 'a .json file: input, classes and blocks')
    .requiredOption('-o, --output <file>', 'the trained network, NAME.json')
    .option('--recipe <file>', 'a .json file: epochs, rate, augmentation ...; default: the standard recipe')
    .option('--seed <n>', "instead of the recipe's", parseSeed)
    .option('--host <name>', 'native or wasm; default: native where there is a C compiler')
    .option('--result <file>', 'keep what came out as JSON, with the command line')
    .action(async (path: string, options: Options) => {
      const result = await run(path, options, tell);
      if (options.result !== undefined) await write(options.result, `${JSON.stringify(result, null, 2)}\n`);
      deliver({ document: result, text: textOf(result), notes: result.warnings, exitCode: EXIT.ok });
    });
}

function parseSeed(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return value;
}

/** What is kept of a training. */
interface TrainResult {
  readonly command: string;
  readonly version: string;
  readonly date: string;
  readonly network: NetworkDescription;
  /** Multiply-accumulates of one inference, and elements that are trained. */
  readonly size: { readonly macs: number; readonly parameters: number };
  readonly recipe: Recipe;
  readonly host: string;
  readonly data: {
    readonly folder: string;
    readonly sounds: SoundOptions | null;
    readonly classes: readonly string[];
    readonly train: number;
    readonly heldOut: number;
  };
  readonly warnings: readonly Diagnostic[];
  readonly epochs: readonly EpochResult[];
  /** Of all epochs: what the clock says, and what of that on a processor. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Once, at the end; null where the data have no part for it. */
  readonly test: Evaluation | null;
  readonly model: string;
}

const JSON_FILE = /\.json$/i;

async function run(path: string, options: Options, tell: (text: string) => void): Promise<TrainResult> {
  if (!JSON_FILE.test(options.output)) {
    fail('RV3001', `"${options.output}" does not end with .json`, { origin: '--output' });
  }
  const network = parseDescription(await readBytes(path, 'NETWORK'), basename(path));
  const recipe = await readRecipe(options);
  const { host, name: hostName } = await chooseHost(options.host);
  if (hostName === 'wasm' && options.host === undefined)
    tell('the native engine is not available; WebAssembly takes about three times as long');
  const [height, width, channels] = network.input;
  const sounds = await soundsOf(options);
  const size = [height, width] as const;
  const pictures = channels === 1 || channels === 3 ? ({ size, channels } as const) : { size };
  const source = await openFlagged(options, sounds, pictures, tell);
  try {
    const { classes, labels } = source.train;
    if (classes.length !== network.classes) {
      fail('RV5004', `the network has ${network.classes} classes, the data ${classes.length}`, {
        origin: basename(path),
      });
    }
    const build: Parameters<typeof train>[0] = (how) => networkOf(network, how);
    const base = options.output.replace(JSON_FILE, '');
    const told = ['network', JSON.stringify(network), JSON.stringify([recipe, sounds]), hostName, VERSION];
    const identity = contentHash([...told, basename(options.data), labels.join()]);
    let last = 0;
    const { states, epochs, counts } = await train(build, source.train, recipe, {
      host,
      shape: network.input,
      checkpoint: { path: `${base}.checkpoint`, identity },
      onEpoch: ({ epoch, loss, heldOutAccuracy, seconds }) => {
        const heldOut = heldOutAccuracy === null ? '' : `, held out ${percent(heldOutAccuracy)}`;
        tell(
          `epoch ${epoch} of ${recipe.epochs}: loss ${loss.toFixed(4)}${heldOut}, ${seconds.toFixed(1)} s`,
        );
      },
      onProgress: ({ step, steps, loss, imagesPerSecond, secondsLeft }) => {
        if (performance.now() - last < PROGRESS_MS) return;
        last = performance.now();
        tell(
          `step ${count(step)} of ${count(steps)}: loss ${loss.toFixed(3)}, ${count(imagesPerSecond)} items/s, ${minutes(secondsLeft)} left`,
        );
      },
    });
    const test = source.test ? evaluate(build, states, readItems(source.test, network.input), host) : null;
    await write(`${base}.safetensors`, writeStates(build({ batch: 1, mode: 'run' }), states));
    await write(options.output, `${JSON.stringify(network, null, 2)}\n`);
    return {
      command: `rivulet ${process.argv.slice(2).join(' ')}`,
      version: VERSION,
      date: new Date().toISOString().slice(0, 10),
      network,
      size: sizeOf(build),
      recipe,
      host: hostName,
      data: { folder: basename(options.data), sounds: sounds ?? null, classes, ...counts },
      warnings: source.warnings,
      epochs,
      seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
      cpuSeconds: epochs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      test,
      model: basename(options.output),
    };
  } finally {
    source.close();
  }
}

const PROGRESS_MS = 10_000;

async function readRecipe({ recipe, seed }: Options): Promise<Recipe> {
  const read =
    recipe === undefined
      ? DEFAULT_RECIPE
      : parseRecipe(await readBytes(recipe, '--recipe'), basename(recipe));
  return seed === undefined ? read : { ...read, seed };
}

async function write(path: string, contents: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  } catch (error) {
    fail('RV3005', (error as Error).message, { origin: path });
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

function textOf({ network, size, data, epochs, seconds, cpuSeconds, test, model }: TrainResult): string {
  return [
    heading(`${network.name}: ${count(size.parameters)} parameters, ${count(size.macs)} MACs`),
    table(
      [
        { title: 'epoch', right: true },
        { title: 'loss', right: true },
        { title: 'held out', right: true },
        { title: 'seconds', right: true },
      ],
      epochs.map(({ epoch, loss, heldOutAccuracy, seconds: s }) => [
        String(epoch),
        loss.toFixed(4),
        heldOutAccuracy === null ? '-' : percent(heldOutAccuracy),
        s.toFixed(1),
      ]),
    ),
    `trained with ${count(data.train)} items in ${minutes(seconds)}, ${minutes(cpuSeconds)} on a processor`,
    `test     ${test === null ? '-' : `${percent(test.accuracy)} of ${count(test.count)}`}`,
    `model    ${model}`,
    '',
  ].join('\n');
}
