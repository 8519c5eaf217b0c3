/** What the importers of ONNX operators work with: operands in the layout that they need, and a builder. */
import type { OnnxNode } from '../../formats/onnx/model.ts';
import type { NodeAttributes, OpName } from '../../ir/attributes.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Origin, Quantization, Shape, ValueId } from '../../ir/types.ts';
import { Rejection } from '../../ops/import-context.ts';
import { tensorProblem } from '../limits.ts';
import { type KnownTensor, permuted } from './constants.ts';

/**
 * How the elements of a value lie. ONNX has channels before rows and columns, the graph behind them: what convolutions
 * and pools compute stays channels-last for as long as its readers agree. A flattened picture is one whose elements are
 * still in the order rows, columns, channels; a dense layer turns its weights instead.
 */
export type Layout = 'plain' | 'channels-last' | 'flattened';

export interface Computed {
  readonly id: ValueId;
  /** As ONNX has it, whatever the layout. */
  readonly shape: Shape;
  readonly layout: Layout;
  /** Of flattened pictures: channels, rows, columns. */
  readonly planes?: Shape;
}

/** The quantisation of values of the graph, where the file has some. */
export type Quantized = Map<ValueId, Quantization>;

export type Term = { readonly known: KnownTensor } | { readonly computed: Computed };

/** Dimension d of channels-last is dimension TO_LAST[d] of ONNX, and the other way round. */
export const TO_LAST = [0, 2, 3, 1] as const;
export const FROM_LAST = [0, 3, 1, 2] as const;

export class OnnxContext {
  readonly node: OnnxNode;
  readonly origin: Origin;
  readonly quantized: Quantized;
  private readonly builder: GraphBuilder;
  private readonly terms: readonly (Term | null)[];
  private readonly define: (output: number, term: Term) => void;

  constructor(
    builder: GraphBuilder,
    node: OnnxNode,
    origin: Origin,
    terms: readonly (Term | null)[],
    quantized: Quantized,
    define: (output: number, term: Term) => void,
  ) {
    this.builder = builder;
    this.node = node;
    this.origin = origin;
    this.terms = terms;
    this.quantized = quantized;
    this.define = define;
  }

  get operands(): number {
    return this.terms.length;
  }

  int(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.int ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.float ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    return this.node.attributes.get(name)?.text ?? otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.ints;
  }

  has(index: number): boolean {
    return this.terms[index] != null;
  }

  isKnown(index: number): boolean {
    const term = this.terms[index];
    return term != null && 'known' in term;
  }

  /** The constant operand `index`; rejects the operator where the model computes it. */
  known(index: number, what: string): KnownTensor {
    const term = this.terms[index] ?? reject('RV1004', `operand ${index} is missing`);
    return 'known' in term ? term.known : reject('RV2008', `${what} is computed by the model`);
  }

  /** The numbers of a constant operand, undefined where it is absent. */
  numbers(index: number, what: string): number[] | undefined {
    return this.has(index) ? [...this.known(index, what).values] : undefined;
  }

  /** Operand `index` as it lies; constants become values. */
  computed(index: number): Computed {
    const term = this.terms[index] ?? reject('RV1004', `operand ${index} is missing`);
    return 'computed' in term ? term.computed : this.constant(`operand${index}`, term.known);
  }

  /** Operand `index` with its channels last; it needs four dimensions. */
  channelsLast(index: number): Computed {
    const x = this.computed(index);
    if (x.shape.length !== 4) {
      reject('RV2002', `the input is [${x.shape}]; networks over rows and columns are supported`);
    }
    if (x.layout === 'channels-last') return x;
    return this.move(x, TO_LAST, x.shape, 'channels-last');
  }

