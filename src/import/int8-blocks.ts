/** Networks stored as JSON and safetensors (`src/formats/int8-blocks.ts`) -> Graph, with the layouts of TFLite. */
import { type Diagnostic, type DiagnosticCode, errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import { type DType, fromBytes, type TypedArray } from '../core/dtype.ts';
import {
  type BlocksAdd,
  type BlocksConvolution,
  type BlocksNetwork,
  type BlocksOp,
  type BlocksPool,
  type BlocksQuantization,
  readBlocks,
} from '../formats/int8-blocks.ts';
import type { SafeTensors } from '../formats/safetensors/model.ts';
import { readSafetensors } from '../formats/safetensors/reader.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  type Graph,
  type Origin,
  type Quantization,
  type TensorType,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { Rejection } from '../ops/import-context.ts';
import { scaleOf, zeroPointOf } from '../ops/quantization.ts';
import { sameShape } from '../ops/strided.ts';
import { verifyGraph } from '../ops/verify.ts';
import { fileProblem, limitProblems, operatorProblems, tensorProblem } from './limits.ts';
import { coarsenSaturated } from './saturated-channels.ts';

/** Both files of a network. */
export interface BlocksFiles {
  /** The JSON. */
  readonly description: Uint8Array;
  /** The .safetensors file. */
  readonly tensors: Uint8Array;
}

/** The border of every activation: nothing is fused, ReLU6 is in the scales. */
const INT8 = [-128, 127] as const;
/** From the raw values of uint8 to those of int8. */
const UINT8_OFFSET = 128;

/**
 * Reads a network into a graph. Scales become float32, as in a TFLite file; saturated channels get an exact equivalent
 * (`src/import/saturated-channels.ts`); the pooling becomes AVERAGE_POOL_2D over the whole plane.
 * @param name the graph's name, e.g. the file name of the description
 * @throws RivuletError with every problem found
 */
export function importBlocks({ description, tensors }: BlocksFiles, name: string): Graph {
  const tooLarge = fileProblem(description, name) ?? fileProblem(tensors, name);
  if (tooLarge !== undefined) throw new RivuletError([tooLarge]);
  const network = readBlocks(description, name);
  return new Importer(network, readSafetensors(tensors, `tensors of ${name}`), name).run();
}

class Importer {
  private readonly errors: Diagnostic[] = [];
  private readonly network: BlocksNetwork;
  private readonly tensors: SafeTensors;
  private readonly name: string;
  private readonly builder: GraphBuilder;
  /** Tensors that the network has computed so far, by id; undefined for those of operators with an error. */
  private readonly values = new Map<string, Value | undefined>();

  constructor(network: BlocksNetwork, tensors: SafeTensors, name: string) {
    this.network = network;
    this.tensors = tensors;
    this.name = name;
    this.builder = new GraphBuilder(name);
  }

  run(): Graph {
    const { ops, output } = this.network;
    if (ops.length === 0) this.error('RV2007', 'the network has no operators', this.name);
    this.errors.push(...operatorProblems(ops.length, this.name));
    this.throwErrors();
    this.defineInput();
    for (const [index, op] of ops.entries()) this.importOp(op, index);
    this.throwErrors();
    const result = this.values.get(output);
    if (result === undefined) this.error('RV1004', `the output "${output}" is never computed`, this.name);
    this.throwErrors();
    const graph = this.builder.build([result!.id]);
    this.errors.push(...verifyGraph(graph));
    this.throwErrors();
    this.errors.push(...limitProblems(graph));
    this.throwErrors();
    return graph;
  }

  /** A uint8 input is converted to int8 of the same real values before the first operator. */
  private defineInput(): void {
    const { id, shape, dtype, ...quantization } = this.network.input;
    const [batch, channels, height, width] = shape;
    const type = {
      shape: [batch, height, width, channels],
      dtype,
      quantization: perTensor(quantization),
    };
    const limit = tensorProblem(type, `input "${id}"`);
    if (limit !== undefined) throw new RivuletError([limit]);
    const input = this.builder.value(this.builder.input(id, type));
    this.values.set(id, dtype === 'uint8' ? this.toInt8(input, id) : input);
  }

  private toInt8(input: Value, id: string): Value {
    const zero = zeroPointOf(input) - UINT8_OFFSET;
    const value = this.activation(`${id}/int8`, input.shape, { scale: scaleOf(input), zero });
    this.builder.node('quantize', {}, [input.id], [value.id], { index: 0, op: 'input', name: id });
    return value;
  }

  private importOp(op: BlocksOp, index: number): void {
    const origin: Origin = { index, op: op.op, name: op.output };
    try {
      if (this.values.has(op.output)) reject('RV1004', `tensor "${op.output}" is computed twice`);
      this.values.set(op.output, undefined);
      const ins = op.inputs.map((id) => this.operand(id));
      // What follows from an error is not reported again.
      if (ins.includes(undefined)) return;
      this.values.set(op.output, this.importKind(op, ins as Value[], origin));
    } catch (rejection) {
      if (!(rejection instanceof Rejection)) throw rejection;
      this.error(rejection.code, rejection.message, describeOrigin(origin));
    }
  }

  private importKind(op: BlocksOp, ins: readonly Value[], origin: Origin): Value {
    switch (op.op) {
      case 'add':
        return this.importAdd(op, ins, origin);
      case 'global_avg_pool':
        return this.importPool(op, ins[0]!, origin);
      default:
        return this.importConvolution(op, ins[0]!, origin);
    }
  }

  private importConvolution(op: BlocksConvolution, x: Value, origin: Origin): Value {
    this.requireQuantization(op.inputs[0]!, x, op.inputQuantization);
    const { outChannels, groups, kernel, stride, padding } = op;
    const inChannels = x.shape[3]!;
    const depthwise = op.op === 'depthwise_conv2d';
    if (depthwise ? groups !== inChannels : inChannels % groups !== 0) {
      reject('RV2002', `${groups} groups of ${inChannels} input channels`);
    }
    const stored = [outChannels, inChannels / groups, ...kernel];
    const y = this.activation(op.output, [x.shape[0]!, ...op.outSize, outChannels], op.outputQuantization);
    const { parameters, overflowing } = coarsenSaturated(
      {
        weights: this.tensor(op.weight, 'I8', 'int8', stored) as Int8Array,
        bias: this.tensor(op.bias, 'I32', 'int32', [outChannels]) as Int32Array,
        scales: [...(this.tensor(op.weightScale, 'F32', 'float32', [outChannels]) as Float32Array)],
      },
      {
        inputScale: scaleOf(x),
        inputZeroPoint: zeroPointOf(x),
        outputScale: scaleOf(y),
        outputZeroPoint: zeroPointOf(y),
      },
    );
    if (overflowing.length > 0) {
      reject(
        'RV2004',
        `sums of channel ${overflowing.slice(0, 8).join(', ')} leave int32 and change the result`,
      );
    }
    const { weights, bias, scales } = parameters;
    const quantization = { scales, zeroPoints: scales.map(() => 0), axis: depthwise ? 3 : 0 };
    const w = depthwise
      ? this.constant(op.weight, [1, ...kernel, outChannels], tapsFirst(weights, outChannels), quantization)
      : this.constant(
          op.weight,
          [outChannels, ...kernel, inChannels / groups],
          channelsLast(weights, inChannels / groups, kernel[0] * kernel[1]),
          quantization,
        );
    const b = this.builder.constant(op.bias, { shape: [outChannels], dtype: 'int32' }, bias);
    const attributes = {
      stride: [stride, stride],
      padding: [padding[0], padding[0], padding[1], padding[1]],
      dilation: [1, 1],
      clamp: INT8,
    } as const;
    this.builder.node(op.op, attributes, [x.id, w, b], [y.id], origin);
    return y;
  }

  private importAdd(op: BlocksAdd, ins: readonly Value[], origin: Origin): Value {
    for (const [i, x] of ins.entries()) {
      this.requireQuantization(op.inputs[i]!, x, op.inputQuantizations[i]!);
    }
    const y = this.activation(op.output, ins[0]!.shape, op.outputQuantization);
    const ids = ins.map(({ id }) => id);
    this.builder.node('add', { clamp: INT8 }, ids, [y.id], origin);
    return y;
  }

  private importPool(op: BlocksPool, x: Value, origin: Origin): Value {
    const [batch, height, width, channels] = x.shape as [number, number, number, number];
    const same = { scale: scaleOf(x), zero: zeroPointOf(x) };
    const y = this.activation(op.output, [batch, 1, 1, channels], same);
    const attributes = {
      kernel: [height, width],
      stride: [1, 1],
      padding: [0, 0, 0, 0],
      clamp: INT8,
    } as const;
    this.builder.node('average_pool2d', attributes, [x.id], [y.id], origin);
    return y;
  }

  /** Undefined if its operator has an error. */
  private operand(id: string): Value | undefined {
    if (!this.values.has(id)) reject('RV1004', `tensor "${id}" is used before it is computed`);
    return this.values.get(id);
  }

  private activation(name: string, shape: readonly number[], quantization: BlocksQuantization): Value {
    const type: TensorType = { shape, dtype: 'int8', quantization: perTensor(quantization) };
    const limit = tensorProblem(type, name);
    if (limit !== undefined) reject(limit.code, limit.message);
    return this.builder.value(this.builder.activation(name, type));
  }

  private constant(
    name: string,
    shape: readonly number[],
    data: Int8Array,
    quantization: Quantization,
  ): ValueId {
    return this.builder.constant(name, { shape, dtype: 'int8', quantization }, data);
  }

  private tensor(name: string, stored: string, dtype: DType, shape: readonly number[]): TypedArray {
    const tensor = this.tensors.tensors.get(name) ?? reject('RV1004', `the file has no tensor "${name}"`);
    if (tensor.dtype !== stored) reject('RV2003', `tensor "${name}" is ${tensor.dtype}, not ${stored}`);
    if (!sameShape(tensor.shape, shape)) {
      reject('RV2005', `tensor "${name}" is [${tensor.shape}] where [${shape}] belongs`);
    }
    return fromBytes(dtype, tensor.bytes);
  }

  /** A tensor has one quantisation; the file repeats it with each operator. */
  private requireQuantization(id: string, x: Value, { scale, zero }: BlocksQuantization): void {
    const { input } = this.network;
    const own = id === input.id ? input : { scale: scaleOf(x), zero: zeroPointOf(x) };
    if (Math.fround(own.scale) === Math.fround(scale) && own.zero === zero) return;
    reject(
      'RV2004',
      `"${id}" is read with scale ${scale} and zero point ${zero}, it has ${own.scale} and ${own.zero}`,
    );
  }

  private error(code: DiagnosticCode, message: string, origin: string): void {
    this.errors.push(errorDiagnostic(code, message, { origin }));
  }

  private throwErrors(): void {
    if (this.errors.length > 0) throw new RivuletError(this.errors);
  }
}

function reject(code: DiagnosticCode, message: string): never {
  throw new Rejection(code, message);
}

function perTensor({ scale, zero }: BlocksQuantization): Quantization {
  return { scales: [Math.fround(scale)], zeroPoints: [zero], axis: 0 };
}

/** [out][in][taps] -> [out][taps][in] */
function channelsLast(weights: Int8Array, channels: number, taps: number): Int8Array {
  const turned = new Int8Array(weights.length);
  const block = channels * taps;
  for (let i = 0; i < weights.length; ++i) {
    const [at, channel, tap] = [i - (i % block), Math.floor((i % block) / taps), i % taps];
    turned[at + tap * channels + channel] = weights[i]!;
  }
  return turned;
}

/** [out][taps] -> [taps][out] */
function tapsFirst(weights: Int8Array, channels: number): Int8Array {
  const taps = weights.length / channels;
  const turned = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; ++i) turned[(i % taps) * channels + Math.floor(i / taps)] = weights[i]!;
  return turned;
}
