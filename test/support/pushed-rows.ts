/** C that drives rows mode as a line interrupt does: one row buffer, overwritten after every call. */
import type { EmittedCase } from './emitted.ts';

/** The rows of the only input of a project in rows mode. */
export interface PushedRows {
  readonly rows: number;
  readonly rowBytes: number;
}

/**
 * The body of a block in which `wrong` becomes non-zero if a pushed frame, or the API's answers to misuse, differ from
 * what is promised. The frame lies at `frame`; `out_0`, `out_1`, ... are filled with the outputs; `arena` is dirty.
 */
export function pushFrame(
  { name }: EmittedCase,
  { rows, rowBytes }: PushedRows,
  frame: string,
  outputs: readonly Uint8Array[],
): string[] {
  const pointers = outputs.map((_, i) => `(void *)out_${i}, `).join('');
  const nowhere = outputs.map(() => 'NULL, ').join('');
  const finish = `${name}_finish(${pointers}&arena)`;
  const push = `${name}_push_row((const void *)line, &arena)`;
  return [
    `    static int line[${Math.ceil(rowBytes / 4)}];`,
    `    wrong |= ${name}_begin(NULL) != -1 || ${name}_begin(&arena) != 0;`,
    `    for (int row = 0; row < ${rows}; ++row) {`,
    `      wrong |= ${finish} != -1;`,
    `      wrong |= ${name}_push_row(NULL, &arena) != -1;`,
    `      memcpy(line, (const char *)${frame} + row * ${rowBytes}, ${rowBytes});`,
    `      wrong |= ${push} != ${rows} - 1 - row;`,
    '      memset(line, 0x5a, sizeof line);',
    '    }',
    `    wrong |= ${push} != -1;`,
    `    wrong |= ${finish} != 0 || ${finish} != -1 || ${push} != -1;`,
    // A frame given up half-way, then one whose results are read where they lie.
    `    wrong |= ${name}_begin(&arena) != 0 || ${push} != ${rows} - 1;`,
    `    wrong |= ${name}_begin(&arena) != 0;`,
    `    for (int row = 0; row < ${rows}; ++row) {`,
    `      memcpy(line, (const char *)${frame} + row * ${rowBytes}, ${rowBytes});`,
    `      wrong |= ${push} != ${rows} - 1 - row;`,
    '    }',
    `    wrong |= ${name}_finish(${nowhere}&arena) != 0;`,
    ...outputs.map(
      (bytes, i) =>
        `    wrong |= memcmp(${name.toUpperCase()}_OUTPUT_${i}(&arena), out_${i}, ${bytes.length}) != 0;`,
    ),
  ];
}
