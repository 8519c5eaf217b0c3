/**
 * Backbones as a JSON document of operators with quantisation, and a safetensors file of their tensors: an int8 network in
 * NCHW order with symmetric padding, residual blocks and a global pool before its classifier.
 */
import { fail, RivuletError } from '../core/diagnostics.ts';
import { readSafetensors, type StoredTensor } from '../formats/safetensors/reader.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Origin, TensorType, ValueId } from '../ir/types.ts';
import { verifyGraph } from '../ops/verify.ts';

interface Operator {
  readonly id: string;
  readonly op: string;
  readonly [field: string]: unknown;
}

interface Document {
  readonly name: string;
  readonly input: { id: string; shape: number[]; scale: number; zero: number };
  readonly output: string;
  readonly ops: readonly Operator[];
}

const FULL = [-128, 127] as const;
/** A bias below this belongs to a channel that is always at its lowest value. */
const LOWEST_BIAS = -(2 ** 30);

/** Whether a file looks like such a document, and not like a flatbuffer. */
export function isBackbone(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b;
}

/**
 * @param tensors contents of the safetensors file; undefined: there is none
 * @throws RivuletError with what is wrong with either file
 */
export function importBackbone(bytes: Uint8Array, tensors: Uint8Array | undefined, file: string): Graph {
  const document = parseDocument(bytes, file);
  if (tensors === undefined) {
    fail('RV1006', 'the tensors of the model are missing', {
      origin: file,
      hint: 'put NAME.safetensors beside NAME.json, or give its bytes as `tensors`',
    });
  }
  const graph = new BackboneImporter(document, readSafetensors(tensors!, `${file}, tensors`), file).run();
  const problems = verifyGraph(graph);
  if (problems.length > 0) throw new RivuletError(problems);
  return graph;
}

function parseDocument(bytes: Uint8Array, file: string): Document {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    return fail('RV1001', `the file is not JSON: ${(error as Error).message}`, { origin: file });
  }
  const { ops, input, output } = (json ?? {}) as Partial<Document>;
  if (
    !Array.isArray(ops) ||
    !Array.isArray(input?.shape) ||
    input.shape.length !== 4 ||
    typeof output !== 'string'
  ) {
    fail('RV1003', 'the document has no list of operators, no input of four dimensions or no output', {
      origin: file,
    });
  }
  return { ...(json as Document), name: String((json as Document).name ?? file.replace(/\.\w+$/, '')) };
}

class BackboneImporter {
  private readonly document: Document;
  private readonly tensors: ReadonlyMap<string, StoredTensor>;
  private readonly file: string;
  private readonly builder: GraphBuilder;
  private readonly values = new Map<string, ValueId>();

  constructor(document: Document, tensors: ReadonlyMap<string, StoredTensor>, file: string) {
    this.document = document;
    this.tensors = tensors;
    this.file = file;
    this.builder = new GraphBuilder(document.name);
  }

  run(): Graph {
    const { input, ops, output } = this.document;
    const [batch, channels, height, width] = input.shape as [number, number, number, number];
    this.values.set(
      input.id,
      this.builder.input(input.id, activation([batch, height, width, channels], input.scale, input.zero)),
    );
    ops.forEach((op, index) => {
      const origin = { index, op: op.op, name: op.id };
      if (op.op === 'conv2d' || op.op === 'depthwise_conv2d') this.convolution(op, origin);
      else if (op.op === 'add') this.addition(op, origin);
      else if (op.op === 'global_avg_pool') this.pool(op, origin);
      else fail('RV2001', `${op.op} is not supported`, { origin: this.place(op) });
    });
    return this.builder.build([this.lookup(output, this.file)]);
  }

