/** Models with one mistake each, and the diagnostics that `compile` answers them with. */
import { expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import { type Diagnostic, type DiagnosticCode, RivuletError } from '../../src/core/diagnostics.ts';
import type { TfliteModel, TfliteTensor } from '../../src/formats/tflite/model.ts';
import type { OpName } from '../../src/formats/tflite/schema.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { OPERATOR_MODELS } from './operator-models.ts';
import { ModelBuilder, type OneOperator, oneOperator, type TensorOptions } from './tflite-models.ts';

/** Why `compile` refuses the model; empty when it does not. */
export function diagnosticsOf(model: TfliteModel | Uint8Array): readonly Diagnostic[] {
  const bytes = model instanceof Uint8Array ? model : writeTflite(model);
  try {
    compile(bytes, { file: 'net.tflite' });
  } catch (error) {
    if (error instanceof RivuletError) return error.diagnostics;
    throw error;
  }
  return [];
}

interface Mistake {
  /** The model that has it. */
  readonly of: TfliteModel | Uint8Array;
  readonly code: DiagnosticCode;
  readonly says: string;
  readonly at: string;
  readonly advises?: string;
}

/** One test for each mistake. */
export function itRefuses(mistakes: Readonly<Record<string, Mistake>>): void {
  it.each(Object.entries(mistakes))('%s', (_, { of, code, says, at, advises }) => {
    const diagnostics = diagnosticsOf(of);
    const found = diagnostics.find((d) => d.code === code && d.message.includes(says));
    expect(diagnostics.map(({ code: c, message }) => `${c} ${message}`).join('\n')).toContain(says);
    expect(found).toMatchObject({ code, severity: 'error', origin: expect.stringContaining(at) });
    if (advises !== undefined) expect(found?.hint).toContain(advises);
  });
}

/** The valid model of `operator`, with something about one of its tensors changed. */
export function withTensor(operator: string, tensor: number, change: Partial<TfliteTensor>): TfliteModel {
  const model = OPERATOR_MODELS.get(operator)!;
  const [main] = model.subgraphs;
  const tensors = main!.tensors.map((t, i) => (i === tensor ? { ...t, ...change } : t));
  return { ...model, subgraphs: [{ ...main!, tensors }] };
}

export function withScale(operator: string, tensor: number, scale: number): TfliteModel {
  const quantization = {
    scale: [Math.fround(scale)],
    zeroPoint: [0],
    quantizedDimension: 0,
    details: 'NONE',
  } as const;
  return withTensor(operator, tensor, { quantization });
}

export function withOptions(
  operator: string,
  options: Readonly<Record<string, number | string | boolean>>,
): TfliteModel {
  const model = OPERATOR_MODELS.get(operator)!;
  const [main] = model.subgraphs;
  const operators = main!.operators.map((o) => ({ ...o, options: { ...o.options, ...options } }) as typeof o);
  return { ...model, subgraphs: [{ ...main!, operators }] };
}

/** An image [1, 4, 4, 2] through `name` to `y`, with constant numbers as further operands. */
export function moved(
  name: OpName,
  y: readonly number[],
  ...numbers: readonly (readonly number[])[]
): TfliteModel {
  const rest = (b: ModelBuilder): number[] => numbers.map((values) => b.numbers(values));
  return oneOperator(name, { y, rest } as OneOperator<OpName>);
}

export function convolution(
  weights: TensorOptions & { shape: number[] },
  bias?: (b: ModelBuilder) => number,
): TfliteModel {
  const rest = (b: ModelBuilder): number[] => [b.weights(weights.shape, weights), ...(bias ? [bias(b)] : [])];
  const options = { padding: 'SAME', strideW: 1, strideH: 1 } as const;
  return oneOperator('CONV_2D', { y: [1, 4, 4, 3], rest, options });
}

/** RELUs from tensor to tensor, in the order given. */
export function relus(
  tensors: number,
  operators: readonly (readonly [number, number])[],
  ends: [number[], number[]],
): TfliteModel {
  const b = new ModelBuilder();
  for (let i = 0; i < tensors; ++i) b.tensor([1, 4]);
  for (const [from, to] of operators) b.operator('RELU', [from], [to]);
  return b.model(...ends);
}

/** The model of `operator`, all its int8 tensors of another type. */
export function allTyped(operator: string, type: TfliteTensor['type']): TfliteModel {
  const model = OPERATOR_MODELS.get(operator)!;
  const [main] = model.subgraphs;
  const tensors = main!.tensors.map((t) => (t.type === 'INT8' && t.buffer === 0 ? { ...t, type } : t));
  return { ...model, subgraphs: [{ ...main!, tensors }] };
}
