/** A folder of pictures as a list: one folder a class, at the top or below train/ and test/. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, fail, warningDiagnostic } from '../core/diagnostics.ts';
import { few } from './dataset.ts';

export interface PictureFile {
  /** From the folder of the data set on, with `/` between the parts. */
  readonly path: string;
  readonly label: number;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface PictureList {
  /** Names of the class folders, sorted. */
  readonly classes: readonly string[];
  readonly train: readonly PictureFile[];
  readonly test: readonly PictureFile[] | undefined;
  readonly warnings: readonly Diagnostic[];
}

const PICTURE = /\.(?:jpe?g|png)$/i;
/** Larger files are no pictures for a microcontroller, and are reported as unreadable. */
const MAX_BYTES = 1 << 26;

/**
 * Lists the pictures of a data set, sorted by class and name.
 * @throws RivuletError RV1006, RV4001 (no classes, or folders that are neither train nor test), RV4004 (a class that has no
 * pictures for training)
 */
export function listPictures(root: string): PictureList {
  const top = foldersIn(root);
  if (!top.includes('train')) {
    const { files, others } = filesOf(root, '', top, top);
    return { classes: top, train: files, test: undefined, warnings: othersWarning(others, root) };
  }
  const strangers = top.filter((name) => name !== 'train' && name !== 'test');
  if (strangers.length > 0) {
    fail('RV4001', `beside train and test there are ${few(strangers)}`, {
      origin: root,
      hint: 'classes are folders in train and test; take away what is neither',
    });
  }
  const classes = foldersIn(join(root, 'train'));
  const train = filesOf(root, 'train/', classes, classes);
  if (!top.includes('test')) {
    return { classes, train: train.files, test: undefined, warnings: othersWarning(train.others, root) };
  }
  const tested = foldersIn(join(root, 'test'));
  const unknown = tested.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    fail('RV4004', `classes that train does not have: ${few(unknown)}`, { origin: join(root, 'test') });
  }
  const test = filesOf(root, 'test/', tested, classes);
  const warnings = othersWarning([...train.others, ...test.others], root);
  return { classes, train: train.files, test: test.files, warnings };
}

interface Files {
  readonly files: readonly PictureFile[];
  /** Paths of what is no picture. */
  readonly others: readonly string[];
}

function filesOf(
  root: string,
  prefix: string,
  folders: readonly string[],
  classes: readonly string[],
): Files {
  const [files, others]: [PictureFile[], string[]] = [[], []];
  for (const folder of folders) {
    for (const entry of entriesIn(join(root, prefix, folder))) {
      const path = `${prefix}${folder}/${entry.name}`;
      // Links to pictures are pictures.
      const status = PICTURE.test(entry.name)
        ? statSync(join(root, path), { throwIfNoEntry: false })
        : undefined;
      if (!status?.isFile() || status.size > MAX_BYTES) others.push(path);
      else {
        files.push({ path, label: classes.indexOf(folder), bytes: status.size, modifiedMs: status.mtimeMs });
      }
    }
  }
  return { files, others };
}

function othersWarning(others: readonly string[], origin: string): Diagnostic[] {
  if (others.length === 0) return [];
  const what = `${others.length} files that are no pictures (.jpg, .png) are left out: ${few(others)}`;
  return [warningDiagnostic('RV4002', what, { origin })];
}

function foldersIn(folder: string): string[] {
  return entriesIn(folder)
    .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name))))
    .map(({ name }) => name);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Sorted by name, in the same order everywhere; hidden ones are left out. */
function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  } catch (error) {
    return fail('RV1006', `it cannot be listed: ${(error as Error).message}`, { origin: folder });
  }
}
