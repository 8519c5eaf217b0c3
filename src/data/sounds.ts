/** Data sets of sound: WAV files as clips of one length, and clips as features. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FeatureExtractor, featureReals } from '../audio/features.ts';
import { clipSamples, type FrontEnd, frameWidth, parseFrontEnd } from '../audio/front-end.ts';
import { fitClip, resample } from '../audio/resample.ts';
import { readWav } from '../audio/wav.ts';
import { fail } from '../core/diagnostics.ts';
import { asBytes } from '../core/dtype.ts';
import { type JsonDialect, parseJsonObject } from '../formats/json.ts';
import { readBytes } from '../run/files.ts';
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
  /** Speakers whose clips are for testing, none of them for training. */
  readonly heldOut?: readonly string[];
  /** Called now and then while files are decoded. */
  readonly progress?: (done: number, total: number) => void;
}

const SOUNDS: FileKind = { pattern: /\.wav$/i, name: 'sounds (.wav)' };

/**
 * Opens sounds as clips: int16 samples at the front-end's rate, as many as its frames take, [samples] of kind `reals`.
 * @throws RivuletError RV1006, RV3005, RV4001 to RV4005
 */
export async function openClips(root: string, options: SoundSetOptions): Promise<DataSource> {
  const { frontEnd, progress } = options;
  const { rate } = frontEnd;
  const length = clipSamples(frontEnd);
  const list = listSounds(root, options);
  if (list.train.length + (list.test?.length ?? 0) === 0) {
    fail('RV4001', 'there are no sounds in it', {
      origin: root,
      hint: 'a data set is CLASS/NAME.wav, or see docs/audio.md',
    });
  }
  return openDecoded(root, list, {
    name: 'sounds',
    key: ['sounds', JSON.stringify([rate, length])],
    kind: 'reals',
    decode: (path) => {
      const { rate: from, samples } = readWav(new Uint8Array(readFileSync(path)), path);
      return { shape: [length], bytes: asBytes(fitClip(resample(samples, from, rate), length)) };
    },
    values: (bytes) => Float32Array.from(new Int16Array(bytes.buffer)),
    shapeHint: '',
    ...(progress && { progress }),
  });
}

/** Clips as features: [frames, bands or coefficients], natural logarithms or coefficients of them, of kind `reals`. */
export function featuresOf(clips: Dataset, frontEnd: FrontEnd): Dataset {
  const extractor = new FeatureExtractor(frontEnd);
  return {
    ...clips,
    shape: [frontEnd.frames, frameWidth(frontEnd)],
    item: (index) => {
      const { values, label } = clips.item(index);
      return { values: featureReals(extractor.clip(Int16Array.from(values))), label };
    },
  };
}

/** Opens sounds as features. @throws RivuletError as `openClips` */
export async function openSounds(root: string, options: SoundSetOptions): Promise<DataSource> {
  const source = await openClips(root, options);
  return {
    ...source,
    train: featuresOf(source.train, options.frontEnd),
    test: source.test && featuresOf(source.test, options.frontEnd),
  };
}

const DIALECT: JsonDialect = { code: 'RV4001', maxBytes: 1 << 20 };

/**
 * Opens the sounds that a JSON file describes: `folder` and `frontEnd` (a file), both from where it lies; `names` and
 * `heldOut` as in `SoundSetOptions`.
 * @throws RivuletError RV4001, RV4007, and as `openClips`
 */
export async function openSoundFile(
  path: string,
  progress?: SoundSetOptions['progress'],
): Promise<DataSource> {
  const json = parseJsonObject(await readBytes(path, path), DIALECT, path);
  const beside = (key: string): string => join(dirname(path), json.text(key));
  const unknown = json.keys().find((key) => !['folder', 'frontEnd', 'names', 'heldOut'].includes(key));
  if (unknown !== undefined)
    json.refuse(unknown, 'there is no such field, but folder, frontEnd, names and heldOut');
  const frontEnd = beside('frontEnd');
  return openSounds(beside('folder'), {
    frontEnd: parseFrontEnd(await readBytes(frontEnd, `${path}: frontEnd`), frontEnd),
    ...(json.has('names') && { names: json.text('names') }),
    ...(json.has('heldOut') && { heldOut: json.texts('heldOut') }),
    ...(progress && { progress }),
  });
}

function listSounds(root: string, { names, heldOut = [] }: SoundSetOptions): FileList {
  const pattern = names === undefined ? undefined : namesPattern(names);
  const labelled = names?.includes('{label}') ?? false;
  const list = labelled ? listNamed(root, pattern!) : listClasses(root, SOUNDS);
  if (heldOut.length === 0) return list;
  if (pattern === undefined || !names!.includes('{speaker}')) {
    fail('RV4001', 'speakers are held out, but names do not say who speaks', {
      origin: root,
      hint: 'say where in a file name the speaker is, e.g. {label}_{speaker}_{take}',
    });
  }
  if (list.test !== undefined)
    fail('RV4001', 'speakers are held out of a set that has a test of its own', { origin: root });
  return holdOut(root, list, pattern, heldOut);
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

function holdOut(root: string, list: FileList, pattern: RegExp, heldOut: readonly string[]): FileList {
  const speakerOf = ({ path }: ItemFile): string | undefined =>
    pattern.exec(stem(path.slice(path.lastIndexOf('/') + 1)))?.groups?.speaker;
  const known = list.train.filter((file) => speakerOf(file) !== undefined);
  const speakers = [...new Set(known.map((file) => speakerOf(file)!))].sort();
  const unknown = heldOut.filter((speaker) => !speakers.includes(speaker));
  if (unknown.length > 0) {
    fail('RV4001', `nobody is called ${few(unknown)}, but ${few(speakers)}`, { origin: root });
  }
  const nameless = list.train.filter((file) => speakerOf(file) === undefined).map(({ path }) => path);
  const isHeld = (file: ItemFile): boolean => heldOut.includes(speakerOf(file)!);
  return {
    classes: list.classes,
    train: known.filter((file) => !isHeld(file)),
    test: known.filter(isHeld),
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
