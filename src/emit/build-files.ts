/** What surrounds the network in an emitted project: an example program and the files that build it. */
import { DTYPES } from '../core/dtype.ts';
import { banner, type EmitContext } from './context.ts';

/** main.c: one inference on a fixed pattern; prints the outputs as raw values. */
export function emitExampleMain(context: EmitContext): string {
  const { name, macro, program } = context;
  const pointers = new Array(program.inputs.length + program.outputs.length).fill('NULL').join(', ');
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
    '/* The byte pattern x = x * 1664525 + 1013904223 (mod 2^32), byte = x >> 24. */',
    'static void fill(int8_t *bytes, size_t count)',
    '{',
    '    uint32_t x = 1;',
    '    for (size_t i = 0; i < count; ++i) {',
    '        x = x * 1664525u + 1013904223u;',
    '        bytes[i] = (int8_t)(x >> 24);',
    '    }',
    '}',
    '',
    'int main(void)',
    '{',
    ...program.inputs.map((port, i) => {
      const input = `${macro}_INPUT_${i}`;
      // Bytes of a float pattern could be NaN: an application gives real values, the example gives zeros.
      return port.dtype === 'float32'
        ? `    for (size_t i = 0; i < ${input}_SIZE; ++i) {\n        ${input}(&arena)[i] = 0.0f;\n    }`
        : `    fill((int8_t *)${input}(&arena), ${input}_BYTES);`;
    }),
    `    if (${name}_run(${pointers}, &arena) != 0) {`,
    '        return 1;',
    '    }',
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
  ]
    .join('\n')
    .replace(/^static void fill[\s\S]*?^}\n\n/m, (text) =>
      program.inputs.some((port) => DTYPES[port.dtype].c !== 'float') ? text : '',
    );
}

export function emitMakefile(context: EmitContext): string {
  const { name } = context;
  const objects = [`${name}.o`, `${name}_kernels.o`, `${name}_weights.o`].join(' ');
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
    `$(OBJECTS) main.o: ${name}.h ${name}_kernels.h ${name}_weights.h rivulet.h`,
    '',
    'clean:',
    `\trm -f $(OBJECTS) main.o lib${name}.a ${name}_example`,
    '',
    '.PHONY: lib clean',
    '',
  ].join('\n');
}

export function emitCMakeLists(context: EmitContext): string {
  const { name } = context;
  return [
    `# ${context.provenance}`,
    'cmake_minimum_required(VERSION 3.13)',
    `project(${name} C)`,
    '',
    `add_library(${name} STATIC ${name}.c ${name}_kernels.c ${name}_weights.c)`,
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
