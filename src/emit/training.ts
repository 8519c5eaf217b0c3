/** The functions of a program that trains: inference, and a step of training on one labelled image. */
import { DTYPES } from '../core/dtype.ts';
import { segmentsOf } from '../program/segments.ts';
import { inferenceCalls, type Port, type Program, pushCall } from '../program/types.ts';
import type { EmitContext } from './context.ts';

/** The member of NAME_arena that counts steps, and its bytes. */
export const STEPS_MEMBER = '    int32_t steps;               /* taken since reset */';
export const STEPS_BYTES = 4;

/** Inputs of a training program by what they are. */
export function trainingInputs({ inputs }: Program): {
  image: Port;
  label: Port;
  rate: Port;
  apply: Port | undefined;
} {
  const [image, label, rate, apply] = inputs as [Port, Port, Port, Port | undefined];
  return { image, label, rate, apply };
}

/** Segments of the schedule: the inference, and what a step has beyond it. */
export function segmentCounts({ program, plan }: EmitContext): { inference: number; all: number } {
  const segments = segmentsOf(program.calls, plan.schedule);
  const first = inferenceCalls(program);
  return { inference: segments.filter(({ calls }) => calls[0]! < first).length, all: segments.length };
}

/** Macros and prototypes for NAME.h. */
export function trainingPrototypes(context: EmitContext): string[] {
  const { name, macro, program } = context;
  const { classes, batch } = program.training!;
  const { c } = DTYPES[program.inputs[0]!.dtype];
  const arena = `${name}_arena *memory`;
  const every = batch === 1 ? 'each' : `every ${batch}th`;
  return [
    `#define ${macro}_CLASSES ${classes}`,
    `#define ${macro}_BATCH ${batch}`,
    '',
    '/*',
    ` * ${name}_run: an inference with the parameters as they are. The output, logits, may be NULL: read ${macro}_OUTPUT_0(arena).`,
    ` * ${name}_train_step: an inference, its loss (cross-entropy), gradients, and after ${every} image new parameters.`,
    ' * rate is the learning rate; 0 leaves all as it is. loss may be NULL.',
    ' * 0: done. -1: a pointer is missing. -2: label is not a class. -3: rate is negative or not a number. Nothing is changed then.',
    ' */',
    `int ${name}_run(const ${c} *input_0, int8_t *output_0, ${arena});`,
    `int ${name}_train_step(const ${c} *input_0, int32_t label, float rate, float *loss, ${arena});`,
    '',
    ...(pushCall(program)
      ? [
          `/* Instead of ${name}_finish, after the last row has been pushed: a step of training; returns as ${name}_train_step does. */`,
          `int ${name}_finish_step(int32_t label, float rate, float *loss, ${arena});`,
          '',
        ]
      : []),
  ];
}

/** A step on what the inference has left in the arena: `lines` are the gradients and updates. */
export function emitStep(context: EmitContext, lines: readonly string[]): string[] {
  const { name, plan, program } = context;
  const { label, rate, apply } = trainingInputs(program);
  const loss = program.outputs[1]!;
  const at = (port: Port): string => `memory->bytes + ${plan.addresses[port.buffer]}`;
  const { classes, batch } = program.training!;
  return [
    `static int ${name}_check_step(int32_t label, float rate)`,
    '{',
    `    if (label < 0 || label >= ${classes}) {`,
    '        return -2;',
    '    }',
    '    return rate >= 0.0f && rate <= 1.0e30f ? 0 : -3;',
    '}',
    '',
    `static void ${name}_set_step(int32_t label, float rate, ${name}_arena *memory)`,
    '{',
    `    memcpy(${at(label)}, &label, sizeof label);`,
    `    memcpy(${at(rate)}, &rate, sizeof rate);`,
    ...(apply === undefined
      ? []
      : [
          `    const int32_t apply = (memory->steps + 1) % ${batch} == 0;`,
          `    memcpy(${at(apply)}, &apply, sizeof apply);`,
        ]),
    '}',
    '',
    `static void ${name}_learn(float *loss, ${name}_arena *memory)`,
    '{',
    '    int8_t *arena = memory->bytes;',
    '',
    ...lines,
    '    ++memory->steps;',
    '    if (loss != NULL) {',
    `        memcpy(loss, arena + ${plan.addresses[loss.buffer]}, sizeof *loss);`,
    '    }',
    '}',
    '',
  ];
}

