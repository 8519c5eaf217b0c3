/** C that drives a model over time as an application does: one frame buffer, overwritten after every call. */

export interface PushedFrames {
  readonly frames: readonly Uint8Array[];
  /** The outputs after each frame; null where no window ends. */
  readonly outputs: readonly (readonly Uint8Array[] | null)[];
}

/**
 * A block that prints `NAME frame N` for the first frame after which the return value or an output is not as promised,
 * and `NAME misuse` if the API answers misuse otherwise. The stream is run twice in one arena, which is dirty at first:
 * outputs are copied out, then read where they lie.
 */
export function pushFrames(name: string, { frames, outputs }: PushedFrames): string[] {
  const sizes = outputs.find((tensors) => tensors !== null)!.map(({ length }) => length);
  const frameBytes = frames[0]!.length;
  const expected = outputs.flatMap((tensors) => (tensors === null ? [] : [tensors]));
  const copied = sizes.map((_, i) => `(void *)out_${i}, `).join('');
  const nowhere = sizes.map(() => 'NULL, ').join('');
  const wrong = (pointer: (i: number) => string): string =>
    sizes.map((bytes, i) => `memcmp(${pointer(i)}, expected_${i}[window], ${bytes}) != 0`).join(' || ');
  const pass = (arguments_: string, pointer: (i: number) => string): string[] => [
    `    wrong = ${name}_begin(&arena) != 0 ? 0 : -1;`,
    '    window = 0;',
    `    for (int i = 0; i < ${frames.length} && wrong < 0; ++i) {`,
    `      memcpy(frame, frames[i], ${frameBytes});`,
    `      const int ready = ${name}_push_frame((const void *)frame, ${arguments_}&arena);`,
    '      memset(frame, 0x5a, sizeof frame);',
    `      if (ready != completes[i] || (ready && (${wrong(pointer)}))) wrong = i;`,
    '      window += ready;',
    '    }',
    `    if (wrong >= 0) printf("${name} frame %d\\n", wrong);`,
  ];
  return [
    '  {',
    `    static ${name}_arena arena;`,
    `    static int frame[${Math.ceil(frameBytes / 4)}];`,
    ...sizes.map((bytes, i) => `    static int out_${i}[${Math.ceil(bytes / 4)}];`),
    `    static const unsigned char frames[][${frameBytes}] = {${frames.map(list).join(', ')}};`,
    `    static const char completes[] = {${outputs.map((tensors) => (tensors === null ? 0 : 1)).join(', ')}};`,
    ...sizes.map(
      (bytes, i) =>
        `    static const unsigned char expected_${i}[][${bytes}] = {${expected.map((tensors) => list(tensors[i]!)).join(', ')}};`,
    ),
    '    int wrong;',
    '    int window;',
    '    memset(&arena, 0xa5, sizeof arena);',
    `    if (${name}_begin(NULL) != -1 || ${name}_begin(&arena) != 0 ||`,
    `        ${name}_push_frame(NULL, ${nowhere}&arena) != -1 ||`,
    `        ${name}_push_frame((const void *)frame, ${nowhere}NULL) != -1) puts("${name} misuse");`,
    ...pass(copied, (i) => `out_${i}`),
    ...pass(nowhere, (i) => `${name.toUpperCase()}_OUTPUT_${i}(&arena)`),
    '  }',
  ];
}

function list(bytes: Uint8Array): string {
  return `{${[...bytes].join(',')}}`;
}
