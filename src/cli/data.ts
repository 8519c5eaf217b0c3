/** The data of a command that learns or measures: a path, and for sounds what makes a network's input of them. */
import type { Command } from 'commander';
import { type FrontEnd, parseFrontEnd } from '../audio/front-end.ts';
import { fail } from '../core/diagnostics.ts';
import type { DataSource } from '../data/dataset.ts';
import { type DataOptions, openData } from '../data/open.ts';
import { readBytes } from '../run/files.ts';
import { count } from './output.ts';

export interface DataFlags {
  readonly data: string;
  readonly frontend?: string;
  readonly names?: string;
  readonly testSpeakers?: readonly string[];
}

export function addData(command: Command): Command {
  return command
    .requiredOption(
      '--data <dir>',
      'pictures in a folder for each class (train/ and test/ above them), IDX, .npy or CSV files; with --frontend sounds',
    )
    .option('--frontend <file>', 'a JSON file that says how sound becomes the input: --data has .wav files')
    .option(
      '--names <pattern>',
      'what names of sounds say, without their ending, e.g. {label}_{speaker}_{take}; default: folders are labels',
    )
    .option('--test-speakers <name,...>', 'test with these speakers, and train with the others', (text) =>
      text.split(','),
    );
}

/** What becomes of sounds, and what their names say; undefined for data of other kinds. */
export type SoundOptions = NonNullable<DataOptions['sounds']>;

/** @throws RivuletError RV1006, RV4007; RV3001 for options of sounds without a front-end */
export async function soundsOf({
  frontend,
  names,
  testSpeakers,
}: DataFlags): Promise<SoundOptions | undefined> {
  if (frontend !== undefined) {
    const frontEnd = await readFrontEnd(frontend);
    return { frontEnd, ...(names !== undefined && { names }), ...(testSpeakers && { testSpeakers }) };
  }
  const origin = Object.entries({ '--names': names, '--test-speakers': testSpeakers }).find(
    ([, v]) => v,
  )?.[0];
  if (origin === undefined) return undefined;
  return fail('RV3001', 'it is about sounds, and there is no --frontend', { origin });
}

/** @throws RivuletError RV1006, RV4007 */
export async function readFrontEnd(path: string): Promise<FrontEnd> {
  return parseFrontEnd(await readBytes(path, '--frontend'), path);
}

/**
 * Opens the data of a command.
 * @param pictures how those are read that a network takes, if it takes any
 * @param tell told now and then how far the decoding is
 */
export function openFlagged(
  { data }: DataFlags,
  sounds: SoundOptions | undefined,
  pictures: Pick<DataOptions, 'size' | 'channels'> | undefined,
  tell: (text: string) => void,
): Promise<DataSource> {
  const progress = (done: number, all: number): void => {
    if (done % REPORT_EVERY === 0) tell(`data: ${count(done)} of ${count(all)} read`);
  };
  return openData(data, { ...pictures, ...(sounds && { sounds }), progress });
}

/** A multiple of the items that are decoded at once. */
const REPORT_EVERY = 640;