/** NAME_run and NAME_train_step where the image lies in the arena. `inference` are the lines that run it. */
export function emitResidentTraining(context: EmitContext, inference: readonly string[]): string[] {
  const { name, plan, program } = context;
  const { image } = trainingInputs(program);
  const { c } = DTYPES[image.dtype];
  const place = `memory->bytes + ${plan.addresses[image.buffer]}`;
  const logits = program.outputs[0]!;
  return [
    `static void ${name}_infer(const ${c} *input_0, ${name}_arena *memory)`,
    '{',
    '    int8_t *arena = memory->bytes;',
    '',
    `    if (input_0 != NULL && (const void *)input_0 != ${place}) {`,
    `        memcpy(${place}, input_0, ${image.bytes});`,
    '    }',
    ...inference,
    '}',
    '',
    `int ${name}_run(const ${c} *input_0, int8_t *output_0, ${name}_arena *memory)`,
    '{',
    '    if (memory == NULL) {',
    '        return -1;',
    '    }',
    `    ${name}_infer(input_0, memory);`,
    '    if (output_0 != NULL) {',
    `        memcpy(output_0, memory->bytes + ${plan.addresses[logits.buffer]}, ${logits.bytes});`,
    '    }',
    '    return 0;',
    '}',
    '',
    `int ${name}_train_step(const ${c} *input_0, int32_t label, float rate, float *loss, ${name}_arena *memory)`,
    '{',
    `    const int problem = memory == NULL ? -1 : ${name}_check_step(label, rate);`,
    '    if (problem != 0) {',
    '        return problem;',
    '    }',
    `    ${name}_set_step(label, rate, memory);`,
    `    ${name}_infer(input_0, memory);`,
    `    ${name}_learn(loss, memory);`,
    '    return 0;',
    '}',
    '',
  ];
}

/** NAME_finish_step and NAME_train_step where rows of the image are pushed. */
export function emitPushedTraining(
  context: EmitContext,
  inference: readonly string[],
  push: { rows: number; pitch: number },
): string[] {
  const { name, program } = context;
  const { c } = DTYPES[program.inputs[0]!.dtype];
  return [
    `int ${name}_finish_step(int32_t label, float rate, float *loss, ${name}_arena *memory)`,
    '{',
    ...(inference.length > 0 ? ['    int8_t *arena;', ''] : []),
    `    const int problem = memory == NULL || memory->rows != ${push.rows} ? -1 : ${name}_check_step(label, rate);`,
    '    if (problem != 0) {',
    '        return problem;',
    '    }',
    '    memory->rows = -1;',
    `    ${name}_set_step(label, rate, memory);`,
    ...(inference.length > 0 ? ['    arena = memory->bytes;'] : []),
    ...inference,
    `    ${name}_learn(loss, memory);`,
    '    return 0;',
    '}',
    '',
    `int ${name}_train_step(const ${c} *input_0, int32_t label, float rate, float *loss, ${name}_arena *memory)`,
    '{',
    `    const int problem = memory == NULL || input_0 == NULL ? -1 : ${name}_check_step(label, rate);`,
    '    if (problem != 0) {',
    '        return problem;',
    '    }',
    `    ${name}_begin(memory);`,
    `    while (${name}_push_row(input_0, memory) > 0) {`,
    `        input_0 += ${push.pitch};`,
    '    }',
    `    return ${name}_finish_step(label, rate, loss, memory);`,
    '}',
    '',
  ];
}
