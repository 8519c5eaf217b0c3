/** train.csv and test.csv: a sample a line, its class first, then values from 0 to 255, as many as the network takes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { splitOf } from './arrays.ts';
import type { FoundSet, ImageSize, Split } from './dataset.ts';

/** @throws RivuletError RV4002 with file and line of what is wrong */
export async function readCsvSet(
  folder: string,
  names: readonly string[],
  size: ImageSize,
): Promise<FoundSet | null> {
  if (!names.includes('train.csv')) return null;
  const train = parse(await readFile(join(folder, 'train.csv'), 'utf8'), size, join(folder, 'train.csv'));
  const test = names.includes('test.csv')
    ? parse(await readFile(join(folder, 'test.csv'), 'utf8'), size, join(folder, 'test.csv'))
    : null;
  const classes = [...new Set(train.names)].sort();
  const stray = test?.names.find((name) => !classes.includes(name));
  if (stray !== undefined)
    fail('RV4002', `there is no class "${stray}" to train`, { origin: join(folder, 'test.csv') });
  const split = ({ values, names }: Parsed): Split =>
    splitOf(
      values,
      size,
      names.map((name) => classes.indexOf(name)),
      size,
    );
  return {
    classes,
    train: split(train),
    test: test && split(test),
    identity: JSON.stringify([folder, 'csv', train.names.length, test?.names.length ?? 0]),
  };
}

interface Parsed {
  readonly names: readonly string[];
  readonly values: Uint8Array;
}

function parse(text: string, size: ImageSize, path: string): Parsed {
  const wanted = size.reduce((product, n) => product * n, 1);
  const lines = text.split(/\r?\n/);
  // A line of titles has no number behind its first comma.
  const first = Number.isNaN(Number(lines[0]?.split(',')[1])) ? 1 : 0;
  const rows = lines
    .map((line, i) => ({ line, number: i + 1 }))
    .slice(first)
    .filter(({ line }) => line.trim() !== '');
  const values = new Uint8Array(rows.length * wanted);
  const names = rows.map(({ line, number }, row) => {
    const [name = '', ...cells] = line.split(',').map((cell) => cell.trim());
    const origin = `${path}, line ${number}`;
    if (cells.length !== wanted)
      fail('RV4002', `${cells.length} values where the network takes ${wanted}`, { origin });
    cells.forEach((cell, i) => {
      const value = Number(cell);
      if (cell === '' || !(value >= 0 && value <= 255))
        fail('RV4002', `value ${i + 1} is "${cell}", not from 0 to 255`, { origin });
      values[row * wanted + i] = Math.round(value);
    });
    return name;
  });
  return { names, values };
}