  /** A value in the layout of ONNX. */
  plain(x: Computed): Computed {
    if (x.layout === 'plain') return x;
    if (x.layout === 'flattened') {
      const [channels, height, width] = x.planes as [number, number, number];
      const shape = [x.shape[0]!, channels, height, width];
      const picture = this.emitAs('reshape', {}, [x.id], shape, 'channels-last');
      return this.reshape(this.plain(picture), x.shape);
    }
    // One channel, or one pixel, lies the same way in both.
    if (keepsOrder(x.shape)) return this.reshape({ ...x, layout: 'plain' }, x.shape);
    return this.move(x, FROM_LAST, x.shape, 'plain');
  }

  /** Other sizes for the elements as they lie. */
  reshape({ id }: Computed, shape: Shape): Computed {
    return this.emitAs('reshape', {}, [id], shape, 'plain');
  }

  constant(suffix: string, { shape, values, dtype, quantization }: KnownTensor): Computed {
    if (dtype !== 'float32') reject('RV2003', `a constant is ${dtype}, not float32`);
    const type = { shape, dtype: 'float32' } as const;
    const id = this.builder.constant(`${this.origin.name}/${suffix}`, type, Float32Array.from(values));
    if (quantization !== undefined) this.quantized.set(id, quantization);
    return { id, shape, layout: 'plain' };
  }

  /** A node between others. */
  emitAs<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    shape: Shape,
    layout: Layout,
    name = `${this.origin.name}/${op}`,
  ): Computed {
    const stored = layout === 'channels-last' ? TO_LAST.map((d) => shape[d]!) : shape;
    const type = { shape: stored, dtype: 'float32' } as const;
    if (!stored.every((size) => Number.isInteger(size) && size >= 1)) {
      reject('RV2005', `the result would be [${shape}]`);
    }
    const limit = tensorProblem(type, name);
    if (limit !== undefined) reject(limit.code, limit.message);
    const id = this.builder.activation(name, type);
    this.builder.node(op, attrs, ins, [id], this.origin);
    return { id, shape, layout };
  }

  /** The node that computes the operator's first result. */
  emit<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    shape: Shape,
    layout: Layout,
    planes?: Shape,
  ): void {
    const computed = this.emitAs(op, attrs, ins, shape, layout, this.origin.name);
    this.result({ computed: { ...computed, ...(planes && { planes }) } });
  }

  result(term: Term, output = 0): void {
    this.define(output, term);
  }

  /** Result `index` is operand 0. */
  alias(): void {
    this.result(this.terms[0] ?? reject('RV1004', 'operand 0 is missing'));
  }

  /** A dimension number, negative from the end. */
  axis(axis: number, rank: number): number {
    if (axis < -rank || axis >= rank) reject('RV2002', `axis ${axis} does not exist in ${rank} dimensions`);
    return axis < 0 ? axis + rank : axis;
  }

  private move(x: Computed, order: readonly number[], shape: Shape, layout: Layout): Computed {
    const moved = keepsOrder(x.shape);
    if (moved) return this.emitAs('reshape', {}, [x.id], shape, layout);
    return this.emitAs('transpose', { permutation: order }, [x.id], shape, layout);
  }
}

/** Whether [batch, channels, rows, columns] has the same elements in the same order with channels last. */
export function keepsOrder([, channels, height, width]: Shape): boolean {
  return channels === 1 || height! * width! === 1;
}

export function reject(code: Rejection['code'], message: string, hint?: string): never {
  throw new Rejection(code, message, hint);
}

/** Scales of weights must be those of output channels, in dimension `axis`. */
export function requireAxis(weights: KnownTensor, axis: number): void {
  const { quantization } = weights;
  if (quantization === undefined || quantization.scales.length === 1 || quantization.axis === axis) return;
  reject('RV2004', `the weights have scales along dimension ${quantization.axis}, not ${axis}`);
}

/** A constant in the order of channels-last; dimensions are added in front. */
export function constantLast(x: KnownTensor): KnownTensor {
  const shape = [...new Array<number>(4 - x.shape.length).fill(1), ...x.shape];
  return permuted({ ...x, shape }, TO_LAST);
}
