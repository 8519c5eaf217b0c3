/** The backbones of MCUNetV3 as development material, and the arithmetic that their golden sums were made with. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clamp } from '../../src/core/fixedpoint.ts';
import { readBlocks } from '../../src/formats/int8-blocks.ts';
import type { BlocksFiles } from '../../src/import/int8-blocks.ts';
import type { Node, NodeOf } from '../../src/ir/types.ts';
import { type Graph, requireValue, type Value } from '../../src/ir/types.ts';
import { zeroPointOf } from '../../src/ops/quantization.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/models');

export const BACKBONES = ['mcunet-5fps', 'mbv2-w0.35', 'proxyless-w0.3'];
export const HAS_BACKBONES = existsSync(join(FOLDER, 'mcu_models_golden.json'));

export function backboneFiles(name: string): BlocksFiles {
  const [description, tensors] = ['json', 'safetensors'].map((kind) =>
    readFileSync(join(FOLDER, `${name}.${kind}`)),
  );
  return { description: description!, tensors: tensors! };
}

export function backbonePath(name: string): string {
  return join(FOLDER, `${name}.json`);
}

export interface GoldenSums {
  readonly logits_first10: readonly number[];
  readonly logits_sum: number;
  readonly argmax: number;
  readonly tensor_sums: Readonly<Record<string, number>>;
}

export function goldenSums(name: string): GoldenSums {
  return JSON.parse(readFileSync(join(FOLDER, 'mcu_models_golden.json'), 'utf8'))[name];
}

/** The input of the golden sums, [height, width, channels]. */
export function goldenInput(length: number): Int8Array {
  let state = 12345;
  return Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) - 128;
  });
}

/** Scale of an activation. */
export type ScaleOf = (value: Value) => number;

/**
 * Scales of activations as the file has them, in double. The graph has float32, which moves one in some hundred thousand
 * results by 1, so the golden sums can only be had with these.
 */
export function fileScales({ description }: BlocksFiles): ScaleOf {
  const { input, ops } = readBlocks(description, 'scales');
  const scales = new Map([[input.id, input.scale]]);
  for (const op of ops) {
    const scale = op.op === 'global_avg_pool' ? scales.get(op.inputs[0]!)! : op.outputQuantization.scale;
    scales.set(op.output, scale);
  }
  return ({ name }) => scales.get(name)!;
}

/**
 * Every activation of the graph, by name, with the semantics of the golden sums instead of those of the firmware: exact
 * sums, one float32 product, halves to even.
 */
export function evaluateHalfEven(graph: Graph, input: Int8Array, scaleOf: ScaleOf): Map<string, Int8Array> {
  const data = new Map<number, Int8Array>([[graph.inputs[0]!, input]]);
  const named = new Map<string, Int8Array>();
  for (const node of graph.nodes) {
    const result = evaluate(graph, node, (id) => data.get(id)!, scaleOf);
    data.set(node.outs[0]!, result);
    named.set(requireValue(graph, node.outs[0]!).name, result);
  }
  return named;
}

function evaluate(graph: Graph, node: Node, dataOf: (id: number) => Int8Array, scaleOf: ScaleOf): Int8Array {
  const y = requireValue(graph, node.outs[0]!);
  const ins = node.ins.map((id) => requireValue(graph, id!));
  switch (node.op) {
    case 'conv2d':
    case 'depthwise_conv2d':
      return convolution(node, ins as [Value, Value, Value], y, dataOf(node.ins[0]!), scaleOf);
    case 'add':
      return add(ins as [Value, Value], y, [dataOf(node.ins[0]!), dataOf(node.ins[1]!)], scaleOf);
    case 'average_pool2d':
      return globalMean(ins[0]!, dataOf(node.ins[0]!));
    default:
      throw new Error(`${node.op} has no golden semantics`);
  }
}

/** rint(): to nearest, halves to even. */
function halfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

function convolution(
  { op, attrs }: NodeOf<'conv2d' | 'depthwise_conv2d'>,
  [x, w, b]: readonly [Value, Value, Value],
  y: Value,
  input: Int8Array,
  scaleOf: ScaleOf,
): Int8Array {
  const [, height, width, inChannels] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = y.shape as [number, number, number, number];
  const depthwise = op === 'depthwise_conv2d';
  const [kh, kw, depth] = [w.shape[1]!, w.shape[2]!, depthwise ? 1 : w.shape[3]!];
  const perGroup = outChannels / (inChannels / depth);
  const [weights, bias] = [w.data as Int8Array, b.data as Int32Array];
  const effective = w.quantization!.scales.map((s) => Math.fround((scaleOf(x) * s) / scaleOf(y)));
  const [zeroIn, zeroOut] = [zeroPointOf(x), zeroPointOf(y)];
  const out = new Int8Array(outHeight * outWidth * outChannels);
  for (let i = 0; i < out.length; ++i) {
    const [oy, ox, c] = [
      Math.floor(i / (outWidth * outChannels)),
      Math.floor(i / outChannels) % outWidth,
      i % outChannels,
    ];
    const [top, left] = [oy * attrs.stride[0] - attrs.padding[0], ox * attrs.stride[1] - attrs.padding[2]];
    const firstChannel = depthwise
      ? Math.floor((c * inChannels) / outChannels)
      : Math.floor(c / perGroup) * depth;
    let sum = 0;
    for (let ky = 0; ky < kh; ++ky) {
      if (top + ky < 0 || top + ky >= height) continue;
      for (let kx = 0; kx < kw; ++kx) {
        if (left + kx < 0 || left + kx >= width) continue;
        const from = ((top + ky) * width + left + kx) * inChannels + firstChannel;
        const tap = depthwise ? (ky * kw + kx) * outChannels + c : ((c * kh + ky) * kw + kx) * depth;
        for (let k = 0; k < depth; ++k) sum += weights[tap + k]! * (input[from + k]! - zeroIn);
      }
    }
    const steps = Math.fround(Math.fround(sum + bias[c]!) * effective[c]!);
    out[i] = clamp(halfEven(steps) + zeroOut, -128, 127);
  }
  return out;
}

function add(
  [a, b]: readonly [Value, Value],
  y: Value,
  [x1, x2]: readonly [Int8Array, Int8Array],
  scaleOf: ScaleOf,
): Int8Array {
  const real = (value: Value, q: number) => Math.fround(scaleOf(value) * (q - zeroPointOf(value)));
  return x1.map((q, i) => {
    const steps = Math.fround(Math.fround(real(a, q) + real(b, x2[i]!)) / scaleOf(y));
    return clamp(halfEven(steps) + zeroPointOf(y), -128, 127);
  });
}

function globalMean(x: Value, input: Int8Array): Int8Array {
  const channels = x.shape[3]!;
  const pixels = input.length / channels;
  return Int8Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c; i < input.length; i += channels) sum += input[i]!;
    return halfEven(sum / pixels);
  });
}
