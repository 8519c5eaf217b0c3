/** A small builder of TFLite models, for tests that need a particular operator, shape, type or mistake. */
import { asBytes } from '../../src/core/dtype.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from '../../src/formats/tflite/model.ts';
import { OPS, type OpName, type OptionsOf, optionFields } from '../../src/formats/tflite/schema.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';

/** An index into the model's tensors; -1 for an operand that is absent. */
export type TensorIndex = number;

/** What a tensor may have besides its shape; without `data` it is an input or computed. */
export interface TensorOptions extends Partial<Omit<TfliteTensor, 'shape' | 'buffer' | 'quantization'>> {
  /** Default 0.5; several are per channel along `axis`; null: no quantisation. */
  readonly scale?: number | readonly number[] | null;
  /** Default 0, for every scale. */
  readonly zeroPoint?: number;
  readonly axis?: number;
  readonly data?: Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;
}

export class ModelBuilder {
  readonly #tensors: TfliteTensor[] = [];
  readonly #operators: TfliteOperator[] = [];
  readonly #names: OpName[] = [];
  readonly #buffers: Uint8Array[] = [new Uint8Array(0)];

  tensor(shape: readonly number[], options: TensorOptions = {}): TensorIndex {
    const { scale = 0.5, zeroPoint = 0, axis = 0, data, ...more } = options;
    const scales = typeof scale === 'number' ? [scale] : scale;
    this.#tensors.push({
      name: `t${this.#tensors.length}`,
      shape,
      type: 'INT8',
      buffer: data === undefined ? 0 : this.#buffers.length,
      isVariable: false,
      sparse: false,
      ...(scales !== null && {
        quantization: {
          scale: scales.map(Math.fround),
          zeroPoint: scales.map(() => zeroPoint),
          quantizedDimension: axis,
          details: 'NONE',
        },
      }),
      ...more,
    });
    if (data !== undefined) this.#buffers.push(asBytes(data));
    return this.#tensors.length - 1;
  }

  /** Constant int8 weights: a pattern of small values, scale 0.25. */
  weights(shape: readonly number[], options: TensorOptions = {}): TensorIndex {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Int8Array.from({ length: count }, (_, i) => ((i * 37) % 251) - 125);
    return this.tensor(shape, { scale: 0.25, data, ...options });
  }

  /** Constant int32 numbers without quantisation: axes, sizes, paddings, biases. */
  numbers(values: readonly number[], shape: readonly number[] = [values.length]): TensorIndex {
    return this.tensor(shape, { type: 'INT32', scale: null, data: Int32Array.from(values) });
  }

  /** Appends an operator; options that are not given have the schema's defaults. */
  operator<N extends OpName>(
    name: N,
    inputs: readonly TensorIndex[],
    outputs: readonly TensorIndex[],
    options: Partial<OptionsOf<N>> = {},
  ): this {
    if (!this.#names.includes(name)) this.#names.push(name);
    const defaults = Object.fromEntries(optionFields(name).map(([key, { fallback }]) => [key, fallback]));
    this.#operators.push({
      name,
      opcode: this.#names.indexOf(name),
      inputs,
      outputs,
      intermediates: [],
      options: { ...defaults, ...options },
    } as unknown as TfliteOperator);
    return this;
  }

  model(inputs: readonly TensorIndex[], outputs: readonly TensorIndex[]): TfliteModel {
    return {
      version: 3,
      description: '',
      operatorCodes: this.#names.map((name) => ({
        builtin: OPS[name].code,
        name,
        version: 1,
        ...(name === 'CUSTOM' && { custom: 'Twist' }),
      })),
      subgraphs: [{ name: 'main', tensors: this.#tensors, operators: this.#operators, inputs, outputs }],
      buffers: this.#buffers,
      metadata: [],
      signatures: [],
    };
  }

  file(inputs: readonly TensorIndex[], outputs: readonly TensorIndex[]): Uint8Array {
    return writeTflite(this.model(inputs, outputs));
  }
}

/** Types and options of `oneOperator`: the first operand, its other operands, and the result. */
export interface OneOperator<N extends OpName> {
  readonly x?: readonly number[];
  readonly xOptions?: TensorOptions;
  readonly y: readonly number[];
  readonly yOptions?: TensorOptions;
  /** Adds the operands after the first. */
  readonly rest?: (builder: ModelBuilder) => readonly TensorIndex[];
  readonly options?: Partial<OptionsOf<N>>;
}

/** A model of one operator from input x ([1, 4, 4, 2] unless told) to output y. */
export function oneOperator<N extends OpName>(
  name: N,
  { x = [1, 4, 4, 2], xOptions = {}, y, yOptions = {}, rest = () => [], options = {} }: OneOperator<N>,
): TfliteModel {
  const builder = new ModelBuilder();
  const input = builder.tensor(x, xOptions);
  const operands = [input, ...rest(builder)];
  const output = builder.tensor(y, yOptions);
  return builder.operator(name, operands, [output], options).model([input], [output]);
}
