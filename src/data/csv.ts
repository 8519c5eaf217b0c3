/** Tables of numbers with a label in each row: comma, semicolon or tab between fields, quotes as in RFC 4180. */
import { fail } from '../core/diagnostics.ts';
import { readBytes } from '../run/files.ts';
import { type DataSource, type Dataset, datasetOf, few, finishSource, requireSameShape } from './dataset.ts';

export interface CsvTable {
  readonly rows: readonly (readonly string[])[];
  /** Line of the file in which each row begins, from 1. */
  readonly lines: readonly number[];
}

const SEPARATORS = [',', ';', '\t'] as const;

/** Splits text into rows of fields; the separator is the one that the first line has most of. Empty lines are left out. */
export function parseCsv(text: string): CsvTable {
  const first = text.slice(0, /[\r\n]|$/.exec(text)!.index);
  const [separator = ','] = SEPARATORS.toSorted((a, b) => first.split(b).length - first.split(a).length);
  const field = new RegExp(
    `(?:"((?:[^"]|"")*)"|(?!")([^${separator}\\r\\n]*))(${separator}|\\r\\n|\\r|\\n|$)`,
    'y',
  );
  const [rows, lines]: [string[][], number[]] = [[], []];
  let [row, line, began]: [string[], number, number] = [[], 1, 1];
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at <= text.length; ) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) throw new SyntaxError(`line ${line}: a quote is not closed, or text follows it`);
    const [all, quoted, plain, end] = match;
    row.push((quoted?.replaceAll('""', '"') ?? plain!).trim());
    line += all.match(/\r\n|\r|\n/g)?.length ?? 0;
    at += all.length;
    if (end === separator) continue;
    if (row.length > 1 || row[0] !== '') {
      rows.push(row);
      lines.push(began);
    }
    [row, began] = [[], line];
    if (end === '') break;
  }
  return { rows, lines };
}

/**
 * Opens tables; labels may be any text, and classes are sorted by number if all are numbers.
 * @param label the column of the labels: its name, or its position from 0. Default 0
 * @throws RivuletError RV1006, RV4001 to RV4005
 */
export async function openCsv(
  train: string,
  test: string | undefined,
  label: string | number = 0,
): Promise<DataSource> {
  const read = await readTable(train, label);
  const numeric = read.labels.every(isNumber);
  const classes = [...new Set(read.labels)].sort((a, b) =>
    numeric ? Number(a) - Number(b) : a < b ? -1 : Number(a > b),
  );
  const tested = test === undefined ? undefined : labelled(await readTable(test, label), classes, test);
  const trained = labelled(read, classes, train);
  requireSameShape(trained, tested, test ?? train);
  return finishSource(trained, tested, train, [], () => undefined);
}

interface Table {
  readonly labels: readonly string[];
  readonly features: number;
  readonly values: Float32Array;
}

async function readTable(path: string, label: string | number): Promise<Table> {
  const table = await parse(path);
  const header = headerOf(table.rows[0] ?? [], label);
  const skipped = header === undefined ? 0 : 1;
  const [rows, lines] = [table.rows.slice(skipped), table.lines.slice(skipped)];
  const column = typeof label === 'number' ? label : (header?.indexOf(label) ?? -1);
  const width = (header ?? rows[0])?.length ?? 0;
  if (!(Number.isInteger(column) && column >= 0 && column < width)) {
    const columns = header === undefined ? `${width} columns without names` : `the columns ${few(header)}`;
    fail('RV4001', `there is no column ${JSON.stringify(label)} with labels, but ${columns}`, {
      origin: path,
    });
  }
  if (width < 2) fail('RV4001', 'there is no column beside that of the labels', { origin: path });
  const values = new Float32Array(rows.length * (width - 1));
  const wrong: string[] = [];
  let at = 0;
  for (const [i, row] of rows.entries()) {
    const problem = row.length === width ? undefined : `${row.length} fields instead of ${width}`;
    const before = wrong.length;
    if (problem !== undefined) wrong.push(`line ${lines[i]}: ${problem}`);
    for (const [c, text] of row.entries()) {
      if (wrong.length > before) break;
      if (c === column) {
        if (text === '') wrong.push(`line ${lines[i]}: no label`);
      } else if (isNumber(text)) values[at++] = Number(text);
      else wrong.push(`line ${lines[i]}, column ${c + 1}: ${text === '' ? 'nothing' : text.slice(0, 40)}`);
    }
  }
  if (wrong.length > 0) {
    fail(
      'RV4002',
      `${wrong.length} of ${rows.length} rows are not finite numbers and a label: ${few(wrong)}`,
      {
        origin: path,
      },
    );
  }
  return { labels: rows.map((row) => row[column]!), features: width - 1, values };
}

/** The first row, if it is one of names: a column is asked for by its name, or no field beside the label is a number. */
function headerOf(first: readonly string[], label: string | number): readonly string[] | undefined {
  const named = first.every((text, i) => i === label || isName(text));
  return typeof label === 'string' || named ? first : undefined;
}

async function parse(path: string): Promise<CsvTable> {
  const bytes = await readBytes(path, path);
  try {
    return parseCsv(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return fail('RV4002', `it is not a table: ${(error as Error).message}`, { origin: path });
  }
}

function labelled({ labels, features, values }: Table, classes: readonly string[], origin: string): Dataset {
  const byName = new Map(classes.map((name, index) => [name, index]));
  const unknown = [...new Set(labels)].filter((name) => !byName.has(name));
  if (unknown.length > 0) {
    fail('RV4004', `labels that no item for training has: ${few(unknown)}`, { origin });
  }
  const indices = Int32Array.from(labels, (name) => byName.get(name)!);
  return datasetOf({ kind: 'reals', shape: [features], values, labels: indices }, classes);
}

/** Whether a text may be the name of a column: a missing number is none. */
function isName(text: string): boolean {
  return !isNumber(text) && !/^(?:[-+]?(?:nan|inf|infinity)|null|none|na|n\/a|\?|)$/i.test(text);
}

/** Whether a text is a number that float32 holds. */
function isNumber(text: string): boolean {
  return text !== '' && Number.isFinite(Math.fround(Number(text)));
}
