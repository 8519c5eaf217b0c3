import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { fail } from '../core/diagnostics.ts';
import { writeTflite } from '../formats/tflite/writer.ts';
import { costOf, type ZooCost } from '../zoo/layers.ts';
import { findNetwork, zooModel } from '../zoo/model.ts';
import { ZOO, type ZooNetwork } from '../zoo/networks.ts';
import { addJson } from './model.ts';
import { bytes, count, EXIT, printable, type Result, table } from './output.ts';

interface Options {
  readonly output?: string;
  readonly seed: number;
}

interface ZooEntry extends ZooCost, Pick<ZooNetwork, 'name' | 'description' | 'resolution' | 'classes'> {
  /** By the authors' own count, in millions. */
  readonly published: ZooNetwork['published'];
}

export function addZoo(program: Command, deliver: (result: Result) => void): void {
  addJson(program.command('zoo'))
    .argument('[name]', 'the network to write; without it, all are listed')
    .option('-o, --output <file>', 'the .tflite file to write')
    .option('--seed <number>', 'of the weights', parseSeed, 1)
    .summary('published networks as models, with seeded weights')
    .description(
      'Writes MobileNetV2 or an MCUNet network as an int8 TFLite model: layers, MACs and sizes are the published ones, the weights are not trained.',
    )
    .action(async (name: string | undefined, { output, seed }: Options) => {
      if (name === undefined) {
        if (output !== undefined) fail('RV3001', 'which network to write is not said', { origin: '-o' });
        const networks = ZOO.map(entryOf);
        deliver({ document: { networks }, text: `${describe(networks)}\n`, exitCode: EXIT.ok });
        return;
      }
      const network = entryOf(findNetwork(name));
      const written = output === undefined ? null : await write(name, seed, output);
      deliver({
        document: { network, written },
        text: [
          describe([network]),
          ...(written === null ? [] : ['', `${bytes(written.bytes)} are in ${printable(written.file)}`]),
          '',
        ].join('\n'),
        exitCode: EXIT.ok,
      });
    });
}

async function write(
  name: string,
  seed: number,
  file: string,
): Promise<{ file: string; seed: number; bytes: number }> {
  const model = writeTflite(zooModel(name, seed));
  try {
    await writeFile(file, model);
  } catch (error) {
    fail('RV3005', `the model cannot be written: ${(error as Error).message}`, {
      origin: `-o ${file}`,
      hint: 'name a file in a folder that exists and can be written to',
    });
  }
  return { file, seed, bytes: model.length };
}

function entryOf(network: ZooNetwork): ZooEntry {
  const { name, description, resolution, classes, published } = network;
  return { name, description, resolution, classes, ...costOf(network), published };
}

function describe(networks: readonly ZooEntry[]): string {
  return table(
    [
      { title: 'network' },
      { title: 'image' },
      { title: 'classes', right: true },
      { title: 'MACs', right: true },
      { title: 'parameters', right: true },
      { title: 'description' },
    ],
    networks.map(({ name, description, resolution, classes, macs, parameters }) => [
      name,
      `${resolution}x${resolution}x3`,
      count(classes),
      count(macs),
      count(parameters),
      description,
    ]),
  );
}

function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seed < 2 ** 32)) throw new InvalidArgumentError(`"${text}" is not an integer below 2^32.`);
  return seed;
}
