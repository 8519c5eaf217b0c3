/** What surrounds the network in an emitted project: an example program and the files that build it. */
import { DTYPES, type DType } from '../core/dtype.ts';
import { pushCall } from '../program/types.ts';
import { banner, type EmitContext } from './context.ts';

/** main.c: one inference on a fixed pattern; prints the outputs as raw values. */
export function emitExampleMain(context: EmitContext): string {
  const { name, macro, program } = context;
  const example = program.sliding ? frameExample : pushCall(program) ? pushExample : runExample;
  return [
    banner(
      context,
      `Example: one inference of ${name} on a repeatable pattern; replace the pattern with real input.`,
    ),
    '#include <stdio.h>',
    '',
    `#include "${name}.h"`,
    '',
    `static ${name}_arena arena;`,
    '',
    ...(program.inputs.some((port) => port.dtype !== 'float32') ? FILL : []),
    'int main(void)',
    '{',
    ...example(context),
    ...program.outputs.flatMap((port, i) => {
      const output = `${macro}_OUTPUT_${i}`;
      const [format, cast] = port.dtype === 'float32' ? ['%g', '(double)'] : ['%d', '(int)'];
      return [
        `    printf("%s:", ${output}_NAME);`,
        `    for (size_t i = 0; i < ${output}_SIZE; ++i) {`,
        `        printf(" ${format}", ${cast}${output}(&arena)[i]);`,
        '    }',
        '    printf("\\n");',
      ];
    }),
    '    return 0;',
    '}',
    '',
  ].join('\n');
}

const FILL = [
  '/* The byte pattern x = x * 1664525 + 1013904223 (mod 2^32), byte = x >> 24. */',
  'static void fill(int8_t *bytes, size_t count)',
  '{',
  '    static uint32_t x = 1;',
  '    for (size_t i = 0; i < count; ++i) {',
  '        x = x * 1664525u + 1013904223u;',
  '        bytes[i] = (int8_t)(x >> 24);',
  '    }',
  '}',
  '',
];

/** C that fills `target`, `count` elements. Bytes of a pattern could be NaN as floats, so the example gives zeros. */
function fillLines(dtype: DType, target: string, count: string, bytes: string): string[] {
  return dtype === 'float32'
    ? [`for (size_t i = 0; i < ${count}; ++i) {`, `    ${target}[i] = 0.0f;`, '}']
    : [`fill((int8_t *)${target}, ${bytes});`];
}

function runExample({ name, macro, program }: EmitContext): string[] {
  const pointers = new Array(program.inputs.length + program.outputs.length).fill('NULL').join(', ');
  return [
    ...program.inputs.flatMap((port, i) => {
      const input = `${macro}_INPUT_${i}`;
      return fillLines(port.dtype, `${input}(&arena)`, `${input}_SIZE`, `${input}_BYTES`).map(
        (line) => `    ${line}`,
      );
    }),
    `    if (${name}_run(${pointers}, &arena) != 0) {`,
    '        return 1;',
    '    }',
  ];
}

function pushExample({ name, macro, program }: EmitContext): string[] {
  const { dtype } = program.inputs[0]!;
  const input = `${macro}_INPUT_0`;
  const elements = `${input}_ROW_BYTES / sizeof(${DTYPES[dtype].c})`;
  return [
    `    static ${DTYPES[dtype].c} row[${elements}];`,
    '    int expected;',
    '',
    `    ${name}_begin(&arena);`,
    '    do {',
    ...fillLines(dtype, 'row', elements, `${input}_ROW_BYTES`).map((line) => `        ${line}`),
    `        expected = ${name}_push_row(row, &arena);`,
    '    } while (expected > 0);',
    `    if (${name}_finish(${['NULL, '.repeat(program.outputs.length)]}&arena) != 0) {`,
    '        return 1;',
    '    }',
  ];
}

/** As many frames as it takes for one window. */
function frameExample({ name, macro, program }: EmitContext): string[] {
  const { dtype } = program.inputs[0]!;
  const input = `${macro}_INPUT_0`;
  return [
    `    static ${DTYPES[dtype].c} frame[${input}_SIZE];`,
    '    int ready;',
    '',
    `    ${name}_begin(&arena);`,
    '    do {',
    ...fillLines(dtype, 'frame', `${input}_SIZE`, `${input}_BYTES`).map((line) => `        ${line}`),
    `        ready = ${name}_push_frame(frame, ${'NULL, '.repeat(program.outputs.length)}&arena);`,
    '    } while (ready == 0);',
    '    if (ready < 0) {',
    '        return 1;',
    '    }',
  ];
}

/** @param sources the project's C files without main.c and without their endings */
export function emitMakefile(context: EmitContext, sources: readonly string[]): string {
  const { name } = context;
  const objects = sources.map((source) => `${source}.o`).join(' ');
  return [
    `# ${name}: "make" builds the example for this machine, "make lib CC=arm-none-eabi-gcc AR=arm-none-eabi-ar`,
    `# CFLAGS='-mcpu=cortex-m4 -mthumb -O2'" the library for a microcontroller.`,
    `# ${context.provenance}`,
    'CFLAGS ?= -O2',
    'CFLAGS += -std=c99 -Wall -Wextra -Wconversion -Wshadow',
    `OBJECTS = ${objects}`,
    '',
    `${name}_example: main.o lib${name}.a`,
    '\t$(CC) $(CFLAGS) -o $@ $^',
    '',
    `lib: lib${name}.a`,
    '',
    `lib${name}.a: $(OBJECTS)`,
    '\t$(AR) rcs $@ $^',
    '',
    `$(OBJECTS) main.o: $(wildcard *.h)`,
    '',
    'clean:',
    `\trm -f $(OBJECTS) main.o lib${name}.a ${name}_example`,
    '',
    '.PHONY: lib clean',
    '',
  ].join('\n');
}

/** @param sources see `emitMakefile` */
export function emitCMakeLists(context: EmitContext, sources: readonly string[]): string {
  const { name } = context;
  return [
    `# ${context.provenance}`,
    'cmake_minimum_required(VERSION 3.13)',
    `project(${name} C)`,
    '',
    `add_library(${name} STATIC ${sources.map((source) => `${source}.c`).join(' ')})`,
    `target_include_directories(${name} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})`,
    `set_target_properties(${name} PROPERTIES C_STANDARD 99)`,
    '',
    `option(${context.macro}_EXAMPLE "Build the example program" ON)`,
    `if(${context.macro}_EXAMPLE AND NOT CMAKE_CROSSCOMPILING)`,
    `  add_executable(${name}_example main.c)`,
    `  target_link_libraries(${name}_example ${name})`,
    'endif()',
    '',
  ].join('\n');
}