  private convolution(op: Operator, origin: Origin): void {
    const [inChannels, outChannels] = [this.number(op, 'in_channels'), this.number(op, 'out_channels')];
    const [kernel, stride, outSize] = [
      this.pair(op, 'kernel'),
      this.pair(op, 'stride'),
      this.pair(op, 'out_hw'),
    ];
    const [top, left] = this.pair(op, 'padding');
    const isDepthwise = op.op === 'depthwise_conv2d';
    const depth = isDepthwise ? 1 : inChannels;
    const stored = this.tensor(op, 'weight', 'int8', outChannels * depth * kernel[0] * kernel[1]);
    const scales = Array.from(this.tensor(op, 'weight_scale', 'float32', outChannels) as Float32Array);
    const bias = this.tensor(op, 'bias', 'int32', outChannels) as Int32Array;
    // A saturated bias would wrap where sums are added to it; the channel is at its lowest value long before.
    const bounded = bias.map((b) => Math.max(LOWEST_BIAS, b));
    const weights = reordered(stored as Int8Array, outChannels, depth, kernel[0] * kernel[1], isDepthwise);
    const shape = isDepthwise ? [1, ...kernel, outChannels] : [outChannels, ...kernel, depth];
    const quantization = { scales, zeroPoints: scales.map(() => 0), axis: isDepthwise ? 3 : 0 };
    const weightId = this.builder.constant(
      `${op.id}.weight`,
      { shape, dtype: 'int8', quantization },
      weights,
    );
    const biasId = this.builder.constant(`${op.id}.bias`, { shape: [outChannels], dtype: 'int32' }, bounded);
    const y = this.output(op, [1, ...outSize, outChannels]);
    const attrs = {
      stride,
      dilation: [1, 1] as const,
      padding: [top, top, left, left] as const,
      clamp: FULL,
    };
    const operands = [this.input(op, op.input), weightId, biasId];
    if (isDepthwise) this.builder.node('depthwise_conv2d', attrs, operands, [y], origin);
    else this.builder.node('conv2d', attrs, operands, [y], origin);
  }

  private addition(op: Operator, origin: Origin): void {
    const inputs = Array.isArray(op.inputs) ? op.inputs.map((id) => this.input(op, id)) : [];
    if (inputs.length !== 2)
      fail('RV1003', `it has ${inputs.length} inputs, not 2`, { origin: this.place(op) });
    const y = this.output(op, [1, ...this.pair(op, 'hw'), this.number(op, 'channels')]);
    this.builder.node('add', { clamp: FULL }, inputs, [y], origin);
  }

  private pool(op: Operator, origin: Origin): void {
    const x = this.input(op, op.input);
    const { shape, quantization } = this.builder.value(x);
    const y = this.builder.activation(op.id, {
      shape: [1, 1, 1, shape[3]!],
      dtype: 'int8',
      quantization: quantization!,
    });
    this.values.set(String(op.output), y);
    this.builder.node('mean', { axes: [1, 2] }, [x], [y], origin);
  }

  private output(op: Operator, shape: readonly number[]): ValueId {
    const type = activation(shape, this.number(op, 'output_scale'), this.number(op, 'output_zero'));
    const id = this.builder.activation(op.id, type);
    this.values.set(String(op.output), id);
    return id;
  }

  private input(op: Operator, id: unknown): ValueId {
    return this.lookup(String(id), this.place(op));
  }

  private lookup(id: string, origin: string): ValueId {
    return this.values.get(id) ?? fail('RV1004', `nothing computes "${id}"`, { origin });
  }

  private number(op: Operator, field: string): number {
    const value = op[field];
    return typeof value === 'number'
      ? value
      : fail('RV1003', `"${field}" is no number`, { origin: this.place(op) });
  }

  private pair(op: Operator, field: string): readonly [number, number] {
    const value = op[field];
    if (Array.isArray(value) && value.length === 2 && value.every(Number.isInteger))
      return value as [number, number];
    if (Number.isInteger(value)) return [value as number, value as number];
    return fail('RV1003', `"${field}" is not one or two whole numbers`, { origin: this.place(op) });
  }

  private tensor(op: Operator, field: string, dtype: string, count: number): StoredTensor['data'] {
    const name = String(op[field]);
    const tensor =
      this.tensors.get(name) ?? fail('RV1004', `there is no tensor "${name}"`, { origin: this.place(op) });
    if (tensor.dtype === dtype && tensor.data.length === count) return tensor.data;
    return fail('RV1003', `tensor "${name}" is ${tensor.dtype} [${tensor.shape}], not ${count} ${dtype}`, {
      origin: this.place(op),
    });
  }

  private place(op: Operator): string {
    return `${this.file}, operator "${op.id}"`;
  }
}

function activation(shape: readonly number[], scale: number, zero: number): TensorType {
  return {
    shape,
    dtype: 'int8',
    quantization: { scales: [Math.fround(scale)], zeroPoints: [zero], axis: 0 },
  };
}

/** Weights [O, I, taps] as [O, taps, I], of a depthwise convolution [O, 1, taps] as [taps, O]. */
function reordered(
  weights: Int8Array,
  outputs: number,
  inputs: number,
  taps: number,
  isDepthwise: boolean,
): Int8Array {
  const result = new Int8Array(weights.length);
  for (let o = 0; o < outputs; ++o)
    for (let i = 0; i < inputs; ++i)
      for (let tap = 0; tap < taps; ++tap)
        result[isDepthwise ? tap * outputs + o : (o * taps + tap) * inputs + i] =
          weights[(o * inputs + i) * taps + tap]!;
  return result;
}
