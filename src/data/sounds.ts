/** Data sets of sound: WAV files as clips of one length, whose features a front-end makes. */
import { readFileSync } from 'node:fs';
import { clipSamples, type FrontEnd, frameWidth } from '../audio/front-end.ts';
import { fitClip, resample } from '../audio/resample.ts';
import { readWav } from '../audio/wav.ts';
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { type DataSource, type Dataset, few } from './dataset.ts';
import { openDecoded } from './decoded.ts';
import {
  entriesIn,
  type FileKind,
  type FileList,
  type ItemFile,
  itemAt,
  listClasses,
  othersWarning,
} from './file-list.ts';
import { namesPattern } from './names.ts';

export interface SoundSetOptions {
  readonly frontEnd: FrontEnd;
  /**
   * What file names say, e.g. `{label}_{speaker}_{take}`, without the ending. Without {label}, labels are the folders that
   * files lie in.
   */
  readonly names?: string;
  /** Speakers whose sounds are for testing, none of them for training. */
  readonly testSpeakers?: readonly string[];
  /** Called now and then while files are decoded. */
  readonly progress?: (done: number, total: number) => void;
}

const SOUNDS: FileKind = { pattern: /\.wav$/i, name: 'sounds (.wav)' };

/**
 * Opens a folder of .wav files. Items are clips: int16 samples at the front-end's rate, as many as its frames take; what
 * cannot be read is left out and named in the warnings.
 * @throws RivuletError RV1006, RV3005, RV4001 to RV4005
 */
export async function openSounds(root: string, options: SoundSetOptions): Promise<DataSource> {
  const { frontEnd, progress } = options;
  const { rate } = frontEnd;
  const length = clipSamples(frontEnd);
  const list = listSounds(root, options);
  if (list.train.length + (list.test?.length ?? 0) === 0) {
    fail('RV4001', 'there are no sounds in it', {
      origin: root,
      hint: 'a data set is CLASS/NAME.wav, that below train/ and test/, or files whose names say what they are',
    });
  }
  const source = await openDecoded(root, list, {
    name: 'sounds',
    key: ['sounds', JSON.stringify([rate, length])],
    kind: 'sounds',
    decode: (path) => {
      const { rate: from, samples } = readWav(new Uint8Array(readFileSync(path)), path);
      return { shape: [length], bytes: asBytes(fitClip(resample(samples, from, rate), length)) };
    },
    values: (bytes) => new Int16Array(bytes.buffer),
    shapeHint: '',
    ...(progress && { progress }),
  });
  const asFeatures = (clips: Dataset): Dataset => ({
    ...clips,
    shape: [frontEnd.frames, frameWidth(frontEnd)],
    frontEnd,
  });
  return { ...source, train: asFeatures(source.train), test: source.test && asFeatures(source.test) };
}

function listSounds(root: string, { names, testSpeakers = [] }: SoundSetOptions): FileList {
  const pattern = names === undefined ? undefined : namesPattern(names);
  const labelled = names?.includes('{label}') ?? false;
  const list = labelled ? listNamed(root, pattern!) : listClasses(root, SOUNDS);
  if (testSpeakers.length === 0) return list;
  if (pattern === undefined || !names!.includes('{speaker}')) {
    fail('RV4001', 'speakers are for testing, but names do not say who speaks', {
      origin: root,
      hint: 'say where in a file name the speaker is, e.g. {label}_{speaker}_{take}',
    });
  }
  if (list.test !== undefined)
    fail('RV4001', 'speakers are for testing in a set that has a test of its own', { origin: root });
  return splitBySpeaker(root, list, pattern, testSpeakers);
}

/** Sounds of all classes in one folder. */
function listNamed(root: string, pattern: RegExp): FileList {
  const found = entriesIn(root).map(({ name }) => ({ name, label: pattern.exec(stem(name))?.groups?.label }));
  const isSound = ({ name, label }: (typeof found)[number]): boolean =>
    label !== undefined && itemAt(root, name, 0, SOUNDS) !== undefined;
  const classes = [...new Set(found.filter(isSound).map(({ label }) => label!))].sort();
  const files = found
    .filter(isSound)
    .map(({ name, label }) => itemAt(root, name, classes.indexOf(label!), SOUNDS)!);
  const others = found.filter((entry) => !isSound(entry)).map(({ name }) => name);
  const kind = { ...SOUNDS, name: 'sounds with a name of that form' };
  return { classes, train: files, test: undefined, warnings: othersWarning(others, kind, root) };
}

function splitBySpeaker(
  root: string,
  list: FileList,
  pattern: RegExp,
  testSpeakers: readonly string[],
): FileList {
  const speakerOf = ({ path }: ItemFile): string | undefined =>
    pattern.exec(stem(path.slice(path.lastIndexOf('/') + 1)))?.groups?.speaker;
  const known = list.train.filter((file) => speakerOf(file) !== undefined);
  const speakers = [...new Set(known.map((file) => speakerOf(file)!))].sort();
  const unknown = testSpeakers.filter((speaker) => !speakers.includes(speaker));
  if (unknown.length > 0) {
    fail('RV4001', `nobody is called ${few(unknown)}, but ${few(speakers)}`, { origin: root });
  }
  const nameless = list.train.filter((file) => speakerOf(file) === undefined).map(({ path }) => path);
  const isTest = (file: ItemFile): boolean => testSpeakers.includes(speakerOf(file)!);
  return {
    classes: list.classes,
    train: known.filter((file) => !isTest(file)),
    test: known.filter(isTest),
    warnings: [
      ...list.warnings,
      ...othersWarning(nameless, { ...SOUNDS, name: 'sounds whose name says who speaks' }, root),
    ],
  };
}

/** A file name without its ending. */
function stem(name: string): string {
  return name.replace(/\.\w+$/, '');
}
