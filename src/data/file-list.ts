/** A folder of files as a list of items: one folder a class, at the top or below train/ and test/. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, fail, warningDiagnostic } from '../core/diagnostics.ts';
import { few } from './dataset.ts';

export interface ItemFile {
  /** From the folder of the data set on, with `/` between the parts. */
  readonly path: string;
  readonly label: number;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface FileList {
  /** Names of the class folders, sorted. */
  readonly classes: readonly string[];
  readonly train: readonly ItemFile[];
  readonly test: readonly ItemFile[] | undefined;
  readonly warnings: readonly Diagnostic[];
}

/** Which files are items. */
export interface FileKind {
  readonly pattern: RegExp;
  /** In the plural, for diagnostics: `pictures (.jpg, .png)`. */
  readonly name: string;
}

/** Larger files are no items for a microcontroller, and are reported as none. */
const MAX_BYTES = 1 << 26;

/**
 * Lists the items of a data set, sorted by class and name.
 * @throws RivuletError RV1006, RV4001 (no classes, or folders that are neither train nor test), RV4004 (a class that has no
 * items for training)
 */
export function listClasses(root: string, kind: FileKind): FileList {
  const top = foldersIn(root);
  if (!top.includes('train')) {
    const { files, others } = filesOf(root, '', top, top, kind);
    const warnings = [...othersWarning(others, kind, root), ...straysWarning(root, [''], kind)];
    return { classes: top, train: files, test: undefined, warnings };
  }
  const strangers = top.filter((name) => name !== 'train' && name !== 'test');
  if (strangers.length > 0) {
    fail('RV4001', `beside train and test there are ${few(strangers)}`, {
      origin: root,
      hint: 'classes are folders in train and test; take away what is neither',
    });
  }
  const classes = foldersIn(join(root, 'train'));
  const train = filesOf(root, 'train/', classes, classes, kind);
  if (!top.includes('test')) {
    return {
      classes,
      train: train.files,
      test: undefined,
      warnings: [...othersWarning(train.others, kind, root), ...straysWarning(root, ['', 'train/'], kind)],
    };
  }
  const tested = foldersIn(join(root, 'test'));
  const unknown = tested.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    fail('RV4004', `classes that train does not have: ${few(unknown)}`, { origin: join(root, 'test') });
  }
  const test = filesOf(root, 'test/', tested, classes, kind);
  const warnings = [
    ...othersWarning([...train.others, ...test.others], kind, root),
    ...straysWarning(root, ['', 'train/', 'test/'], kind),
  ];
  return { classes, train: train.files, test: test.files, warnings };
}

interface Files {
  readonly files: readonly ItemFile[];
  /** Paths of what is no item. */
  readonly others: readonly string[];
}

function filesOf(
  root: string,
  prefix: string,
  folders: readonly string[],
  classes: readonly string[],
  kind: FileKind,
): Files {
  const [files, others]: [ItemFile[], string[]] = [[], []];
  for (const folder of folders) {
    for (const { name } of entriesIn(join(root, prefix, folder))) {
      const path = `${prefix}${folder}/${name}`;
      const item = itemAt(root, path, classes.indexOf(folder), kind);
      if (item === undefined) others.push(path);
      else files.push(item);
    }
  }
  return { files, others };
}

/** The file at a path, unless it is of another kind, no file, or too large. Links to files are files. */
export function itemAt(
  root: string,
  path: string,
  label: number,
  { pattern }: FileKind,
): ItemFile | undefined {
  const status = pattern.test(path) ? statSync(join(root, path), { throwIfNoEntry: false }) : undefined;
  if (!status?.isFile() || status.size > MAX_BYTES) return undefined;
  return { path, label, bytes: status.size, modifiedMs: status.mtimeMs };
}

export function othersWarning(others: readonly string[], { name }: FileKind, origin: string): Diagnostic[] {
  if (others.length === 0) return [];
  const what = `${others.length} files that are no ${name} are left out: ${few(others)}`;
  return [warningDiagnostic('RV4002', what, { origin })];
}

/** Items that lie beside the folders of classes. */
function straysWarning(root: string, prefixes: readonly string[], kind: FileKind): Diagnostic[] {
  const strays = prefixes.flatMap((prefix) =>
    entriesIn(join(root, prefix))
      .map(({ name }) => `${prefix}${name}`)
      .filter((path) => itemAt(root, path, 0, kind) !== undefined),
  );
  if (strays.length === 0) return [];
  const what = `${strays.length} ${kind.name} lie in the folder of no class and are left out: ${few(strays)}`;
  return [warningDiagnostic('RV4002', what, { origin: root })];
}

function foldersIn(folder: string): string[] {
  return entriesIn(folder)
    .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name))))
    .map(({ name }) => name);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Sorted by name, in the same order everywhere; hidden ones are left out. @throws RivuletError RV1006 */
export function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  } catch (error) {
    return fail('RV1006', `it cannot be listed: ${(error as Error).message}`, { origin: folder });
  }
}
