/** What the verbs share: the MODEL argument, the options that decide how it is compiled, and inputs. */
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { FrontEnd } from '../audio/front-end.ts';
import { type Compilation, type CompileOptions, compile } from '../compile.ts';
import { fail } from '../core/diagnostics.ts';
import type { ModelBytes } from '../import/model.ts';
import type { Sample } from '../run/executors.ts';
import { readBytes } from '../run/files.ts';
import { readFrames } from '../run/frame-input.ts';
import { type InputOptions, readInputs } from '../run/input.ts';

export interface ModelOptions {
  readonly target?: string;
  readonly name?: string;
  readonly io?: string;
  readonly optimize?: string;
  readonly schedule?: string;
  readonly inputMode?: string;
  readonly streamAxis?: string;
  readonly hop?: number;
  readonly maxSram?: number;
  readonly maxExtraMacs?: number;
  readonly keepConstantChannels?: boolean;
}

export interface SourceOptions {
  readonly input?: readonly string[];
  readonly mean?: readonly number[];
  readonly scale?: readonly number[];
}

export function addJson(command: Command): Command {
  return command.option('--json', 'print one JSON document');
}

export function addModelOptions(command: Command, targetHelp: string): Command {
  return addJson(command)
    .option('--target <name>', targetHelp)
    .option('--io <type>', 'int8: the firmware speaks int8 (default); float: keep the types of the model')
    .option('--optimize <goal>', 'speed: a kernel for each geometry (default); size: shared kernels')
    .option(
      '--schedule <name>',
      'whole: each operator completes before the next begins (default); stream: operators take turns row by row, for the least SRAM; patch:PxP@N: the first N operators in P x P tiles (MCUNetV2); auto: the fastest that fits',
    )
    .option(
      '--max-sram <bytes>',
      "the SRAM that auto aims at and the result is held against, instead of the target's",
      parseNumber,
    )
    .option(
      '--max-extra-macs <percent>',
      'how many more multiply-accumulates streaming may spend to need less SRAM (default 0)',
      parseNumber,
    )
    .option(
      '--input-mode <mode>',
      'resident: the input lies in SRAM (default); rows: the application pushes it row by row, the frame is never stored',
    )
    .option(
      '--stream-axis <axis>',
      'time: the rows of the input are frames of a stream; the application pushes them, and of each window only what is new is computed. Default none',
    )
    .option(
      '--hop <frames>',
      'with --stream-axis time: frames from one window to the next (default: the product of the strides along time)',
      parseNumber,
    )
    .option(
      '--keep-constant-channels',
      'compute channels that are the same for every input, instead of removing them; layers keep the shapes of the model',
    );
}

export function addInputOptions(command: Command): Command {
  return command
    .option(
      '--input <file>',
      'once for each input of the model: .bin (raw bytes in its type), .npy (its type, or float: quantised with its scale), .png or .jpg (stretched to its size), or pattern[:SEED] (repeatable bytes)',
      (path: string, earlier: readonly string[] = []) => [...earlier, path],
    )
    .option(
      '--mean <number>',
      'of pictures: real = (pixel - mean) * scale, pixel 0 to 255; one value, or one a channel with commas. Default: pixels fill the range of the input',
      parseNumbers,
    )
    .option('--scale <number>', 'see --mean; may be a fraction such as 1/255', parseNumbers);
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || !Number.isFinite(value))
    throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

/** `0.5`, `1/255` or several with commas. */
function parseNumbers(text: string): number[] {
  return text.split(',').map((part) => {
    const [over = '', under = '1', ...rest] = part.split('/').map((t) => t.trim());
    const value = over === '' || under === '' || rest.length > 0 ? Number.NaN : Number(over) / Number(under);
    if (!Number.isFinite(value)) throw new InvalidArgumentError(`"${part}" is not a number.`);
    return value;
  });
}

/** What a command takes as MODEL. */
export const MODEL_HELP = 'a .tflite or .onnx file, or a .json file with its .safetensors file beside it';

/** The file at `path`, and the tensors beside a description: NAME.safetensors of NAME.json. */
export async function readModel(path: string): Promise<ModelBytes> {
  if (!/\.json$/i.test(path)) return readBytes(path, 'MODEL');
  const description = await readBytes(path, 'MODEL');
  const tensors = await readBytes(
    path.replace(/\.json$/i, '.safetensors'),
    `MODEL, tensors of ${basename(path)}`,
  );
  return { description, tensors };
}

/** Compiles the file at `path`; the values of the options are checked by `compile`. */
export async function compileModel(
  path: string,
  options: ModelOptions,
  frontEnd?: FrontEnd,
): Promise<Compilation> {
  const {
    target,
    name,
    io,
    optimize,
    schedule,
    inputMode,
    streamAxis,
    hop,
    maxSram,
    maxExtraMacs,
    keepConstantChannels,
  } = options;
  const given = Object.entries({
    target,
    name,
    io,
    optimize,
    schedule,
    inputMode,
    streamAxis,
    hop,
    maxSram,
    maxExtraMacs,
    keepConstantChannels,
  }).filter(([, v]) => v !== undefined);
  return compile(await readModel(path), {
    ...Object.fromEntries(given),
    ...(frontEnd && { frontEnd }),
    file: basename(path),
  } as CompileOptions);
}

/** The raw bytes of each input. `standard` stands in where no --input is given. */
export function readSources(
  { program }: Compilation,
  { input, mean, scale }: SourceOptions,
  standard: readonly string[] = [],
): Promise<Uint8Array[]> {
  const options: InputOptions = {
    ...(mean !== undefined && { mean }),
    ...(scale !== undefined && { scale }),
  };
  return readInputs(program.inputs, input ?? standard, options);
}

/**
 * What an executor runs: one inference; over time, the frames of --input, or of a pattern that ends with a window after
 * the first. Without --input it is the pattern.
 */
export async function readSamples(compilation: Compilation, options: SourceOptions): Promise<Sample[]> {
  const { program } = compilation;
  if (program.sliding === undefined) return [await readSources(compilation, options, ['pattern'])];
  const { windowFrames, hopFrames } = program.sliding;
  const [source = 'pattern', ...others] = options.input ?? [];
  if (others.length > 0) {
    fail('RV3002', `${others.length + 1} inputs are given, a model over time takes one`, {
      origin: '--input',
    });
  }
  const frames = await readFrames(program, source, windowFrames + hopFrames);
  return frames.map((frame) => [frame]);
}
